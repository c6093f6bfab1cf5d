"""SIGSTOP: a process that neither works nor ends, and goes on as if no time had passed."""

import asyncio
import signal
from collections.abc import Iterable

from tests.crash.faults.scene import Scene
from tests.crash.processes import backends, servers, stop_or_go


async def server(scene: Scene) -> None:
    """One server process: its clients find another."""
    await _stop(scene, [scene.chance.choice(servers(scene.deployment.front_pid))])


async def backend(scene: Scene) -> None:
    """One backend, perhaps in the middle of a batch with its locks."""
    await _stop(scene, [scene.chance.choice(backends(scene.deployment.pids.postgres))])


async def valkey(scene: Scene) -> None:
    """Valkey: no payment code can be asked for."""
    await _stop(scene, [scene.deployment.pids.valkey])


async def postmaster(scene: Scene) -> None:
    """PostgreSQL's first process: no new connection, while the backends work."""
    await _stop(scene, [scene.deployment.pids.postgres])


async def _stop(scene: Scene, pids: Iterable[int]) -> None:
    chosen = list(pids)
    try:
        for pid in chosen:
            stop_or_go(pid, signal.SIGSTOP)
        await asyncio.sleep(scene.stop_seconds)
    finally:
        for pid in chosen:
            stop_or_go(pid, signal.SIGCONT)
