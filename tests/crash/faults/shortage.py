"""Something is used up: the disk, the locks, PostgreSQL's connections."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from tests.crash.deployment import MAX_CONNECTIONS, pids_of_engines
from tests.crash.faults.scene import Scene
from tests.crash.processes import backends, servers, stop_or_go

FULL_SECONDS = 2.5
AWAY_SECONDS = 15.0
HELD_SECONDS = 3.0
LOG_BYTES, LOG_MESSAGES = 1_000_000, 48  # more than the segments of the log that are there already


async def disk_full(scene: Scene) -> None:
    """No room in the data directory; half of the time PostgreSQL's log is pressed for a new segment too."""
    async with _full_disk(scene, pressed=scene.chance.random() < 0.5):
        await asyncio.sleep(FULL_SECONDS)


async def disk_full_servers_kill(scene: Scene) -> None:
    """All server processes are killed while PostgreSQL is away for long: none can start until there is room again."""
    async with _full_disk(scene, pressed=True):
        for pid in servers(scene.deployment.front_pid):
            stop_or_go(pid, signal.SIGKILL)
        await asyncio.sleep(AWAY_SECONDS)


@asynccontextmanager
async def _full_disk(scene: Scene, *, pressed: bool) -> AsyncIterator[None]:
    deployment = scene.deployment
    connection = await deployment.owner()
    pids = pids_of_engines(deployment)
    deployment.disk.fill(pids)
    try:
        if pressed:
            scene.notes.append("log pressed")
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                for _ in range(LOG_MESSAGES):
                    await connection.execute(
                        "SELECT pg_logical_emit_message(true, 'crash', repeat('x', $1))", LOG_BYTES
                    )
        yield
    finally:
        deployment.disk.free(pids)
        connection.terminate()


async def pool_exhausted(scene: Scene) -> None:
    """A table that every write needs is locked from outside: the pool's connections wait, then all is busy."""
    connection = await scene.deployment.owner()
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE idempotency IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(HELD_SECONDS)
    finally:
        await connection.close()


async def connections_used_up(scene: Scene) -> None:
    """The application's connections end, and others have taken every place at PostgreSQL."""
    deployment = scene.deployment
    taken: list[asyncpg.Connection] = []
    try:
        while len(taken) < MAX_CONNECTIONS:
            try:
                taken.append(await deployment.owner())
            except asyncpg.TooManyConnectionsError:
                found = backends(deployment.pids.postgres)
                if not found:
                    break
                stop_or_go(found[0], signal.SIGTERM)
        await asyncio.sleep(HELD_SECONDS)
    finally:
        scene.notes.append(f"{len(taken)} taken")
        for connection in taken:
            connection.terminate()
