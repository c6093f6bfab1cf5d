"""kill -9 of every part, and the orderly end of `hongbao serve`."""

import asyncio
import os
import signal
import time

import asyncpg

from tests.crash.deployment import START_SECONDS_MAX
from tests.crash.faults.scene import Scene
from tests.crash.processes import backends, cpu_ticks, is_gone, servers, stop_or_go
from tests.crash.waiting import until

GONE_SECONDS_MAX = 15.0
OUTLIVES_SECONDS = 0.3
BUSY_TICKS = 5  # of the processor's time, each a hundredth of a second
_BUSY = "DO $$ BEGIN LOOP NULL; END LOOP; END $$"  # looks at signals, never at whether its postmaster lives


async def one_server(scene: Scene) -> None:
    """One server process; its supervisor replaces it."""
    os.kill(scene.chance.choice(servers(scene.deployment.front_pid)), signal.SIGKILL)


async def all_servers(scene: Scene) -> None:
    """Every server process at once."""
    for pid in servers(scene.deployment.front_pid):
        stop_or_go(pid, signal.SIGKILL)


async def server_supervisor(scene: Scene) -> None:
    """`hongbao serve` itself: its servers end with it, and an init system starts it again."""
    deployment = scene.deployment
    left = servers(deployment.front_pid)
    os.kill(deployment.front_pid, signal.SIGKILL)
    await asyncio.to_thread(deployment.reap_front)
    await until(lambda: all(is_gone(pid) for pid in left), GONE_SECONDS_MAX, "its server processes ended too")
    await deployment.start_front()


async def orderly_restart(scene: Scene) -> None:
    """SIGTERM under load: what was begun is finished; then it is started again."""
    started = time.monotonic()
    code = await scene.deployment.stop_front()
    assert code == 0, f"hongbao serve ended with {code}"
    scene.notes.append(f"drained in {time.monotonic() - started:.1f} s")
    await scene.deployment.start_front()


async def postmaster(scene: Scene) -> None:
    """PostgreSQL's first process alone: a busy backend outlives it, with a lock, until the engines' supervisor ends it."""
    connection = await scene.deployment.owner()
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    locked = asyncio.Event()
    busy = asyncio.create_task(_work_on(connection, scene.chance.choice(scene.town.people), locked))
    await locked.wait()
    before = cpu_ticks(pid)
    await until(lambda: cpu_ticks(pid) >= before + BUSY_TICKS, START_SECONDS_MAX, "the backend is busy")
    pids = scene.deployment.pids
    os.kill(pids.supervisor, signal.SIGSTOP)  # it would end the backend at once; so we see that it is needed
    try:
        os.kill(pids.postgres, signal.SIGKILL)
        await until(lambda: is_gone(pids.postgres), GONE_SECONDS_MAX, "the postmaster is gone")
        await asyncio.sleep(OUTLIVES_SECONDS)
        scene.notes.append("its backend went with it" if is_gone(pid) else "a busy backend outlived it")
    finally:
        os.kill(pids.supervisor, signal.SIGCONT)
    await until(lambda: is_gone(pid), GONE_SECONDS_MAX, "the backend that outlived its postmaster is ended")
    await asyncio.wait({busy})


async def _work_on(connection: asyncpg.Connection, person: object, locked: asyncio.Event) -> None:
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM voucher WHERE person_id = $1 FOR UPDATE", person)
            locked.set()
            await connection.execute(_BUSY)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        connection.terminate()
    finally:
        locked.set()


async def one_backend(scene: Scene) -> None:
    """One backend of the application: PostgreSQL restarts all of them and recovers."""
    found = backends(scene.deployment.pids.postgres)
    stop_or_go(scene.chance.choice(found), signal.SIGKILL)


async def all_backends(scene: Scene) -> None:
    """Every backend of the application at once."""
    for pid in backends(scene.deployment.pids.postgres):
        stop_or_go(pid, signal.SIGKILL)


async def valkey(scene: Scene) -> None:
    """The server of payment codes, rate limits and caches."""
    os.kill(scene.deployment.pids.valkey, signal.SIGKILL)


async def engines_supervisor(scene: Scene) -> None:
    """The process that holds both engines, which end with it; whoever uses them starts another."""
    os.kill(scene.deployment.pids.supervisor, signal.SIGKILL)
