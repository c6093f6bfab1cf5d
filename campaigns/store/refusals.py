"""Refusals kept for reports and for the holder's own chat: a code, ids and facts without personal data."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import Fact
from campaigns.domain.ids import new_id
from campaigns.store.pool import Connection

_INSERT = """
INSERT INTO refusal (id, at, action, code, campaign_id, person_id, merchant_id, terminal_id, facts)
VALUES ($1, coalesce($2, campaign_now()), $3, $4, $5, $6, $7, $8, $9)
"""


class RefusalRow(Struct, frozen=True, kw_only=True):
    """One refused request; ``at`` None is the campaign time it is written at."""

    action: str
    code: str
    facts: Mapping[str, Fact]
    at: datetime | None = None
    campaign_id: UUID | None = None
    person_id: UUID | None = None
    merchant_id: UUID | None = None
    terminal_id: UUID | None = None


async def write_refusal(connection: Connection, row: RefusalRow) -> None:
    """Append a refusal in the transaction that stores the refused answer."""
    await connection.execute(
        _INSERT,
        new_id(),
        row.at,
        row.action,
        row.code,
        row.campaign_id,
        row.person_id,
        row.merchant_id,
        row.terminal_id,
        dict(row.facts),
    )
