"""Money is refused at start-up on a server that may lose a committed payment."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from campaigns.runtime.engines import Engines, connect_engines
from campaigns.runtime.engines.credentials import ADMIN_ROLE, load
from campaigns.runtime.wiring import CannotStart, context_on, prepare
from campaigns.store.pool import open_pool
from tests.engines_fixture import engine_settings


@pytest.fixture
async def pair(data_dir: Path) -> AsyncIterator[Engines]:
    """Engines of the test's own, for it makes their server unsafe."""
    joined = await connect_engines(engine_settings(data_dir))
    await prepare(joined, joined.settings)
    yield joined
    joined.close()


async def turn_off(pair: Engines, name: str) -> None:
    """As a careless administrator would, for every new connection."""
    administrator = {"user": ADMIN_ROLE, "password": load(pair.home).password(ADMIN_ROLE)}
    connection = await asyncpg.connect(pair.owner_dsn, **administrator)
    await connection.execute(f"ALTER SYSTEM SET {name} = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()
    async with asyncio.timeout(30):
        shown = "on"
        while shown != "off":  # the server reads its settings in its own time
            connection = await asyncpg.connect(pair.owner_dsn)
            shown = await connection.fetchval(f"SHOW {name}")
            await connection.close()


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
async def test_a_server_that_may_lose_what_it_committed_is_refused(pair: Engines, name: str) -> None:
    async with context_on(pair, pair.settings):
        pass
    await turn_off(pair, name)
    with pytest.raises(CannotStart, match=f"turn on {name} in PostgreSQL"):
        async with context_on(pair, pair.settings):
            raise AssertionError("opened")


async def test_a_pooled_connection_waits_for_the_disk_whatever_the_server_says(pair: Engines) -> None:
    await turn_off(pair, "synchronous_commit")
    pool = await open_pool(pair.app_dsn, size=2)
    async with pool.acquire() as connection:
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
    await pool.close()
