"""The log of acts: who did what to which campaign, at which campaign time. Append-only."""

from datetime import datetime
from uuid import UUID

from campaigns.domain.errors import Facts
from campaigns.domain.principal import Principal
from campaigns.store.pool import Connection

_INSERT = """
INSERT INTO audit (at, campaign_id, actor_kind, actor_id, action, subject_id, facts)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


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
        _INSERT, at, campaign_id, principal.kind, principal.id, action, subject_id, dict(facts)
    )
