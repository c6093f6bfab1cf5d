"""The log of acts: who did what to which campaign, at which campaign time. Append-only."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from campaigns.domain.errors import Fact, Facts
from campaigns.domain.principal import Principal
from campaigns.store.pool import Connection

_INSERT = """
INSERT INTO audit (at, programme_id, campaign_id, actor_kind, actor_id, action, subject_id, facts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

_NEWEST = """
SELECT a.id, a.at, a.campaign_id, c.code AS campaign, a.actor_kind, a.actor_id, s.login AS actor_login, a.action,
       a.subject_id, a.facts
FROM audit a LEFT JOIN campaign c ON c.id = a.campaign_id
LEFT JOIN staff s ON a.actor_kind = 'staff' AND s.id = a.actor_id
WHERE a.programme_id = $1 AND a.id < $2 AND ($3::uuid IS NULL OR a.campaign_id = $3)
  AND ($4::text IS NULL OR a.action = $4)
ORDER BY a.id DESC LIMIT $5
"""


class AuditRow(NamedTuple):
    """One act; ``campaign`` is the campaign's code, ``actor_login`` is known of staff alone."""

    id: int
    at: datetime
    campaign_id: UUID | None
    campaign: str | None
    actor_kind: str
    actor_id: UUID
    actor_login: str | None
    action: str
    subject_id: UUID | None
    facts: dict[str, Fact]


async def write_audit(
    connection: Connection,
    at: datetime,
    campaign_id: UUID | None,
    principal: Principal,
    action: str,
    subject_id: UUID | None,
    facts: Facts,
) -> None:
    """Append one act in the transaction of the act itself. ``facts`` hold no personal data."""
    await connection.execute(
        _INSERT, at, principal.programme_id, campaign_id, principal.kind, principal.id, action, subject_id, dict(facts)
    )  # fmt: skip


async def acts(
    connection: Connection, programme_id: UUID, campaign_id: UUID | None, action: str | None, before: int, limit: int
) -> list[AuditRow]:  # fmt: skip
    """The acts of a programme (of one campaign or one kind, if named), the newest first."""
    rows = await connection.fetch(_NEWEST, programme_id, before, campaign_id, action, limit)
    return [AuditRow(*row.values()) for row in rows]
