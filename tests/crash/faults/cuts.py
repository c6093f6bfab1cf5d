"""Connections that end at the worst moment, and answers that come too late."""

import asyncio
from typing import Literal

from tests.crash.faults.scene import Scene
from tests.crash.proxies import Proxy
from tests.crash.waiting import until

CUTTING_SECONDS = 1.2
PROBABILITY = 0.25
HIT_SECONDS_MAX = 15.0
STALL_SECONDS = 2.5  # beyond the time after which the side door answers 504


async def before_commit(scene: Scene) -> None:
    """COMMIT never reaches PostgreSQL: what the client is told is unknown was undone."""
    await _cut_commits(scene, "before")


async def after_commit(scene: Scene) -> None:
    """COMMIT was done and its answer is lost: what the client is told is unknown stays."""
    await _cut_commits(scene, "after")


async def commit_told(scene: Scene) -> None:
    """The connection ends as soon as COMMIT was answered."""
    await _cut_commits(scene, "told")


async def answers_lost(scene: Scene) -> None:
    """The server has answered, after COMMIT, and the client hears nothing or half of it."""
    await _cut(scene, scene.deployment.answers)


async def response_timeout(scene: Scene) -> None:
    """PostgreSQL's answers stand still: the server says 504 ``outcome_unknown``, and the effect may come after."""
    proxy = scene.deployment.commits
    proxy.stall()
    try:
        await asyncio.sleep(STALL_SECONDS)
    finally:
        proxy.flow()


async def _cut_commits(scene: Scene, moment: Literal["before", "after", "told"]) -> None:
    scene.deployment.commits.moment = moment
    await _cut(scene, scene.deployment.commits)


async def _cut(scene: Scene, proxy: Proxy) -> None:
    before = proxy.hits
    proxy.probability = PROBABILITY
    try:
        await asyncio.sleep(CUTTING_SECONDS)
        await until(lambda: proxy.hits > before, HIT_SECONDS_MAX, "a connection was cut")
    finally:
        proxy.probability = 0.0
    scene.notes.append(f"{proxy.hits - before} cut")
