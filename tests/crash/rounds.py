"""One round: load, a fault at a random moment, recovery, a little more load, drain; then checker and audit."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import msgspec

from campaigns.runtime.wiring import context_on
from campaigns.services.context import Context
from tests.crash.checker import check
from tests.crash.client import Weather
from tests.crash.deployment import FRONT, SWEEP_SECONDS, Deployment, run_hongbao
from tests.crash.faults import FAULTS, Fault, Scene
from tests.crash.final import read_final
from tests.crash.history import (
    CODE,
    LOOK,
    NOTHING,
    OK,
    REFUSED,
    UNKNOWN,
    Event,
    History,
    operations,
    read_history,
)
from tests.crash.load import Load
from tests.crash.town import PEOPLE, Shops, Town, make_town, open_shops
from tests.crash.violations import AUDIT, HOLD, RECOVERY, Violation
from tests.crash.waiting import NeverCame, until

FAULT_FROM_SECONDS, FAULT_TO_SECONDS = 0.3, 1.5
AFTER_SECONDS = 0.5  # of load once the service is back
RECOVERY_SECONDS_MAX = 60.0
AUDIT_SECONDS_MAX = 300.0
HOLD_SLACK_SECONDS = 1.5  # to end a batch of holds, beyond the time between two sweeps
HOLD_SECONDS_MAX = 15.0
_OVERDUE = """
SELECT count(*) FROM payment WHERE state = 'held' AND hold_until < campaign_now() - make_interval(secs => $1)
"""


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """How long after the end of a fault a payment was answered again at every door."""

    fault: str
    seconds: float
    note: str = ""


@dataclass
class Outcome:
    """What came of a round. ``operations`` by outcome leave out codes and looks."""

    number: int
    seed: str
    recoveries: list[Recovery] = field(default_factory=list)
    operations: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    seconds: float = 0.0
    machine_load: float = 0.0  # processes that wanted a core in the last minute, whoever's they are
    parts: dict[str, float] = field(default_factory=dict)  # where the seconds went

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Add the block's seconds to a part of the round."""
        started = time.monotonic()
        try:
            yield
        finally:
            seconds = self.parts.get(part, 0.0) + time.monotonic() - started
            self.parts[part] = round(seconds, 2)

    @property
    def broken(self) -> bool:
        """Whether the deployment did not come back, so that no other round can follow."""
        return any(violation.name == RECOVERY for violation in self.violations)


def fault_of(seed: int, number: int, faults: Sequence[Fault] = FAULTS) -> Fault:
    """The fault of a round: each block of rounds holds every fault once, in an order drawn from the seed."""
    block, place = divmod(number - 1, len(faults))
    order = list(faults)
    Random(f"{seed}|block {block}").shuffle(order)
    return order[place]


class Rounds:
    """Rounds on one deployment. ``directory`` keeps the histories."""

    def __init__(self, deployment: Deployment, seed: int, directory: Path, stop_seconds: float) -> None:
        self._deployment = deployment
        self._seed = seed
        self._directory = directory
        self._stop_seconds = stop_seconds
        self._shops: Shops
        self._played: list[tuple[Path, Town]] = []

    async def open(self) -> None:
        """Make what all rounds share."""
        owner = await self._deployment.owner()
        try:
            async with self._context() as ctx:
                self._shops = await open_shops(ctx, owner)
        finally:
            await owner.close()

    @asynccontextmanager
    async def _context(self) -> AsyncIterator[Context]:
        async with context_on(self._deployment.engines, self._deployment.settings) as ctx:
            yield ctx

    async def play(
        self, number: int, faults: Sequence[Fault], doors: Sequence[str], *, people: int = PEOPLE, seconds: float = 0.0
    ) -> Outcome:  # fmt: skip
        """A round with these faults one after the other, at random moments; of at least ``seconds`` in all."""
        started = time.monotonic()
        seed = f"{self._seed}|{number}"
        outcome = Outcome(number, seed)
        with outcome.timed("town"):
            await self._deployment.look_at_engines()
            async with self._context() as ctx:
                town = await make_town(ctx, self._shops, people)
        file = self._directory / f"round-{number:04}.jsonl"
        history = History(file)
        chance = Random(f"{seed}|moment")
        scene = Scene(self._deployment, town, Weather(), chance, self._stop_seconds)
        ports = [self._deployment.ports[door] for door in doors]
        load = Load(town, ports, history, seed, scene.weather)
        load.start()
        try:
            for fault in faults:
                await asyncio.sleep(
                    chance.uniform(FAULT_FROM_SECONDS, FAULT_TO_SECONDS) * (1 + 4 * (seconds > 0))
                )
                with outcome.timed("fault and recovery"):
                    outcome.recoveries.append(await self._strike(fault, scene, load))
                if seconds and time.monotonic() - started > seconds:
                    break
            await asyncio.sleep(AFTER_SECONDS)
        except NeverCame as error:
            outcome.violations.append(Violation(RECOVERY, str(error)))
        finally:
            with outcome.timed("drain"):
                await load.stop()
            history.close()
        self._played.append((file, town))
        if not outcome.broken:
            await self._judge(outcome, history.events, town)
        outcome.seconds = time.monotonic() - started
        outcome.machine_load = round(os.getloadavg()[0], 1)
        return outcome

    async def _strike(self, fault: Fault, scene: Scene, load: Load) -> Recovery:
        """Do it, and wait until every door answers a payment again and all server processes are there."""
        deployment = scene.deployment
        await deployment.look_at_engines()
        scene.notes.clear()
        await fault.act(scene)
        back = 0.0
        started = time.monotonic()
        for door in dict.fromkeys((*fault.doors, FRONT)):
            port = deployment.ports[door]
            if load.serves(port):
                what = f"after {fault.name} a payment is answered at the door {door}"
                await until(partial(load.probe, port), RECOVERY_SECONDS_MAX, what)
        back = time.monotonic() - started
        await until(deployment.front_is_whole, RECOVERY_SECONDS_MAX, "all server processes are there")
        return Recovery(fault=fault.name, seconds=round(back, 3), note=", ".join(scene.notes))

    async def _judge(self, outcome: Outcome, events: Sequence[Event], town: Town) -> None:
        outcome.operations = count_outcomes(events)
        with outcome.timed("holds"):
            try:
                await self._holds_end()
            except NeverCame as error:
                outcome.violations.append(Violation(HOLD, str(error)))
        with outcome.timed("check"):
            outcome.violations += await self._check(events, town)
        with outcome.timed("audit"):
            outcome.violations += await audit(self._deployment)

    async def _check(self, events: Sequence[Event], town: Town) -> list[Violation]:
        owner = await self._deployment.owner()
        try:
            return check(events, await read_final(owner, town.campaigns), town.caps)
        finally:
            await owner.close()

    async def _holds_end(self) -> None:
        """No hold outlives its time by more than a sweep, once the faults are over."""
        owner = await self._deployment.owner()

        async def none_overdue() -> bool:
            return not await owner.fetchval(_OVERDUE, SWEEP_SECONDS + HOLD_SLACK_SECONDS)

        try:
            await until(none_overdue, HOLD_SECONDS_MAX, "holds whose time is over are ended by the sweep")
        finally:
            await owner.close()

    async def check_all_again(self) -> list[Violation]:
        """Hold every round's history against the database as it is now: nothing went away in a later round."""
        found = []
        for file, town in self._played:
            found += await self._check(read_history(file), town)
        return found


def count_outcomes(events: Sequence[Event]) -> Counter[str]:
    """How many operations ended ok, refused, nothing and unknown."""
    asked = operations(events).values()
    counted = Counter(one.outcome for one in asked if one.kind not in (CODE, LOOK))
    return Counter({name: counted[name] for name in (OK, REFUSED, NOTHING, UNKNOWN)})


async def audit(deployment: Deployment) -> list[Violation]:
    """The product's own audit of everything, by its own command."""
    code, out, err = await run_hongbao(deployment, "audit", "--json", seconds=AUDIT_SECONDS_MAX)
    if code not in (0, 1) or not out:
        return [Violation(AUDIT, f"hongbao audit ended with {code}: {err.decode(errors='replace')[-500:]}")]
    result = msgspec.json.decode(out)
    return [Violation(AUDIT, str(finding)) for finding in result["findings"]]
