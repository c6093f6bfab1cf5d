"""Rows of a campaign's terms: compiled versions, and changes on their way to a second person's approval."""

from datetime import datetime
from uuid import UUID

import asyncpg

from campaigns.store.pool import Connection


async def insert_terms(
    connection: Connection, campaign_id: UUID, version: int, compiled: str, digest: bytes, at: datetime
) -> int:
    """Insert a compiled version and answer its id."""
    version_id = await connection.fetchval(
        "INSERT INTO terms_version (campaign_id, version, compiled, digest, created_at)"
        " VALUES ($1, $2, $3, $4, $5) RETURNING id",
        campaign_id, version, compiled, digest, at,
    )  # fmt: skip
    assert isinstance(version_id, int)
    return version_id


async def newest_terms(connection: Connection, campaign_id: UUID) -> int:
    """The id of the campaign's newest terms version; an approved campaign has one."""
    version_id = await connection.fetchval(
        "SELECT id FROM terms_version WHERE campaign_id = $1 ORDER BY version DESC LIMIT 1", campaign_id
    )
    assert isinstance(version_id, int), f"campaign {campaign_id} has no terms"
    return version_id


async def newest_terms_row(connection: Connection, campaign_id: UUID) -> asyncpg.Record | None:
    return await connection.fetchrow(
        "SELECT id, version, compiled, digest FROM terms_version WHERE campaign_id = $1"
        " ORDER BY version DESC LIMIT 1",
        campaign_id,
    )


async def insert_terms_change(
    connection: Connection, change_id: UUID, campaign_id: UUID, source: str, author_id: UUID, at: datetime
) -> None:
    await connection.execute(
        "INSERT INTO terms_change (id, campaign_id, source, author_id, proposed_at) VALUES ($1, $2, $3, $4, $5)",
        change_id, campaign_id, source, author_id, at,
    )  # fmt: skip


async def terms_change_row(
    connection: Connection, campaign_id: UUID, change_id: UUID
) -> asyncpg.Record | None:
    return await connection.fetchrow(
        "SELECT id, source, author_id, approver_id, version FROM terms_change WHERE id = $1 AND campaign_id = $2",
        change_id, campaign_id,
    )  # fmt: skip


async def approve_terms_change(
    connection: Connection, change_id: UUID, approver_id: UUID, version: int, at: datetime
) -> None:
    await connection.execute(
        "UPDATE terms_change SET approver_id = $2, version = $3, approved_at = $4 WHERE id = $1",
        change_id, approver_id, version, at,
    )  # fmt: skip
