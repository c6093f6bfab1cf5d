"""One short round for each of the central faults, as `make crash` plays them by the hundred."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from tests.crash.deployment import Deployment
from tests.crash.disk import SmallDisk
from tests.crash.faults import BY_NAME, FAULTS
from tests.crash.rounds import Rounds, fault_of
from tests.demo_kill.processes import places

SEED = 7
STOP_SECONDS = 1.0
SMOKE = (
    "servers_kill", "postmaster_kill", "backends_kill", "cut_after_commit", "answers_lost", "disk_full",
)  # fmt: skip


@pytest.fixture(scope="module")
async def rounds(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rounds]:
    directory = tmp_path_factory.mktemp("crash")
    deployment = Deployment(directory, Random(SEED), SmallDisk())
    try:
        await deployment.start()
        rounds = Rounds(deployment, SEED, directory, STOP_SECONDS)
        await rounds.open()
        yield rounds
        assert await rounds.check_all_again() == []
        assert await deployment.end() == []
    finally:
        await asyncio.to_thread(deployment.kill)
        if deployment.disk.path.exists():
            deployment.disk.remove()


@pytest.mark.timeout(90)
@pytest.mark.parametrize("name", SMOKE)
async def test_a_round(rounds: Rounds, name: str) -> None:
    fault = BY_NAME[name]
    outcome = await rounds.play(1 + SMOKE.index(name), [fault], fault.doors)
    assert outcome.violations == []
    assert outcome.operations["ok"] > 0 and [one.fault for one in outcome.recoveries] == [name]


def test_every_block_of_rounds_holds_every_fault_and_a_seed_gives_the_same() -> None:
    def block(seed: int, first: int) -> list[str]:
        return [fault_of(seed, first + n).name for n in range(len(FAULTS))]

    assert sorted(block(1, 1)) == sorted(block(1, 1 + len(FAULTS))) == sorted(BY_NAME)
    assert block(1, 1) == block(1, 1) != block(2, 1)
    assert block(1, 1) != block(1, 1 + len(FAULTS))


def test_a_disk_of_files_that_may_not_grow(tmp_path: Path) -> None:
    disk = SmallDisk(as_limit=True)
    try:
        assert not disk.is_disk and places(disk.path) == (str(disk.path),)
    finally:
        disk.remove()
    assert not disk.path.exists()
