"""The order of a whole run: search, interleaved rounds, an open loop, two processes; the audit after each round.

A round counts when the echo's server used at least 85 % of a core and the driver less than 60 % of one in every
part of it: otherwise a slow driver, or a machine that does something else, would be measured. A round that does not
count is repeated, a bounded number of times, and the figures say so.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

from msgspec import Struct

from loadtests.checks import Audit, analyze, audit, fsync_us, rows_written
from loadtests.jobs import Result
from loadtests.stage import BASELINES, OURS, Stage

ECHO_BUSY_LEAST = 0.85
DRIVER_BUSY_MOST = 0.60
REPEATS_MAX = 4
POOL_SEARCH_CONNECTIONS = 64
OPEN_LOOP_SHARE = 0.7
OPEN_LOOP_CONNECTIONS = 512
OPEN_LOOP_ROUNDS = 2.0  # as long as so many rounds
TWO_PROCESSES_ROUNDS = 3


class Round(Struct, kw_only=True):
    """One interleaved round: a result of each contestant, and whether it counts (``why_not`` otherwise)."""

    results: dict[str, Result]
    why_not: str = ""


class Seen(Struct, kw_only=True):
    """All that a run has measured."""

    search: dict[str, dict[int, float]] = {}  # contestant -> connections -> answers a second, in short rounds
    pools: dict[str, dict[int, float]] = {}  # baseline -> pool -> answers a second
    pool: dict[str, int] = {}
    connections: dict[str, int] = {}
    rounds: list[Round] = []
    open_loop: Result | None = None
    open_loop_connections: int = 0
    pairs: list[tuple[Result, Result]] = []  # one process, two processes
    audits: list[Audit] = []
    rows: dict[str, float] = {}  # place -> rows written per payment
    fsync_us: float = 0.0

    def counting(self) -> list[Round]:
        """The rounds that count; all of them where none does."""
        return [one for one in self.rounds if not one.why_not] or self.rounds

    def median(self, name: str, figure: Callable[[Result], float]) -> float | None:
        """The median of a contestant's figure over the rounds that count."""
        found = [figure(one.results[name]) for one in self.counting() if name in one.results]
        return statistics.median(found) if found else None


class Procedure:
    """One run on an open stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.options = stage.options
        self.seen = Seen()

    def run(self) -> Seen:
        """Everything, in order. Raises RoundFailed."""
        stage, seen = self.stage, self.seen
        seen.fsync_us = fsync_us(stage.places[OURS].home)
        stage.say(f"writing 8 kB and waiting for the disk takes {seen.fsync_us:.0f} us")
        before = {name: rows_written(place) for name, place in stage.places.items()}
        for name in self.options.only:
            self._search(name)
        for number in range(self.options.rounds):
            self._round(f"round {number + 1} of {self.options.rounds}")
        for number in range(0 if self.options.quick else REPEATS_MAX):
            if sum(not one.why_not for one in seen.rounds) >= self.options.rounds:
                break
            self._round(f"repeat {number + 1}, at most {REPEATS_MAX}", must_count=True)
        if "hongbao" in self.options.only:
            self._open_loop()
            self._two_processes()
        self._count_rows(before)
        return seen

    def _search(self, name: str) -> None:
        """Find the pool and the number of connections that serve a contestant best, in short rounds."""
        stage, seen = self.stage, self.seen
        if name in BASELINES:
            found = seen.pools[name] = {}
            for pool in self.options.pools:
                stage.start_baseline(name, pool)
                found[pool] = self._short(name, min(POOL_SEARCH_CONNECTIONS, max(self.options.connections)))
                stage.say(f"{name}: pool {pool}, {found[pool]:.0f}/s")
            seen.pool[name] = max(found, key=found.__getitem__)
            if seen.pool[name] != self.options.pools[-1]:
                stage.start_baseline(name, seen.pool[name])
        rates = seen.search[name] = {}
        for connections in self.options.connections:
            rates[connections] = self._short(name, connections)
            stage.say(f"{name}: {connections} connections, {rates[connections]:.0f}/s")
        seen.connections[name] = max(rates, key=rates.__getitem__)

    def _short(self, name: str, connections: int) -> float:
        place = self.stage.places[self.stage.place_of(name)]
        if name != "echo":
            analyze(place)
        return self.stage.play(
            name, connections, self.options.search_seconds, self.options.warmup_seconds
        ).rate

    def _round(self, title: str, *, must_count: bool = False) -> None:
        """Everybody in turn. One that ``must_count`` ends with the echo where that shows that it does not."""
        stage, options = self.stage, self.options
        results: dict[str, Result] = {}
        for place in stage.places.values():
            analyze(place)
        for name in options.only:
            connections = self.seen.connections[name]
            result = results[name] = stage.play(name, connections, options.seconds, options.warmup_seconds)
            stage.say(
                f"{title}: {name} {result.rate:.0f}/s with {connections} connections, cores server"
                f" {result.busy('server'):.2f}, PostgreSQL {result.busy('postgres'):.2f}, driver {result.busy('driver'):.2f}"
            )
            if must_count and _why_not(results):
                stage.say(f"{title} does not count: {_why_not(results)}")
                return
        why_not = _why_not(results)
        if why_not:
            stage.say(f"{title} does not count: {why_not}")
        self.seen.rounds.append(Round(results=results, why_not=why_not))
        self._audit(*stage.places)

    def _audit(self, *names: str) -> None:
        for name in names:
            place = self.stage.places[name]
            found = audit(place, self.stage.accepted[name])
            self.seen.audits.append(found)
            self.stage.say(
                f"audit of {name}: {found.violations} violations, {found.payments} payments, {found.seconds:.1f} s"
                + "".join(f"\n    {one}" for one in found.told)
            )

    def _open_loop(self) -> None:
        """Latency at 70 % of the peak, requests coming by chance whether or not the others are answered."""
        options, stage = self.options, self.stage
        peak = self.seen.median("hongbao", lambda one: one.rate)
        assert peak is not None, "hongbao was in the rounds"
        analyze(stage.places[OURS])
        connections = min(OPEN_LOOP_CONNECTIONS, 2 * max(options.connections))
        seconds = OPEN_LOOP_ROUNDS * options.seconds
        result = stage.play(
            "hongbao", connections, seconds, options.warmup_seconds, rate=max(1.0, OPEN_LOOP_SHARE * peak)
        )
        self.seen.open_loop, self.seen.open_loop_connections = result, connections
        stage.say(
            f"open loop at {OPEN_LOOP_SHARE:.0%} of the peak: {result.rate:.0f}/s, p99 {result.latency_ms.get('p99', 0):.1f} ms"
        )
        if not options.quick:
            self._audit(OURS)

    def _two_processes(self) -> None:
        """One server process and two, in turn, at the connections that serve one best."""
        options, stage = self.options, self.stage
        stage.start_two()
        connections = self.seen.connections["hongbao"]
        stage.play(
            "two", connections, options.search_seconds, options.warmup_seconds
        )  # nothing of it is told
        for number in range(min(TWO_PROCESSES_ROUNDS, options.rounds)):
            analyze(stage.places[OURS])
            one, two = (
                stage.play(name, connections, options.seconds, options.warmup_seconds)
                for name in ("hongbao", "two")
            )
            self.seen.pairs.append((one, two))
            stage.say(f"processes, round {number + 1}: one {one.rate:.0f}/s, two {two.rate:.0f}/s")
        self._audit(OURS)

    def _count_rows(self, before: dict[str, int]) -> None:
        """Rows written per payment, over the whole run; a backend tells the last of its counts when it ends."""
        self.stage.close_servers()
        for name, place in self.stage.places.items():
            if self.stage.accepted[name]:
                written = rows_written(place) - before[name]
                self.seen.rows[name] = round(written / self.stage.accepted[name], 2)


def _why_not(results: dict[str, Result]) -> str:
    """Why a round does not count; nothing where it does."""
    reasons = []
    if "echo" in results and results["echo"].busy("server") < ECHO_BUSY_LEAST:
        reasons.append(f"the echo's server used {results['echo'].busy('server'):.2f} of a core")
    for name, result in results.items():
        if result.busy("driver") >= DRIVER_BUSY_MOST:
            reasons.append(f"the driver used {result.busy('driver'):.2f} of a core on {name}")
    return "; ".join(reasons)
