"""Two servers on a database of the test's own, and somebody who watches its locks."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from campaigns.gate.valkey import open_gate
from campaigns.runtime.engines import Databases, Engines
from campaigns.services.context import Context
from campaigns.store.pool import open_pool
from tests.support.payworld import PayWorld

SECOND_POOL = 8

Servers = tuple[Context, Context]


@pytest.fixture
async def servers(ctx: Context, database: Databases, engines: Engines) -> AsyncIterator[Servers]:
    """Two servers, each with lanes, pool and gate of its own, as two processes have them."""
    pool, gate = await open_pool(database.app.dsn, size=SECOND_POOL), open_gate(engines.redis_url)
    yield ctx, Context(pool=pool, gate=gate, hmac_key=ctx.hmac_key, mode="test")
    await gate.close()
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
