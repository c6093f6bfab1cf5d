"""Lists of payments for those they belong to, and what shops announce."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from campaigns.store.pool import Connection

_OF_MERCHANT = """
SELECT id FROM payment WHERE merchant_id = $1 AND id > $2 AND ($3::uuid IS NULL OR terminal_id = $3)
ORDER BY id LIMIT $4
"""
_HELD_OF_MERCHANT = _OF_MERCHANT.replace("WHERE ", "WHERE state = 'held' AND ")
_OF_PERSON = """
SELECT id FROM payment WHERE person_id = $1 AND programme_id = $2 AND id > $3 ORDER BY id LIMIT $4
"""

_ANNOUNCE = """
INSERT INTO announcement (id, terminal_id, amount_fen, at, until) VALUES ($1, $2, $3, $4, $5)
"""
_NEWEST = """
SELECT id, amount_fen, until, payment_id FROM announcement WHERE terminal_id = $1 ORDER BY at DESC, id DESC LIMIT 1
"""


class Announced(NamedTuple):
    """The newest amount a till announced; ``payment_id`` once somebody paid it."""

    id: UUID
    amount_fen: int
    until: datetime
    payment_id: UUID | None


async def payments_of_merchant(
    connection: Connection, merchant_id: UUID, terminal_id: UUID | None, after: UUID, limit: int, *, held: bool
) -> list[UUID]:  # fmt: skip
    """Ids of a merchant's payments (of one terminal, if named) in id order; ``held`` for open holds alone."""
    query = _HELD_OF_MERCHANT if held else _OF_MERCHANT
    return [row["id"] for row in await connection.fetch(query, merchant_id, after, terminal_id, limit)]


async def payments_of_person(
    connection: Connection, person_id: UUID, programme_id: UUID, after: UUID, limit: int
) -> list[UUID]:
    """Ids of a person's payments in id order."""
    return [row["id"] for row in await connection.fetch(_OF_PERSON, person_id, programme_id, after, limit)]


async def announce(
    connection: Connection, announcement_id: UUID, terminal_id: UUID, amount_fen: int, at: datetime, until: datetime
) -> None:  # fmt: skip
    """Write an announcement; it takes the place of the till's older ones."""
    await connection.execute(_ANNOUNCE, announcement_id, terminal_id, amount_fen, at, until)


async def newest_announcement(connection: Connection, terminal_id: UUID, *, lock: bool) -> Announced | None:
    """The till's newest announcement, locked for the payment that takes it."""
    row = await connection.fetchrow(_NEWEST + (" FOR UPDATE" if lock else ""), terminal_id)
    return None if row is None else Announced(*row.values())


async def take_announcement(connection: Connection, announcement_id: UUID, payment_id: UUID) -> None:
    """Mark a locked announcement as paid."""
    await connection.execute(
        "UPDATE announcement SET payment_id = $2 WHERE id = $1", announcement_id, payment_id
    )
