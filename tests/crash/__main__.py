"""`make crash` and `make soak`: rounds of one fault each, or minutes of load with faults at random moments.

Every round prints its seed; `--seed S --round N` plays that one again. Ends with 1 when a promise was broken, or when
the deployment did not come back; its data is kept then and named.
"""

import argparse
import asyncio
import json
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console

from tests.crash.deployment import DOORS, ROOT, Deployment
from tests.crash.disk import SmallDisk
from tests.crash.faults import BY_NAME, FAULTS, Fault
from tests.crash.memory import Watch
from tests.crash.rounds import Outcome, Rounds, fault_of
from tests.crash.summary import facts, line_of, show_table, show_violations
from tests.crash.violations import Violation

DIRECTORY = ROOT / "var" / "crash"
STOP_SECONDS = 10.0
SOAK_ROUND_SECONDS = 45.0
SOAK_FAULTS = 6  # of a round of the soak, at most
SOAK_PEOPLE = 120
INTERRUPTED = 130


class Run:
    """A deployment and what was found on it."""

    def __init__(self, chosen: argparse.Namespace, console: Console) -> None:
        self.seed: int = chosen.seed
        self.what = "soak" if chosen.minutes else "rounds"
        self.json_file: Path | None = chosen.json
        self.started = time.monotonic()
        self.console = console
        self.outcomes: list[Outcome] = []
        self.late: list[Violation] = []
        self.left: list[str] = []
        self.memory = Watch()
        self.directory = DIRECTORY / f"{time.strftime('%Y%m%d-%H%M%S')}-{self.seed}"
        self.directory.mkdir(parents=True)
        self.deployment = Deployment(self.directory, Random(f"{self.seed}|proxies"), SmallDisk())
        self.rounds = Rounds(self.deployment, self.seed, self.directory, chosen.stop_seconds)

    @property
    def violations(self) -> int:
        """How many promises were broken."""
        return sum(len(outcome.violations) for outcome in self.outcomes) + len(self.late) + len(self.left)

    async def open(self) -> None:
        """Start the deployment."""
        await self.deployment.start()
        await self.rounds.open()

    async def play(self, number: int, faults: Sequence[Fault], doors: Sequence[str], **more: Any) -> bool:
        """A round; answers whether another may follow."""
        outcome = await self.rounds.play(number, faults, doors, **more)
        self.outcomes.append(outcome)
        self.console.print(line_of(outcome), highlight=False, markup=False, soft_wrap=True)
        show_violations(self.console, outcome.violations)
        self.write()  # an interrupted run has said what it saw
        return not outcome.broken

    def write(self) -> dict[str, Any]:
        """Everything seen so far, as JSON into the file that was asked for."""
        seconds = time.monotonic() - self.started
        said = facts(self.what, self.seed, self.outcomes, self.late, seconds)
        said |= {"memory": self.memory.grown(), "left_over": self.left}
        if self.json_file is not None:
            self.json_file.write_text(json.dumps(said, indent=2) + "\n")
        return said

    async def close(self) -> None:
        """Check all rounds once more, and take everything away unless something was found."""
        if not any(outcome.broken for outcome in self.outcomes):
            self.late = await self.rounds.check_all_again()
        show_violations(self.console, self.late)
        if self.violations:
            await asyncio.to_thread(self.deployment.kill)
            return
        self.left = await self.deployment.end()
        for thing in self.left:
            self.console.print(f"  left over: {thing}", style="red", highlight=False)
        if not self.left:
            shutil.rmtree(self.directory)

    def tell(self) -> int:
        """Print the table and the sums, write the JSON; answers the exit code."""
        show_table(self.console, self.outcomes)
        said = self.write()
        for row in said["memory"]:
            words = " ".join(f"{name} {value}" for name, value in row.items())
            self.console.print(words, highlight=False, soft_wrap=True)
        operations = ", ".join(f"{number:,} {name}" for name, number in said["operations"].items())
        self.console.print(
            f"{len(self.outcomes)} rounds, {said['faults']} faults, {said['seconds']:.0f} s; operations: {operations};"
            f" violations: {self.violations}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        if self.violations:
            self.console.print(
                f"kept: {self.directory} and {self.deployment.disk.path} (mounted as root: umount it)",
                soft_wrap=True,
            )
        return 1 if self.violations else 0


async def play_rounds(run: Run, chosen: argparse.Namespace) -> None:
    """One fault a round."""
    faults = [BY_NAME[name] for name in chosen.faults.split(",")] if chosen.faults else FAULTS
    numbers = [chosen.round] if chosen.round else range(chosen.first, chosen.rounds + 1)
    for number in numbers:
        fault = fault_of(run.seed, number, faults)
        if not await run.play(number, [fault], fault.doors):
            break


async def soak(run: Run, chosen: argparse.Namespace) -> None:
    """Rounds of many faults each, through every door, until the minutes are over."""
    until = time.monotonic() + 60 * chosen.minutes
    chance = Random(f"{run.seed}|soak")
    number = 0
    while time.monotonic() < until:
        number += 1
        faults = chance.choices(FAULTS, k=SOAK_FAULTS)
        going = await run.play(number, faults, DOORS, people=SOAK_PEOPLE, seconds=SOAK_ROUND_SECONDS)
        if not going:
            break
        await run.deployment.look_at_engines()
        run.memory.read(run.deployment)


async def main(chosen: argparse.Namespace) -> int:
    """Run what was asked for; the exit code."""
    console = Console()
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    run = Run(chosen, console)
    try:
        await run.open()
        await (soak(run, chosen) if chosen.minutes else play_rounds(run, chosen))
        await run.close()
    except asyncio.CancelledError:  # interrupted: nothing was found, nothing is kept
        run.deployment.kill()
        run.deployment.disk.remove()
        shutil.rmtree(run.directory)
        raise
    except BaseException:
        await asyncio.to_thread(run.deployment.kill)
        console.print(f"kept: {run.directory} and {run.deployment.disk.path}", soft_wrap=True)
        raise
    return run.tell()


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make crash ARGS=", description=__doc__)
    parser.add_argument(
        "--rounds",
        type=int,
        default=len(FAULTS),
        help=f"how many rounds, one fault each [{len(FAULTS)}: every fault once]",
    )
    parser.add_argument(
        "--first", type=int, default=1, help="begin with this round, and end with that of --rounds [1]"
    )
    parser.add_argument("--round", type=int, help="play this round of the seed alone")
    parser.add_argument("--seed", type=int, default=1, help="of faults, people and choices [1]")
    parser.add_argument(
        "--minutes",
        type=float,
        help="soak for so long instead, to the end of the round begun; one takes about a minute",
    )
    parser.add_argument("--faults", metavar="NAME,...", help=f"these alone, of {', '.join(BY_NAME)}")
    parser.add_argument(
        "--stop-seconds", type=float, default=STOP_SECONDS, help="how long SIGSTOP lasts [10]"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was seen into FILE")
    chosen = parser.parse_args(argv)
    if chosen.faults and not set(chosen.faults.split(",")) <= BY_NAME.keys():
        parser.error(f"faults are {', '.join(BY_NAME)}")
    if chosen.round is None and not 1 <= chosen.first <= chosen.rounds:
        parser.error("there is no round to play: --first is at least 1 and at most --rounds")
    if chosen.json is not None and not chosen.json.absolute().parent.is_dir():
        parser.error(f"there is no directory {chosen.json.parent}")
    if chosen.minutes is not None and chosen.minutes <= 0:
        parser.error("--minutes is more than 0")
    return chosen


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(parse())))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(INTERRUPTED)
