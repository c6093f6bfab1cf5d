"""Two servers on a database of the test's own, and somebody who watches its locks."""

from collections.abc import AsyncIterator
from itertools import count
from typing import NamedTuple
from uuid import UUID

import asyncpg
import pytest

from campaigns.gate.valkey import Gate, open_gate
from campaigns.runtime.engines import Databases, Engines
from campaigns.services.context import Context
from campaigns.store.pool import open_pool
from tests.conftest import TEST_HMAC_KEY
from tests.support.draw_checks import open_acceptance
from tests.support.draw_world import DrawWorld, open_draw
from tests.support.office import Office
from tests.support.payworld import PayWorld

POOL_SIZE = 8
LOCK_TIMEOUT_MS = 20_000  # a stage on a busy machine comes to rest before anybody gives up
DRAWN = "hongbao_drawn"
ENTRIES = 40
_numbers = count(1)

Servers = tuple[Context, Context]


@pytest.fixture
async def servers(gate: Gate, database: Databases, engines: Engines) -> AsyncIterator[Servers]:
    """Two servers, each with lanes, pool and gate of its own, as two processes have them."""
    pools = [
        await open_pool(database.app.dsn, size=POOL_SIZE, lock_timeout_ms=LOCK_TIMEOUT_MS) for _ in range(2)
    ]
    gates = [open_gate(engines.redis_url) for _ in range(2)]
    first, second = (
        Context(pool=pool, gate=own, hmac_key=TEST_HMAC_KEY, mode="test")
        for pool, own in zip(pools, gates, strict=True)
    )
    yield first, second
    for own in gates:
        await own.close()
    for pool in pools:
        await pool.close()


@pytest.fixture
async def watcher(database: Databases) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside the servers': it sees who waits for a lock, and may hold one."""
    connection = await asyncpg.connect(database.app.dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def world(ctx: Context) -> PayWorld:
    return await PayWorld(ctx).start()


class Drawn(NamedTuple):
    """A draw whose 15 awards may be accepted, with 10 who wait, in a database to copy."""

    office: Office
    campaign_id: UUID

    def world(self, ctx: Context) -> DrawWorld:
        return DrawWorld(ctx, self.office, self.campaign_id, ())


@pytest.fixture(scope="session")
async def drawn(engines: Engines, template: str) -> AsyncIterator[Drawn]:
    """The draw, made once for all tests that begin with it."""
    databases = await engines.create_database(DRAWN, template=template)
    pool, gate = await open_pool(databases.app.dsn, size=4), open_gate(engines.redis_url)
    await gate.redis.flushall()  # the clock waits for codes that an earlier test left
    ctx = Context(pool=pool, gate=gate, hmac_key=TEST_HMAC_KEY, mode="test")
    world = await open_draw(ctx)
    await world.enter(await world.people(ENTRIES))
    await world.award()
    await open_acceptance(ctx, world)
    await gate.close()
    await pool.close()
    yield Drawn(world.office, world.campaign_id)
    await engines.drop_database(DRAWN)


@pytest.fixture
async def drawn_database(engines: Engines, drawn: Drawn) -> AsyncIterator[Databases]:
    """A copy of the draw for one test."""
    name = f"{DRAWN}_{next(_numbers)}"
    yield await engines.create_database(name, template=DRAWN)
    await engines.drop_database(name)
