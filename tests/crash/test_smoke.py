"""One short round for each of the central faults, as `make crash` plays them by the hundred."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from tests.crash.deployment import SIDE, Deployment
from tests.crash.disk import SmallDisk
from tests.crash.faults import BY_NAME, FAULTS
from tests.crash.rounds import Rounds, fault_of
from tests.crash.spoiled_server import EARLY, FORGETFUL
from tests.crash.violations import AUDIT, LOST, RECOVERY, REFUSED_EFFECT, TWICE

SEED = 7
STOP_SECONDS = 1.0
SMOKE = (
    "servers_kill", "postmaster_kill", "backends_kill", "cut_after_commit", "answers_lost", "disk_full",
)  # fmt: skip


@pytest.fixture(scope="module")
async def deployment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    deployment = Deployment(tmp_path_factory.mktemp("logs"), Random(SEED), SmallDisk())
    try:
        await deployment.start()
        yield deployment
        assert await deployment.end() == []
    finally:
        await asyncio.to_thread(deployment.kill)
        if deployment.disk.path.exists():
            deployment.disk.remove()


@pytest.fixture(scope="module")
async def rounds(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rounds]:
    rounds = Rounds(deployment, SEED, tmp_path_factory.mktemp("rounds"), STOP_SECONDS)
    await rounds.open()
    yield rounds
    assert await rounds.check_all_again() == []


@pytest.mark.timeout(90)
@pytest.mark.parametrize("name", SMOKE)
async def test_a_round(rounds: Rounds, name: str) -> None:
    fault = BY_NAME[name]
    outcome = await rounds.play(1 + SMOKE.index(name), [fault], fault.doors)
    assert outcome.violations == []
    assert outcome.operations["ok"] > 0 and [one.fault for one in outcome.recoveries] == [name]


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("defect", "name", "found"),
    [(EARLY, "cut_before_commit", {LOST}), (FORGETFUL, "cut_after_commit", {TWICE, REFUSED_EFFECT})],
)
async def test_a_spoiled_server_is_found_out(
    deployment: Deployment, tmp_path: Path, defect: str, name: str, found: set[str]
) -> None:
    """The negative control: the same round must break a promise where the server breaks it."""
    rounds = Rounds(deployment, SEED, tmp_path, STOP_SECONDS)
    await rounds.open()
    await deployment.start_side("tests.crash.spoiled_server", defect)
    outcome = await rounds.play(1, [BY_NAME[name]], (SIDE,))
    assert found & {violation.name for violation in outcome.violations}
    assert {AUDIT, RECOVERY}.isdisjoint(violation.name for violation in outcome.violations)


def test_every_block_of_rounds_holds_every_fault_and_a_seed_gives_the_same() -> None:
    def block(seed: int, first: int) -> list[str]:
        return [fault_of(seed, first + n).name for n in range(len(FAULTS))]

    assert sorted(block(1, 1)) == sorted(block(1, 1 + len(FAULTS))) == sorted(BY_NAME)
    assert block(1, 1) == block(1, 1) != block(2, 1)
    assert block(1, 1) != block(1, 1 + len(FAULTS))
