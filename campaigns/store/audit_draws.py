"""Draws that have a result, as the audit reads them."""

from typing import Final, NamedTuple
from uuid import UUID

from campaigns.store.pool import Connection

_DRAWN: Final = """
SELECT d.id, d.campaign_id, d.round,
       EXISTS (SELECT FROM award w WHERE w.window_id = d.window_id AND w.tx >= $2::text::xid8) AS moved
FROM draw d JOIN campaign c ON c.id = d.campaign_id
WHERE d.state IN ('drawn', 'awarded') AND ($1::uuid IS NULL OR c.programme_id = $1) ORDER BY d.id
"""
_FILES = "SELECT name, content FROM draw_file WHERE draw_id = $1 AND ($2 OR name = ANY ($3::text[]))"
_AWARDS = """
SELECT w.id, w.rank, e.code FROM award w JOIN entry e ON e.id = w.entry_id JOIN draw d ON d.window_id = w.window_id
WHERE d.id = $1 ORDER BY w.rank, w.awarded_at
"""
RANKINGS: Final = ("winners.csv", "waitlist.csv")


class DrawnDraw(NamedTuple):
    """A draw that has a result: its published files, and the awards made of it as (id, rank, entry code).

    ``again`` says that it has to be drawn again; otherwise its rankings alone are there, for new awards.
    """

    id: str
    campaign_id: str
    round: int
    again: bool
    files: dict[str, bytes]
    awards: list[tuple[str, int, str]]


class DrawsRead(NamedTuple):
    """Every draw with a result by id, and those of them that there is something to prove of."""

    ids: frozenset[str]
    open: list[UUID]


async def drawn_draws(
    connection: Connection, programme_id: UUID | None, proved: frozenset[str], since_tx: int
) -> DrawsRead:
    """Which draws (of one programme, if it is named) have a result that is not ``proved``, or awards since."""
    rows = await connection.fetch(_DRAWN, programme_id, str(since_tx))
    ids = frozenset(str(row["id"]) for row in rows)
    return DrawsRead(ids, [row["id"] for row in rows if row["moved"] or str(row["id"]) not in proved])


async def drawn_draw(connection: Connection, draw_id: UUID, *, again: bool) -> DrawnDraw:
    """Read one, with all its files where it is to be drawn ``again``."""
    row = await connection.fetchrow("SELECT campaign_id, round FROM draw WHERE id = $1", draw_id)
    found = await connection.fetch(_FILES, draw_id, again, list(RANKINGS))
    files = {file["name"]: file["content"] for file in found}
    awards = [(str(w["id"]), w["rank"], w["code"]) for w in await connection.fetch(_AWARDS, draw_id)]
    return DrawnDraw(str(draw_id), str(row["campaign_id"]), row["round"], again, files, awards)
