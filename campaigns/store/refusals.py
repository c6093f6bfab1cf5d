"""Refusals kept for reports and for the holder's own chat: a code, ids and facts without personal data."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import Fact
from campaigns.domain.ids import new_id
from campaigns.store.pool import Connection

_INSERT = """
INSERT INTO refusal (id, at, action, code, campaign_id, person_id, merchant_id, terminal_id, facts)
SELECT id, coalesce(at, campaign_now()), action, code, campaign_id, person_id, merchant_id, terminal_id, facts
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[],
            $9::jsonb[])
     AS t (id, at, action, code, campaign_id, person_id, merchant_id, terminal_id, facts)
"""

_OF_PERSON = """
SELECT r.id, r.at, r.action, r.code, r.facts, c.code AS campaign, c.definition -> 'name' ->> 'zh' AS name_zh,
       c.definition -> 'name' ->> 'en' AS name_en, m.name AS merchant, s.name AS store
FROM refusal r LEFT JOIN campaign c ON c.id = r.campaign_id LEFT JOIN merchant m ON m.id = r.merchant_id
LEFT JOIN terminal t ON t.id = r.terminal_id LEFT JOIN store s ON s.id = t.store_id
WHERE r.person_id = $1 AND r.id < $2 ORDER BY r.id DESC LIMIT $3
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


class RefusalView(NamedTuple):
    """A person's refused request, with the names of the campaign, the merchant and the store where known."""

    id: UUID
    at: datetime
    action: str
    code: str
    facts: dict[str, Fact]
    campaign: str | None
    name_zh: str | None
    name_en: str | None
    merchant: str | None
    store: str | None


async def write_refusals(connection: Connection, rows: Sequence[RefusalRow]) -> None:
    """Append refusals in the transaction that stores the refused answers."""
    if rows:
        values = [
            (
                new_id(),
                r.at,
                r.action,
                r.code,
                r.campaign_id,
                r.person_id,
                r.merchant_id,
                r.terminal_id,
                dict(r.facts),
            )
            for r in rows
        ]
        await connection.execute(_INSERT, *zip(*values, strict=True))


async def refusals_of_person(
    connection: Connection, person_id: UUID, before: UUID, limit: int
) -> list[RefusalView]:
    """What was refused to a person, the newest first."""
    return [
        RefusalView(*row.values()) for row in await connection.fetch(_OF_PERSON, person_id, before, limit)
    ]
