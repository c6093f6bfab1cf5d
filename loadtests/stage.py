"""Everything that stands during a run: engines, towns, servers; and rounds against them.

The product and the baselines have engines of their own, so that what the product does in the background (sweeps,
seals) is neither paid for by the baselines nor swollen by their rows.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from loadtests import contestants, payments
from loadtests.contestants import Server
from loadtests.driving import drive
from loadtests.jobs import Result
from loadtests.options import Options
from loadtests.places import Place
from loadtests.world import World, make_world

OURS, THEIRS = "ours", "theirs"
BASELINES = ("bsql", "borm")
FIRST_GUESS_RATE = 3_000
MARGIN = 1.6  # requests made beforehand, over what the rate so far asks for
TRIES = 3
ECHO_REQUESTS = 2_000
SCRATCH = Path("var")


class Stage:
    """Open it, play rounds, close it: nothing is left then."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.began = time.monotonic()
        self.places: dict[str, Place] = {}
        self.worlds: dict[str, World] = {}
        self.servers: dict[str, Server] = {}
        self.accepted = {OURS: 0, THEIRS: 0}
        self._rates: dict[str, float] = {}
        self._seed = 0
        SCRATCH.mkdir(exist_ok=True)
        self._directory = Path(tempfile.mkdtemp(prefix="bench-", dir=SCRATCH)).absolute()
        self._directory.chmod(0o711)

    def open(self) -> None:
        """Start engines and servers, and fill the towns."""
        only = self.options.only
        self._make_place(OURS)
        if self.options.profile:
            self.servers["hongbao"] = contestants.profiled(self.places[OURS], self.options.profile)
        else:
            self.servers["hongbao"] = contestants.hongbao(self.places[OURS], 1, self.options.log_level)
        self._fill(OURS)
        if any(self.place_of(name) == THEIRS for name in only):
            self._make_place(THEIRS)
            contestants.hongbao(self.places[THEIRS], 1).close()  # migrates
            self._fill(THEIRS)
        if "echo" in only:
            self.servers["echo"] = contestants.echo()

    def _make_place(self, name: str) -> None:
        self.places[name] = Place(self._directory / name)

    def _fill(self, name: str) -> None:
        options = self.options
        self.worlds[name] = asyncio.run(
            make_world(
                self.places[name].owner_url, residents=options.residents, stores=options.stores,
                second_cap=options.second_cap,
            )
        )  # fmt: skip

    def say(self, text: str) -> None:
        """A line of progress."""
        print(f"[{time.monotonic() - self.began:5.0f} s] {text}", flush=True)

    def start_baseline(self, name: str, pool: int) -> None:
        """Start a baseline, or start it anew with another pool."""
        if name in self.servers:
            self.servers.pop(name).close()
        self.servers[name] = contestants.baseline(self.places[self.place_of(name)], name, pool)

    def start_two(self) -> None:
        """A second server of the product on the same database, of two processes."""
        self.servers["two"] = contestants.hongbao(self.places[OURS], 2, self.options.log_level)

    def place_of(self, name: str) -> str:
        """Whose engines a contestant uses: a quick run has one pair for all."""
        return THEIRS if name in BASELINES and not self.options.quick else OURS

    def play(
        self, name: str, connections: int, seconds: float, warmup_seconds: float, rate: float = 0.0,
        tries: int = TRIES,
    ) -> Result:  # fmt: skip
        """One round, in a closed loop unless a rate is given. Raises RoundFailed."""
        where, server = self.place_of(name), self.servers[name]
        place, world = self.places[where], self.worlds[where]
        self._seed += 1
        guess = rate or MARGIN * self._rates.get(name, FIRST_GUESS_RATE)
        count = ECHO_REQUESTS if name == "echo" else int(guess * (seconds + warmup_seconds)) + 2 * connections
        result = drive(
            server, payments.redemptions(place.redis_url, world, count, self._seed), connections=connections,
            seconds=seconds, warmup_seconds=warmup_seconds, place=place, rate=rate, seed=self._seed,
            repeat=name == "echo",
        )  # fmt: skip
        if name != "echo":
            self.accepted[where] += result.accepted
        if not rate:
            self._rates[name] = max(result.rate, self._rates.get(name, 0.0))
        if result.ran_out and tries > 1:
            self.say(f"{name}: the requests ended before the round did, once more")
            return self.play(name, connections, seconds, warmup_seconds, rate, tries - 1)
        return result

    def close_servers(self) -> None:
        """End every server."""
        while self.servers:
            self.servers.popitem()[1].close()

    def close(self) -> None:
        """End every server and engine; remove every file."""
        self.close_servers()
        for place in self.places.values():
            place.close()
        if self._directory.exists():
            self._directory.rmdir()
