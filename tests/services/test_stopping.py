"""Stopping the loops: what only reads is cut in PostgreSQL too, a sweep ends its transaction, and neither takes long."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from api.service import DRAIN_SECONDS
from campaigns.runtime import servers, workers
from campaigns.runtime.engines import Databases, Engines
from campaigns.runtime.workers import CUT_SECONDS, FINISH_SECONDS, Loop, Loops, service_loops
from campaigns.services.context import Context
from campaigns.store import pool as pools
from campaigns.store.locks import CAMPAIGN_LOCKS
from campaigns.store.pool import open_pool
from tests.support.paychecks import let_pass
from tests.support.payworld import PayWorld

SOON_SECONDS = 2.0
LOOKS = 1_000
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND usename = 'app' AND state <> 'idle'"
WAITING = f"{BUSY} AND wait_event_type = 'Lock'"


class Watcher:
    """Sees what the service's connections do in PostgreSQL."""

    def __init__(self, connection: asyncpg.Connection, database: str) -> None:
        self._connection, self._database = connection, database

    async def busy(self) -> int:
        return int(await self._connection.fetchval(BUSY, self._database))

    async def waiting(self) -> int:
        return int(await self._connection.fetchval(WAITING, self._database))


async def until(seen: Callable[[], Awaitable[int]], wanted: bool = True) -> None:
    """Look until something of the kind is there (or nothing)."""
    for _ in range(LOOKS):
        if bool(await seen()) is wanted:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{seen.__name__} stayed as it was")


@pytest.fixture
async def watcher(engines: Engines, database: Databases) -> AsyncIterator[Watcher]:
    connection = await asyncpg.connect(engines.admin.dsn)
    yield Watcher(connection, database.app.database)
    await connection.close()


def loop_of(engines: Engines, name: str) -> Loop:
    """The service's own loop, whose next round comes at once."""
    [loop] = [loop for loop in service_loops(engines.settings) if loop.name == name]
    return replace(loop, seconds=0.01)


@pytest.mark.parametrize(("name", "table"), [("audit", "transfer"), ("seals", "seal_block")])
async def test_a_round_that_may_be_cut_ends_at_once_and_leaves_nothing_running(
    ctx: Context, engines: Engines, owner: asyncpg.Connection, watcher: Watcher, name: str, table: str
) -> None:
    await PayWorld(ctx).start()
    loops = Loops([loop_of(engines, name)])
    async with owner.transaction():
        await owner.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")  # a statement that takes long
        loops.start(ctx)
        await until(watcher.waiting)
        begun = time.monotonic()
        await loops.stop()
        assert time.monotonic() - begun < SOON_SECONDS
        assert await watcher.busy() == 0
    assert loops.alive() == {name: False} and not loops.died.is_set()
    async with ctx.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM audit_mark") == 0
        assert await connection.fetchval("SELECT count(*) FROM seal_block") == 0


async def test_a_sweep_that_has_begun_its_transaction_ends_it(
    ctx: Context, engines: Engines, owner: asyncpg.Connection, watcher: Watcher
) -> None:
    world = await PayWorld(ctx).start()
    campaign_id = await world.campaign()
    await world.voucher(campaign_id, await world.person(), 10_000)
    seq = await owner.fetchval("SELECT seq FROM campaign WHERE id = $1", campaign_id)
    await let_pass(world, timedelta(days=400))
    loops = Loops([loop_of(engines, "sweep")])
    async with owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock($1, $2)", CAMPAIGN_LOCKS, seq)
        loops.start(ctx)
        await until(watcher.waiting)
        stopping = asyncio.ensure_future(loops.stop())
        done, _ = await asyncio.wait({stopping}, timeout=0.2)
        assert not done, "the sweep is waited for"
        assert await owner.fetchval("SELECT state FROM voucher") == "live"
    await stopping
    assert await owner.fetchval("SELECT state FROM voucher") == "expired"
    assert await watcher.busy() == 0


async def test_a_round_that_does_not_end_is_cut_in_the_end(
    ctx: Context, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "FINISH_SECONDS", 0.1)

    async def step(ctx: Context) -> None:
        async with ctx.pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_sleep(20)")

    loops = Loops([Loop("test", 60.0, step)])
    loops.start(ctx)
    await until(watcher.busy)
    begun = time.monotonic()
    await loops.stop()
    assert time.monotonic() - begun < SOON_SECONDS
    assert await watcher.busy() == 0


async def test_a_stop_does_not_wait_for_what_heeds_nothing(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "CUT_SECONDS", 0.1)
    deaf, begun = asyncio.Event(), asyncio.Event()

    async def step(ctx: Context) -> None:
        while not deaf.is_set():
            begun.set()
            try:
                await deaf.wait()
            except asyncio.CancelledError:
                continue

    loops = Loops([Loop("test", 60.0, step, may_be_cut=True)])
    loops.start(ctx)
    await begun.wait()
    await asyncio.wait_for(loops.stop(), SOON_SECONDS)
    deaf.set()
    await asyncio.sleep(0)


async def test_a_pool_closes_though_a_connection_does_not_come_back(
    database: Databases, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "CLOSE_SECONDS", 0.1)
    pool = await open_pool(database.app.dsn, size=2)
    async with pool.acquire() as connection:
        await connection.execute("BEGIN")
        await asyncio.wait_for(pool.close(), SOON_SECONDS)
    await until(watcher.busy, False)


def test_the_times_add_up_to_less_than_the_supervisor_waits() -> None:
    assert FINISH_SECONDS + CUT_SECONDS < DRAIN_SECONDS
    assert DRAIN_SECONDS + pools.CLOSE_SECONDS < servers.DRAIN_SECONDS
