"""Something is used up: the disk, the locks, PostgreSQL's connections."""

import asyncio
from contextlib import suppress

import asyncpg

from tests.crash.deployment import MAX_CONNECTIONS, pids_of_engines
from tests.crash.faults.scene import Scene
from tests.crash.processes import backends, stop_or_go

FULL_SECONDS = 2.5
HELD_SECONDS = 3.0
LOG_BYTES, LOG_MESSAGES = 1_000_000, 48  # more than the segments of the log that are there already


async def disk_full(scene: Scene) -> None:
    """No room in the data directory; half of the time PostgreSQL's log is pressed for a new segment too."""
    deployment = scene.deployment
    connection = await deployment.owner()
    pids = pids_of_engines(deployment)
    deployment.disk.fill(pids)
    try:
        if scene.chance.random() < 0.5:
            scene.notes.append("log pressed")
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                for _ in range(LOG_MESSAGES):
                    await connection.execute(
                        "SELECT pg_logical_emit_message(true, 'crash', repeat('x', $1))", LOG_BYTES
                    )
        await asyncio.sleep(FULL_SECONDS)
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
                stop_or_go(found[0], 15)
        await asyncio.sleep(HELD_SECONDS)
    finally:
        scene.notes.append(f"{len(taken)} taken")
        for connection in taken:
            connection.terminate()
