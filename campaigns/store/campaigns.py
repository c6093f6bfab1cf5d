"""Rows of campaigns, their funders and the money paid in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from campaigns.domain.errors import Refused, not_found
from campaigns.store.locks import lock_campaign, share_campaigns
from campaigns.store.pool import Connection

WINDOW_COLUMNS = (
    "registration_start", "registration_end", "draw_start", "draw_end", "acceptance_start", "acceptance_end",
    "spending_start", "spending_end",
)  # fmt: skip


class CampaignRow(Struct, frozen=True, kw_only=True):
    """A campaign as its row has it; ``definition`` is the campaign file as plain data."""

    id: UUID
    seq: int
    programme_id: UUID
    code: str
    state: str
    source: str
    definition: Any
    digest: bytes
    author_id: UUID
    approver_id: UUID | None
    time_zone: str
    registration_start: datetime | None
    registration_end: datetime | None
    draw_start: datetime | None
    draw_end: datetime | None
    acceptance_start: datetime | None
    acceptance_end: datetime | None
    spending_start: datetime
    spending_end: datetime
    refund_days: int
    created_at: datetime
    published_at: datetime | None
    entries_closed_at: datetime | None
    closed_at: datetime | None


_COLUMNS = ", ".join(CampaignRow.__struct_fields__)
_INSERT = f"""
INSERT INTO campaign (id, programme_id, code, state, source, definition, digest, author_id, time_zone,
                      {", ".join(WINDOW_COLUMNS)}, refund_days, created_at)
VALUES ($1, $2, $3, 'draft', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
"""
_REVISE = f"""
UPDATE campaign SET source = $2, definition = $3, digest = $4, author_id = $5, time_zone = $6,
    {", ".join(f"{name} = ${i}" for i, name in enumerate(WINDOW_COLUMNS, 7))}, refund_days = $15, code = $16
WHERE id = $1
"""
_FUNDED = """
SELECT f.code AS funder, f.id AS funder_id, o.code AS operator, o.id AS operator_id, sum(g.amount_fen)::bigint AS fen
FROM funding g JOIN funder f ON f.id = g.funder_id JOIN operator o ON o.id = g.operator_id
WHERE g.campaign_id = $1 GROUP BY f.code, f.id, o.code, o.id ORDER BY f.id, o.id
"""


async def insert_campaign(
    connection: Connection, campaign_id: UUID, programme_id: UUID, author_id: UUID, file: "CampaignFile",
    at: datetime,
) -> None:  # fmt: skip
    """Raises Refused ``code_taken``: draws are named after the code, so it is unique in the database."""
    await _refuse_taken(connection, campaign_id, file.code)
    await connection.execute(
        _INSERT, campaign_id, programme_id, file.code, file.source, file.definition, file.digest, author_id,
        file.time_zone, *file.windows, file.refund_days, at,
    )  # fmt: skip


async def revise_campaign(
    connection: Connection, campaign_id: UUID, author_id: UUID, file: "CampaignFile"
) -> None:
    """Replace a draft's file; who revises becomes its author. Raises Refused ``code_taken``."""
    await _refuse_taken(connection, campaign_id, file.code)
    await connection.execute(
        _REVISE, campaign_id, file.source, file.definition, file.digest, author_id, file.time_zone,
        *file.windows, file.refund_days, file.code,
    )  # fmt: skip


class CampaignFile(Struct, frozen=True, kw_only=True):
    """What a row keeps of a campaign file; ``windows`` in the order of `WINDOW_COLUMNS`."""

    code: str
    source: str
    definition: Any
    digest: bytes
    time_zone: str
    windows: tuple[datetime | None, ...]
    refund_days: int


CODE_LOCK = 0x636F6465  # "code": one campaign code at a time is looked at


async def _refuse_taken(connection: Connection, campaign_id: UUID, code: str) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock($1::bigint)", CODE_LOCK)
    found = await connection.fetchval(
        "SELECT id FROM campaign WHERE code = $1 AND id <> $2", code, campaign_id
    )
    if found is not None:
        raise Refused("code_taken", given=code)


async def campaign_row(connection: Connection, programme_id: UUID, campaign_id: UUID) -> CampaignRow:
    """Read a campaign without a lock. Raises Refused ``not_found``."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM campaign WHERE id = $1 AND programme_id = $2", campaign_id, programme_id
    )
    if row is None:
        raise not_found("campaign")
    return CampaignRow(**row)


async def locked_campaign(connection: Connection, programme_id: UUID, campaign_id: UUID) -> CampaignRow:
    """Hold a campaign alone, then read it. Raises Refused ``not_found``."""
    await lock_campaign(connection, await _seq(connection, programme_id, campaign_id))
    return await campaign_row(connection, programme_id, campaign_id)


async def shared_campaign(connection: Connection, programme_id: UUID, campaign_id: UUID) -> CampaignRow:
    """Keep a campaign's state from changing, then read it. Raises Refused ``not_found``."""
    await share_campaigns(connection, [await _seq(connection, programme_id, campaign_id)])
    return await campaign_row(connection, programme_id, campaign_id)


async def _seq(connection: Connection, programme_id: UUID, campaign_id: UUID) -> int:
    seq = await connection.fetchval(
        "SELECT seq FROM campaign WHERE id = $1 AND programme_id = $2", campaign_id, programme_id
    )
    if seq is None:
        raise not_found("campaign")
    assert isinstance(seq, int)
    return seq


async def campaign_by_code(connection: Connection, programme_id: UUID, code: str) -> UUID | None:
    found: UUID | None = await connection.fetchval(
        "SELECT id FROM campaign WHERE programme_id = $1 AND code = $2", programme_id, code
    )
    return found


async def campaign_page(
    connection: Connection, programme_id: UUID, states: Sequence[str], after: UUID, limit: int
) -> list[CampaignRow]:
    """Campaigns of a programme in these states (all where none is named) after an id."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM campaign WHERE programme_id = $1 AND id > $2"
        " AND ($3::text[] = '{}' OR state = ANY ($3)) ORDER BY id LIMIT $4",
        programme_id, after, list(states), limit,
    )  # fmt: skip
    return [CampaignRow(**row) for row in rows]


async def open_page(connection: Connection, after: UUID, limit: int) -> list[CampaignRow]:
    """Campaigns residents may see, of every programme."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM campaign WHERE state IN ('published', 'paused') AND id > $1 ORDER BY id LIMIT $2",
        after,
        limit,
    )
    return [CampaignRow(**row) for row in rows]


async def programme_of(connection: Connection, campaign_id: UUID) -> UUID | None:
    found: UUID | None = await connection.fetchval(
        "SELECT programme_id FROM campaign WHERE id = $1", campaign_id
    )
    return found


async def set_state(connection: Connection, campaign_id: UUID, state: str) -> None:
    await connection.execute("UPDATE campaign SET state = $2 WHERE id = $1", campaign_id, state)


async def set_approved(connection: Connection, campaign_id: UUID, approver_id: UUID) -> None:
    await connection.execute(
        "UPDATE campaign SET state = 'approved', approver_id = $2 WHERE id = $1", campaign_id, approver_id
    )


async def set_published(connection: Connection, campaign_id: UUID, at: datetime) -> None:
    await connection.execute(
        "UPDATE campaign SET state = 'published', published_at = $2 WHERE id = $1", campaign_id, at
    )


async def set_closed(connection: Connection, campaign_id: UUID, at: datetime) -> None:
    await connection.execute(
        "UPDATE campaign SET state = 'closed', closed_at = $2,"
        " entries_closed_at = CASE WHEN registration_end IS NULL THEN entries_closed_at"
        " ELSE coalesce(entries_closed_at, $2) END WHERE id = $1",
        campaign_id, at,
    )  # fmt: skip


async def set_spending(connection: Connection, campaign_id: UUID, start: datetime, end: datetime) -> None:
    await connection.execute(
        "UPDATE campaign SET spending_start = $2, spending_end = $3 WHERE id = $1", campaign_id, start, end
    )


# Funders and their money -----------------------------------------------------------------------------


async def insert_funders(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert (id, campaign_id, code, name_zh, name_en, share_bp) each."""
    await connection.executemany(
        "INSERT INTO funder (id, campaign_id, code, name_zh, name_en, share_bp) VALUES ($1, $2, $3, $4, $5, $6)",
        rows,
    )


async def ensure_operators(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert the operators a programme does not know yet: (id, programme_id, code, name_zh, name_en) each."""
    await connection.executemany(
        "INSERT INTO operator (id, programme_id, code, name_zh, name_en) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        rows,
    )


async def funders_by_code(connection: Connection, campaign_id: UUID) -> dict[str, UUID]:
    rows = await connection.fetch("SELECT code, id FROM funder WHERE campaign_id = $1", campaign_id)
    return {row["code"]: row["id"] for row in rows}


async def insert_funding(
    connection: Connection, funding_id: UUID, campaign_id: UUID, funder_id: UUID, operator_id: UUID,
    amount_fen: int, at: datetime,
) -> None:  # fmt: skip
    await connection.execute(
        "INSERT INTO funding (id, campaign_id, funder_id, operator_id, amount_fen, at) VALUES ($1, $2, $3, $4, $5, $6)",
        funding_id, campaign_id, funder_id, operator_id, amount_fen, at,
    )  # fmt: skip


async def funded(connection: Connection, campaign_id: UUID) -> list[asyncpg.Record]:
    """What came: rows (funder, funder_id, operator, operator_id, fen), one per pair."""
    return await connection.fetch(_FUNDED, campaign_id)
