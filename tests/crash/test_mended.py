"""What the crash suite found in the product, mended: each once more, small and for itself."""

import asyncio
import os
import shutil
import signal

import asyncpg
import pytest

from campaigns.domain.errors import TryAgain
from campaigns.domain.ids import new_id
from campaigns.runtime import wiring
from campaigns.runtime.engines import Databases, Engines
from campaigns.runtime.engines.clean import clean
from campaigns.runtime.engines.join import wait_until_stopped
from campaigns.runtime.outages import is_outage
from campaigns.runtime.wiring import open_context, prepare
from campaigns.store.pool import Connection, Pool, open_pool
from campaigns.store.unit_of_work import Work, perform, request
from tests.crash.waiting import until
from tests.engines_fixture import engine_settings, scratch_directory

COME_BACK_SECONDS = 30


async def test_a_lock_that_the_look_up_waits_for_is_busy(
    database: Databases, owner: asyncpg.Connection
) -> None:
    """It was a 500: the look-up of the stored answer stood outside of what lock timeouts are told by."""

    async def act(connection: Connection) -> int:
        return int(await connection.fetchval("SELECT 7"))

    pool = await open_pool(database.app.dsn, size=2, lock_timeout_ms=50)
    asked = request(new_id(), "key", "test", {})
    try:
        async with owner.transaction():
            await owner.execute("LOCK TABLE idempotency IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(TryAgain) as told:
                await perform(pool, asked, Work(int, act))
            assert (told.value.code, told.value.status) == ("busy", 503)
        assert await perform(pool, asked, Work(int, act)) == 7
    finally:
        await pool.close()


@pytest.mark.timeout(60)
async def test_engines_whose_supervisor_gave_up_are_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last word, why it gave up, lay unread before the end of the stream, and its users waited for ever."""
    monkeypatch.setattr(wiring, "REJOIN_SECONDS", 0.1)
    directory = scratch_directory()
    settings = engine_settings(directory / "data")
    try:
        starter = Engines(settings)
        await prepare(starter, settings)
        async with open_context(settings) as ctx:
            pids, home = starter.pids, starter.home
            assert home is not None
            starter.close()
            control = home / "postgres/global/pg_control"
            control.rename(control.with_suffix(".away"))
            os.kill(pids.postgres, signal.SIGKILL)
            assert await asyncio.to_thread(wait_until_stopped, settings.data_dir, COME_BACK_SECONDS)
            control.with_suffix(".away").rename(control)
            await until(lambda: _answers(ctx.pool), COME_BACK_SECONDS, "PostgreSQL answers again")
    finally:
        Engines(settings).close(wait=True)
        clean(directory / "data")
        shutil.rmtree(directory)


async def _answers(pool: Pool) -> bool:
    try:
        async with pool.acquire() as connection:
            return bool(await connection.fetchval("SELECT true"))
    except Exception as error:
        if not is_outage(error):
            raise
        return False
