"""Looking at awards in tests: states, the books, and the next live award."""

from datetime import timedelta
from uuid import UUID

import asyncpg

from campaigns.services.auditing import audit
from campaigns.services.clock import set_clock
from campaigns.services.context import Context
from tests.support.draw_world import DrawWorld


async def states(owner: asyncpg.Connection, table: str) -> dict[str, int]:
    rows = await owner.fetch(f"SELECT state, count(*) FROM {table} GROUP BY state")
    return {row["state"]: row["count"] for row in rows}


async def check_books(ctx: Context, owner: asyncpg.Connection) -> None:
    """Live awards and vouchers stand on allotments of their own, and escrow covers what is not granted."""
    assert (await audit(ctx)).findings == ()
    assert await owner.fetchval(
        "SELECT count(*) FROM award a JOIN allotment l ON l.id = a.allotment_id"
        " WHERE (a.state = 'live') AND l.state <> 'awarded'"
    ) == 0  # fmt: skip
    assert await owner.fetchval(
        "SELECT count(*) FROM allotment l WHERE l.state = 'awarded' AND NOT EXISTS"
        " (SELECT FROM award a WHERE a.allotment_id = l.id AND a.state = 'live')"
    ) == 0  # fmt: skip
    granted = await owner.fetchval("SELECT coalesce(sum(amount_fen), 0) FROM transfer WHERE kind = 'grant'")
    assert granted == await owner.fetchval("SELECT coalesce(sum(face_fen), 0) FROM voucher")
    assert granted == await owner.fetchval(
        "SELECT coalesce(sum(face_fen), 0) FROM allotment WHERE state = 'granted'"
    )
    assert await owner.fetchval("SELECT count(*) FROM turn") == await owner.fetchval(
        "SELECT count(*) FROM award"
    )


async def live_award(owner: asyncpg.Connection, world: DrawWorld) -> tuple[UUID, UUID]:
    """(award, person) of the best winner whose award is live."""
    row = await owner.fetchrow("SELECT id, person_id FROM award WHERE state = 'live' ORDER BY rank LIMIT 1")
    return row["id"], row["person_id"]


async def open_acceptance(ctx: Context, world: DrawWorld) -> None:
    await set_clock(ctx, world.times[2] + timedelta(minutes=1))


async def awards(owner: asyncpg.Connection) -> int:
    return await owner.fetchval("SELECT count(*) FROM award")
