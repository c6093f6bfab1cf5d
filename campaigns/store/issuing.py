"""Rows of issue windows, allotments, draws to be, turns; and what of a campaign is still alive."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from campaigns.store.pool import Connection

Row: TypeAlias = Any
COPY_CHUNK = 50_000


class AllotmentRow(NamedTuple):
    """One funded unit; ``tier`` is the number of its group in the plan."""

    id: UUID
    campaign_id: UUID
    window_id: UUID
    tier: int
    operator_id: UUID
    face_fen: int


async def insert_window(
    connection: Connection, window_id: UUID, campaign_id: UUID, kind: str, number: int
) -> None:
    await connection.execute(
        "INSERT INTO issue_window (id, campaign_id, kind, number) VALUES ($1, $2, $3, $4)",
        window_id, campaign_id, kind, number,
    )  # fmt: skip


async def insert_allotments(connection: Connection, rows: Sequence[AllotmentRow]) -> None:
    """Insert free allotments by COPY. The caller holds the campaign alone and has its money in escrow."""
    for start in range(0, len(rows), COPY_CHUNK):
        await connection.copy_records_to_table(
            "allotment", records=rows[start : start + COPY_CHUNK], columns=list(AllotmentRow._fields)
        )


async def insert_draw(
    connection: Connection, draw_id: UUID, campaign_id: UUID, window_id: UUID, name: str, number: int
) -> None:
    await connection.execute(
        "INSERT INTO draw (id, campaign_id, window_id, name, round, state) VALUES ($1, $2, $3, $4, $5, 'open')",
        draw_id, campaign_id, window_id, name, number,
    )  # fmt: skip


async def insert_draw_sources(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert (draw_id, number, kind, spec, due) each."""
    await connection.executemany(
        "INSERT INTO draw_source (draw_id, number, kind, spec, due) VALUES ($1, $2, $3, $4, $5)", rows
    )


_ALIVE = """
SELECT (SELECT count(*) FROM award WHERE campaign_id = $1 AND state = 'live') AS awards,
       (SELECT count(*) FROM voucher WHERE campaign_id = $1 AND state = 'live') AS vouchers,
       (SELECT count(*) FROM payment_line l JOIN payment p ON p.id = l.payment_id
        WHERE l.campaign_id = $1 AND p.state = 'held') AS holds,
       (SELECT count(*) FROM draw WHERE campaign_id = $1 AND state = 'frozen') AS draws
"""


async def alive(connection: Connection, campaign_id: UUID) -> Row:
    """What keeps a campaign open: row (awards, vouchers, holds, draws), live ones and draws frozen but not made.

    One that was made keeps nothing open: a campaign closes after acceptance, when nothing can be awarded any more.
    """
    return await connection.fetchrow(_ALIVE, campaign_id)


# Lists -----------------------------------------------------------------------------------------------


async def list_window(connection: Connection, campaign_id: UUID) -> UUID | None:
    found: UUID | None = await connection.fetchval(
        "SELECT id FROM issue_window WHERE campaign_id = $1 AND kind = 'list' ORDER BY number LIMIT 1",
        campaign_id,
    )
    return found


async def take_allotments(
    connection: Connection, campaign_id: UUID, window_id: UUID, tier: int, count: int
) -> list[Row]:
    """Lock up to ``count`` free allotments of a tier: rows (id, operator_id, face_fen) by id."""
    return await connection.fetch(
        "SELECT id, operator_id, face_fen FROM allotment WHERE campaign_id = $1 AND window_id = $2 AND tier = $3"
        " AND state = 'free' ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED",
        campaign_id, window_id, tier, count,
    )  # fmt: skip


async def count_free(connection: Connection, campaign_id: UUID, window_id: UUID, tier: int) -> int:
    """How many allotments of a tier are free, those that somebody has locked included."""
    left: int = await connection.fetchval(
        "SELECT count(*) FROM allotment WHERE campaign_id = $1 AND window_id = $2 AND tier = $3 AND state = 'free'",
        campaign_id, window_id, tier,
    )  # fmt: skip
    return left


async def turns_of(
    connection: Connection, campaign_id: UUID, window_id: UUID, person_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """How many turns each of these persons had in the window; who had none is left out."""
    rows = await connection.fetch(
        "SELECT person_id, count(*)::int AS turns FROM turn WHERE campaign_id = $1 AND window_id = $2"
        " AND person_id = ANY ($3) GROUP BY person_id",
        campaign_id, window_id, list(person_ids),
    )  # fmt: skip
    return {row["person_id"]: row["turns"] for row in rows}


async def insert_turns(
    connection: Connection,
    campaign_id: UUID,
    window_id: UUID,
    person_ids: Sequence[UUID],
    numbers: Sequence[int],
) -> bool:
    """Insert turns; False when one of them was taken meanwhile (nothing may then be kept)."""
    status = await connection.execute(
        "INSERT INTO turn (campaign_id, window_id, person_id, n)"
        " SELECT $1, $2, person_id, n FROM unnest($3::uuid[], $4::smallint[]) AS t (person_id, n)"
        " ON CONFLICT DO NOTHING",
        campaign_id, window_id, list(person_ids), list(numbers),
    )  # fmt: skip
    return int(status.rpartition(" ")[2]) == len(person_ids)
