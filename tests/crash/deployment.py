"""A deployment of the product for this suite alone: engines, `hongbao serve`, a second server behind a proxy, one small disk.

``front`` is `hongbao serve` with embedded engines, two server processes; clients reach it directly or through a proxy
that loses answers. ``side`` is another server on the same database, whose way to PostgreSQL is a proxy that cuts.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from urllib.parse import quote

import asyncpg

from campaigns.runtime.engines import Engines
from campaigns.runtime.engines.clean import clean
from campaigns.runtime.engines.join import wait_until_stopped
from campaigns.runtime.engines.processes import bound_to_parent
from campaigns.runtime.server_handle import ServerHandle, start_server
from campaigns.runtime.settings import Mode, Settings
from tests.crash.disk import SmallDisk
from tests.crash.http import AnswerLost, Line
from tests.crash.processes import children, servers
from tests.crash.proxies import HttpProxy, PostgresProxy
from tests.crash.waiting import until
from tests.demo_kill.processes import end_all, leftovers, places

ROOT = Path(__file__).resolve().parents[2]
FRONT_PROCESSES = 2
SWEEP_SECONDS = 1
MAX_CONNECTIONS = 40
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 60.0
FRONT, PROXIED, SIDE = "front", "proxied", "side"
DOORS = (FRONT, PROXIED, SIDE)
ENVIRON = {
    "HONGBAO_MODE": "test",
    "HONGBAO_SWEEP_SECONDS": str(SWEEP_SECONDS),
    "HONGBAO_POOL_MAX_CONNECTIONS": "6",
    "HONGBAO_ACQUIRE_TIMEOUT_MS": "1000",
    "HONGBAO_LOCK_TIMEOUT_MS": "1000",
    "HONGBAO_POSTGRES_SHARED_BUFFERS_MB": "64",
    "HONGBAO_POSTGRES_MAX_WAL_MB": "128",
    "HONGBAO_POSTGRES_MAX_CONNECTIONS": str(MAX_CONNECTIONS),
    "HONGBAO_LOG_LEVEL": "warning",
    "HONGBAO_LANGUAGE": "en",
}
HONGBAO = str(Path(sys.executable).with_name("hongbao"))


class Deployment:
    """`start` it, and `end` it once. ``logs`` takes what the processes say."""

    def __init__(self, logs: Path, chance: Random, disk: SmallDisk) -> None:
        self.disk = disk
        self.data_dir = disk.path / "data"
        self.environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HONGBAO_", "DATABASE_", "REDIS_", "PROMETHEUS_"))
        } | {**ENVIRON, "HONGBAO_DATA_DIR": str(self.data_dir), "PYTHONPATH": str(ROOT)}
        self.settings = replace(Settings.from_env(self.environ), mode=Mode.TEST)
        self._logs = logs
        self._front: subprocess.Popen[bytes] | None = None
        self._side: ServerHandle | None = None
        self.answers = HttpProxy(lambda: asyncio.open_connection("127.0.0.1", self.ports[FRONT]), chance)
        self.commits = PostgresProxy(self._to_postgres, chance)
        self.ports: dict[str, int] = {}
        self.engines: Engines
        self._commits_port = 0
        self.postmasters: set[int] = set()

    # -- life

    async def start(self) -> None:
        """Start everything and wait until both doors are ready."""
        self.ports[FRONT] = _free_port()
        await self.start_front()
        await self.look_at_engines()
        self.ports[PROXIED] = await self.answers.start()
        self._commits_port = await self.commits.start()
        await self.start_side("tests.crash.quick_server")

    async def start_front(self) -> None:
        """Start `hongbao serve` on our port, as an init system starts it again, and wait until it is ready."""
        self._spawn_front()
        assert self._front is not None
        front = self._front

        async def is_ready() -> bool:
            assert front.poll() is None, f"hongbao serve ended with {front.returncode}, see {self._logs}"
            return await self.is_ready(FRONT)

        await until(is_ready, START_SECONDS_MAX, "hongbao serve is ready")

    def _spawn_front(self) -> None:
        with (self._logs / "front.log").open("ab") as log:
            self._front = subprocess.Popen(
                [HONGBAO, "serve", "--port", str(self.ports[FRONT]), "--processes", str(FRONT_PROCESSES)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environ, process_group=0,
                preexec_fn=bound_to_parent(signal.SIGKILL),
            )  # fmt: skip

    async def start_side(self, *module: str) -> None:
        """Start the side door's server, a module of ours with its arguments, in place of the one that is there."""
        if self._side is not None:
            await asyncio.to_thread(self._side.stop)
        engines, port = self.engines, self._commits_port

        def address(role: str, password: str, database: str) -> str:
            return f"postgresql://{quote(role)}:{quote(password)}@127.0.0.1:{port}/{database}?sslmode=disable"

        ways = {"DATABASE_URL": engines.app, "DATABASE_OWNER_URL": engines.owner,
                "DATABASE_SWEEPER_URL": engines.sweeper}  # fmt: skip
        environ = (
            self.environ
            | {name: address(way.user, way.password, way.database) for name, way in ways.items()}
            | {"REDIS_URL": engines.redis_url}
        )
        with (self._logs / "side.log").open("ab") as log:
            self._side = start_server(
                [sys.executable, "-m", *module], "127.0.0.1", 0, 1, environ, log.fileno()
            )  # fmt: skip
        self.ports[SIDE] = self._side.port
        await until(lambda: self.is_ready(SIDE), START_SECONDS_MAX, "the side door is ready")

    async def stop_front(self) -> int:
        """SIGTERM to `hongbao serve`: it finishes what it has begun. Answers its exit code."""
        assert self._front is not None, "started"
        self._front.terminate()
        return await asyncio.to_thread(self._front.wait, STOP_SECONDS_MAX)

    def reap_front(self) -> int:
        """The exit code of a `hongbao serve` that was killed."""
        assert self._front is not None, "started"
        return self._front.wait(STOP_SECONDS_MAX)

    async def end(self) -> list[str]:
        """Stop everything and remove the disk; answers what was left over, which should be nothing."""
        found: list[str] = []
        if self._front is not None and self._front.poll() is None:
            found += [f"hongbao serve ended with {code}"] if (code := await self.stop_front()) else []
        if self._side is not None:
            await asyncio.to_thread(self._side.stop)
        await self.answers.stop()
        await self.commits.stop()
        to = places(self.data_dir)
        await asyncio.to_thread(wait_until_stopped, self.data_dir)
        found += await asyncio.to_thread(leftovers, to, self.postmasters)
        end_all(to)
        clean(self.data_dir)
        self.disk.remove()
        return found

    def kill(self) -> None:
        """End every process of ours, after a failure; the data stays."""
        if self._front is not None and self._front.poll() is None:
            self._front.kill()
            self._front.wait()
        if self._side is not None and self._side.is_alive():
            os.kill(self._side.supervisor_pid, signal.SIGKILL)
            self._side.stop()
        if self.data_dir.exists():
            wait_until_stopped(self.data_dir)
        end_all(places(self.data_dir))

    # -- what there is

    @property
    def front_pid(self) -> int:
        """`hongbao serve`."""
        assert self._front is not None, "started"
        return self._front.pid

    @property
    def side_pid(self) -> int:
        """The supervisor of the side door."""
        assert self._side is not None, "started"
        return self._side.supervisor_pid

    def front_is_whole(self) -> bool:
        """Whether all server processes of the front are there."""
        return len(servers(self.front_pid)) == FRONT_PROCESSES

    async def look_at_engines(self) -> None:
        """Learn process ids and addresses; we do not stay a user of the engines, so as not to keep them up."""
        pair = await asyncio.to_thread(Engines, self.settings)
        self.postmasters.add(pair.pids.postgres)
        self.pids = pair.pids
        self.engines = pair
        pair.close()

    async def owner(self) -> asyncpg.Connection:
        """A connection as owner, past every proxy."""
        return await asyncpg.connect(self.engines.owner_dsn, timeout=START_SECONDS_MAX)

    async def is_ready(self, door: str) -> bool:
        """Whether a fresh connection's readiness probe is answered with 200."""
        line = Line(self.ports[door])
        try:
            return (await line.ask("GET", "/readyz", {}, b"", 2.0)).status == 200
        except (AnswerLost, OSError, TimeoutError):
            return False
        finally:
            line.close()

    async def _to_postgres(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        app = self.engines.app
        return await asyncio.open_unix_connection(f"{app.host}/.s.PGSQL.{app.port}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def run_hongbao(deployment: Deployment, *arguments: str, seconds: float) -> tuple[int, bytes, bytes]:
    """Run the product's own command on the deployment: exit code, stdout, stderr. Raises TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        HONGBAO, *arguments, env=deployment.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None, "ended"
    return process.returncode, out, err


def pids_of_engines(deployment: Deployment) -> Sequence[int]:
    """PostgreSQL's processes: the postmaster and all its children."""
    return [deployment.pids.postgres, *children(deployment.pids.postgres)]
