"""Clients that do not wait, and a clock that jumps."""

import asyncio

from tests.crash.faults.scene import Scene
from tests.crash.town import HOLD_SECONDS

STORM_SECONDS = 1.5
LEAVING = 0.6
SHORT_PATIENCE_SECONDS = 0.012
JUMPS = 4
LONG_JUMP_SECONDS = 7_200


async def disconnect_storm(scene: Scene) -> None:
    """Most clients hang up as soon as they have asked."""
    scene.weather.leave = LEAVING
    try:
        await asyncio.sleep(STORM_SECONDS)
    finally:
        scene.weather.clear()


async def impatience(scene: Scene) -> None:
    """Every client gives up after some milliseconds and asks again."""
    scene.weather.patience_seconds = SHORT_PATIENCE_SECONDS
    try:
        await asyncio.sleep(STORM_SECONDS)
    finally:
        scene.weather.clear()


async def clock_jumps(scene: Scene) -> None:
    """Campaign time jumps over open holds and live codes, in steps; the last one is two hours."""
    connection = await scene.deployment.owner()
    try:
        for jump in range(JUMPS):
            seconds = scene.chance.randint(1, 2 * HOLD_SECONDS) if jump < JUMPS - 1 else LONG_JUMP_SECONDS
            await connection.execute("UPDATE clock SET shift = shift + make_interval(secs => $1)", seconds)
            await asyncio.sleep(scene.chance.uniform(0.1, 0.5))
    finally:
        await connection.close()
