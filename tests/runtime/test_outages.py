"""What counts as an engine that is away: seen on real engines, of which a process is killed."""

import asyncio
import os
import shutil
import signal
import socket
import tempfile
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from campaigns.runtime.engines import Databases, Engines
from campaigns.runtime.engines.clean import clean
from campaigns.runtime.engines.client import has_ended
from campaigns.runtime.outages import is_outage
from campaigns.runtime.wiring import open_context, prepare
from campaigns.store.pool import Pool
from tests.engines_fixture import engine_settings, scratch_directory

SOCKET = ".s.PGSQL.5432"
COME_BACK_SECONDS = 30


class Relay:
    """Passes bytes between a client and PostgreSQL, and keeps the end of the server's stream to itself."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._tasks: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self.said = asyncio.Event()

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_unix_connection(str(self._server))
        self._writers += [to_client, to_server]
        self._tasks += [
            asyncio.create_task(self._pass(client, to_server)),
            asyncio.create_task(self._pass(server, to_client)),
        ]

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while part := await source.read(65_536):
            target.write(part)
            self.said.set()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()


async def test_a_connection_whose_server_spoke_its_last_words_is_an_outage(
    engines: Engines, database: Databases
) -> None:
    app, admin = database.app, engines.admin.with_database("postgres")
    with tempfile.TemporaryDirectory(prefix="hb-") as directory:
        relay = Relay(Path(app.host) / SOCKET)
        listener = await asyncio.start_unix_server(relay.serve, str(Path(directory) / SOCKET))
        connection = await asyncpg.connect(**(app.credentials | {"host": directory}))
        other = await asyncpg.connect(admin.dsn)
        try:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
            relay.said.clear()
            await other.execute("SELECT pg_terminate_backend($1)", pid)
            await relay.said.wait()
            await asyncio.to_thread(int)  # the loop goes round: the client reads what was passed on
            with pytest.raises(asyncpg.InternalClientError) as caught:
                await connection.fetchval("SELECT 1")
            assert is_outage(caught.value)
        finally:
            connection.terminate()
            await other.close()
            await relay.close()
            listener.close()


def test_a_file_that_postgresql_cannot_open_is_an_outage() -> None:
    """Seen by who connects to a server that was killed at that moment."""
    assert is_outage(asyncpg.UndefinedFileError("could not open file"))


def test_other_errors_of_the_protocol_are_ours() -> None:
    assert not is_outage(asyncpg.InternalClientError("unknown error in protocol implementation"))
    assert not is_outage(asyncpg.InterfaceError("cannot perform operation: another operation is in progress"))


@pytest.mark.timeout(10)
def test_looking_whether_the_supervisor_left_never_waits() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(150)  # as it is after an answer was read
        assert not has_ended(ours)
        theirs.send(b"an answer")
        assert not has_ended(ours)
        assert ours.recv(100) == b"an answer" and ours.gettimeout() == 150
        theirs.close()
        assert has_ended(ours)


@pytest.mark.timeout(60)
async def test_a_server_process_alone_brings_engines_back_whose_supervisor_was_killed() -> None:
    directory = scratch_directory()
    settings = engine_settings(directory / "data")
    try:
        starter = Engines(settings)
        await prepare(starter, settings)
        async with open_context(settings) as ctx:
            supervisor = starter.pids.supervisor
            starter.close()
            before = await _started(ctx.pool)
            os.kill(supervisor, signal.SIGKILL)
            async with asyncio.timeout(COME_BACK_SECONDS):
                started = None
                while started in (None, before):
                    await asyncio.sleep(0.05)
                    started = await _started(ctx.pool)
    finally:
        Engines(settings).close(wait=True)
        clean(directory / "data")
        shutil.rmtree(directory)


async def _started(pool: Pool) -> datetime | None:
    """When PostgreSQL was started; None while it is away."""
    try:
        async with pool.acquire() as connection:
            started: datetime = await connection.fetchval("SELECT pg_postmaster_start_time()")
            return started
    except Exception as error:
        if not is_outage(error):
            raise
        return None
