"""What the database holds of what a client was told, and who may hold packets: read by demonstrations and crash tests."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from campaigns.store.pool import Connection

_HOLDERS = """
SELECT e.code, a.person_id, l.face_fen, e.accept_if_won, a.state, a.awarded_at, a.accept_until
FROM award a JOIN allotment l ON l.id = a.allotment_id JOIN entry e ON e.id = a.entry_id
WHERE a.campaign_id = $1 ORDER BY e.code
"""


class AwardedRow(NamedTuple):
    """Someone who won or came from the waitlist, by the public id of their entry."""

    entry: str
    person_id: UUID
    face_fen: int
    accept_if_won: bool
    state: str
    awarded_at: datetime
    accept_until: datetime


class PaymentFound(NamedTuple):
    """A payment as it stands."""

    id: UUID
    person_id: UUID
    state: str
    subsidy_fen: int
    captured_fen: int


class RefundFound(NamedTuple):
    """A refund or undo as it stands, with its payment."""

    id: UUID
    payment_id: UUID
    kind: str
    back_fen: int


async def awarded(connection: Connection, campaign_id: UUID) -> list[AwardedRow]:
    """Everybody whom a draw campaign awarded, by entry."""
    return [AwardedRow(*row) for row in await connection.fetch(_HOLDERS, campaign_id)]


async def payments_found(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, PaymentFound]:
    """The payments with these ids."""
    rows = await connection.fetch(
        "SELECT id, person_id, state, subsidy_fen, captured_fen FROM payment WHERE id = ANY ($1::uuid[])", ids
    )
    return {row["id"]: PaymentFound(*row) for row in rows}


async def refunds_found(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, RefundFound]:
    """The refunds and undos with these ids."""
    rows = await connection.fetch(
        "SELECT id, payment_id, kind, back_fen FROM refund WHERE id = ANY ($1::uuid[])", ids
    )
    return {row["id"]: RefundFound(*row) for row in rows}
