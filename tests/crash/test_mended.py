"""What the crash suite found in the product, mended: each once more, small and for itself."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from api.metrics import ROOM_BYTES
from campaigns.domain.errors import TryAgain
from campaigns.domain.ids import new_id
from campaigns.runtime import servers, wiring
from campaigns.runtime.engines import Databases, Engines
from campaigns.runtime.engines.clean import clean
from campaigns.runtime.engines.join import wait_until_stopped
from campaigns.runtime.outages import is_outage
from campaigns.runtime.wiring import open_context, prepare
from campaigns.store.pool import Connection, Pool, open_pool
from campaigns.store.unit_of_work import Work, perform, request
from tests.crash.deployment import ROOT
from tests.crash.disk import SmallDisk
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


_METERS = """
import os, sys
from pathlib import Path
from api.metrics import DIRECTORY_VARIABLE, Metrics, take_room
directory = Path(os.environ[DIRECTORY_VARIABLE])
took = take_room(directory)
metrics = Metrics()
for number in range(60):
    metrics.requests.labels(f"POST /v1/some/{number}/address", "201").inc()
    metrics.seconds.labels(f"POST /v1/some/{number}/address").observe(0.1)
print(took, metrics.text().count(b'hongbao_requests_total{'), sum(file.stat().st_size for file in directory.iterdir()))
"""


@pytest.mark.root
def test_a_full_disk_does_not_kill_a_server_by_its_meters() -> None:
    """Writing to a mapped page that has no room on the disk is the process's end (SIGBUS)."""
    disk = SmallDisk()
    try:
        assert _measure(disk.path) == (True, 60)
        (disk.path / "other").mkdir()
        if disk.is_disk:  # not where a container does not let root mount
            disk.fill(())
            assert _measure(disk.path / "other") == (False, 60)
    finally:
        disk.remove()


def _measure(directory: Path) -> tuple[bool, int]:
    environ = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(directory), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", _METERS], env=environ, capture_output=True, check=True)
    took, counted, size = done.stdout.split()
    assert int(size) == (sum(ROOM_BYTES.values()) if took == b"True" else 0), "no file grew, none is left"
    return took == b"True", int(counted)


_SUPERVISED = """
import sys
from campaigns.runtime import servers
servers.PAUSE_AFTER_SHORT_LIFE_SECONDS = servers.PAUSE_AWAY_SECONDS = 0.0
replaced = 0
def report(event):
    global replaced
    replaced += event["event"] == "replaced"
    if replaced == 2 * servers.REPLACEMENTS_MAX:
        sys.exit("goes on")
servers.ServerSupervisor(["sh", "-c", f"exit {sys.argv[1]}"], "127.0.0.1", 0, 1, report).run()
"""


@pytest.mark.parametrize(("code", "said"), [(servers.EXIT_ENGINE_AWAY, "goes on"), (1, "ServerFailed")])
def test_servers_that_find_the_engines_away_do_not_use_up_the_bound(code: int, said: str) -> None:
    """Killed while PostgreSQL was away for long, they could not start, and soon the whole service had ended."""
    command = [sys.executable, "-c", _SUPERVISED, str(code)]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and said in done.stderr
