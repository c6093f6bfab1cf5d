"""Draws: their state, sources of randomness and published files."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from campaigns.store.pool import Connection

LONG_STATEMENT = "10min"  # a freeze or draw of millions of lines; the campaign has no payments yet

_DRAW = "SELECT id, campaign_id, window_id, name, round, state, committed_at, drawn_at, seed FROM draw"

_SOURCES = """
SELECT number, kind, spec, due, secret_sealed, value, evidence, received_at
FROM draw_source WHERE draw_id = $1 ORDER BY number
"""

_FIX_SOURCE = """
UPDATE draw_source SET kind = $3, spec = $4, due = $5, secret_sealed = $6 WHERE draw_id = $1 AND number = $2
"""

_INSERT_FILE = "INSERT INTO draw_file (draw_id, name, content) VALUES ($1, $2, $3)"


class DrawRow(NamedTuple):
    """One round of a campaign's draw."""

    id: UUID
    campaign_id: UUID
    window_id: UUID
    name: str
    round: int
    state: str
    committed_at: datetime | None
    drawn_at: datetime | None
    seed: bytes | None


class SourceRow(NamedTuple):
    """A source of the draw, in the order of the transcript; ``value`` is None until it is received or missing."""

    number: int
    kind: str
    spec: str
    due: datetime
    secret_sealed: bytes | None
    value: str | None
    evidence: str | None
    received_at: datetime | None


async def close_entries(connection: Connection, campaign_id: UUID, at: datetime) -> None:
    """Mark the campaign's list of entries as closed."""
    await connection.execute("UPDATE campaign SET entries_closed_at = $2 WHERE id = $1", campaign_id, at)


async def draw_of_campaign(connection: Connection, campaign_id: UUID) -> DrawRow | None:
    """The campaign's draw, if there is one yet."""
    row = await connection.fetchrow(
        f"{_DRAW} WHERE campaign_id = $1 ORDER BY round DESC LIMIT 1", campaign_id
    )
    return DrawRow(*row) if row else None


async def find_draw(connection: Connection, draw_id: UUID) -> DrawRow | None:
    """A draw by its id, of whatever programme: its files are public."""
    row = await connection.fetchrow(f"{_DRAW} WHERE id = $1", draw_id)
    return DrawRow(*row) if row else None


async def set_state(
    connection: Connection,
    draw_id: UUID,
    state: str,
    *,
    committed_at: datetime | None = None,
    drawn_at: datetime | None = None,
    seed: bytes | None = None,
) -> None:
    """Move a draw along its state table; moments already set stay."""
    await connection.execute(
        "UPDATE draw SET state = $2, committed_at = coalesce(committed_at, $3), drawn_at = coalesce(drawn_at, $4),"
        " seed = coalesce(seed, $5) WHERE id = $1",
        draw_id,
        state,
        committed_at,
        drawn_at,
        seed,
    )


async def fix_sources(connection: Connection, draw_id: UUID, sources: Sequence[SourceRow]) -> None:
    """Write the sources as the commitment fixes them over those that publishing the campaign planned."""
    await connection.executemany(
        _FIX_SOURCE, [(draw_id, s.number, s.kind, s.spec, s.due, s.secret_sealed) for s in sources]
    )


async def draw_sources(connection: Connection, draw_id: UUID) -> list[SourceRow]:
    """The sources of a draw in their order."""
    return [SourceRow(*row) for row in await connection.fetch(_SOURCES, draw_id)]


async def receive_source(
    connection: Connection, draw_id: UUID, number: int, value: str, evidence: str | None, at: datetime
) -> None:
    """Write what a source gave, once."""
    status = await connection.execute(
        "UPDATE draw_source SET value = $3, evidence = $4, received_at = $5"
        " WHERE draw_id = $1 AND number = $2 AND value IS NULL",
        draw_id,
        number,
        value,
        evidence,
        at,
    )
    assert status == "UPDATE 1", status


async def insert_files(connection: Connection, draw_id: UUID, files: Mapping[str, bytes]) -> None:
    """Publish files of a draw; a file once published never changes."""
    await connection.executemany(
        _INSERT_FILE, [(draw_id, name, data) for name, data in sorted(files.items())]
    )


async def draw_files(connection: Connection, draw_id: UUID) -> dict[str, bytes]:
    """Every published file of a draw by name."""
    rows = await connection.fetch(
        "SELECT name, content FROM draw_file WHERE draw_id = $1 ORDER BY name", draw_id
    )
    return {row["name"]: row["content"] for row in rows}


async def draw_file(connection: Connection, draw_id: UUID, name: str) -> bytes | None:
    """One published file."""
    content: bytes | None = await connection.fetchval(
        "SELECT content FROM draw_file WHERE draw_id = $1 AND name = $2", draw_id, name
    )
    return content


async def file_sizes(connection: Connection, draw_id: UUID) -> dict[str, int]:
    """Names and sizes in bytes of the published files."""
    rows = await connection.fetch(
        "SELECT name, length(content) AS bytes FROM draw_file WHERE draw_id = $1 ORDER BY name", draw_id
    )
    return {row["name"]: row["bytes"] for row in rows}


async def allow_long_work(connection: Connection) -> None:
    """Give this transaction the time a freeze or draw of a large list takes."""
    await connection.execute(
        f"SET LOCAL statement_timeout = '{LONG_STATEMENT}';"
        f" SET LOCAL idle_in_transaction_session_timeout = '{LONG_STATEMENT}'"
    )
