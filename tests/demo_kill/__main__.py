"""Kill every part of a demonstration with -9 and see that nothing is lost: ``make demo-kill``.

One run of the demonstration undisturbed is the measure. Then, for each target, a data directory of its own: the target
is killed in freeze and draw, at 25, 50 and 75% of the payments and in close; what ended is started again on the same
directory. Ends with 1 if anything is not as promised; the data of a failed target is kept and named.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.demo_kill.moments import NAMES, TARGETS, moments
from tests.demo_kill.processes import end_all, places
from tests.demo_kill.trial import Asked, Ended, Kill, Trial
from tests.demo_kill.verdict import Verdict, judge

ROOT = Path(__file__).resolve().parents[2]
DIRECTORY = ROOT / "var" / "demo-kill"
MOST_TRIES = 5  # a moment that went by, in a stage of a few milliseconds, is tried again on new data
WIDTHS = (18, 8, 9, 24, 8, 16)


class Harness:
    """All trials; `failures` by target, `facts` for the JSON."""

    def __init__(self, scale: float, seed: int, directory: Path, console: Console) -> None:
        self._scale, self._seed, self._directory, self._console = scale, seed, directory, console
        self._undisturbed: dict[str, Any] = {}
        self._stages: list[str] = []
        self.trials: list[dict[str, Any]] = []
        self.failures = 0

    def measure(self) -> None:
        """Run undisturbed."""
        self._console.print(f"undisturbed, scale {self._scale:g}, seed {self._seed} ...", highlight=False)
        ended = self._trial("undisturbed", "none", ())
        self._undisturbed, self._stages = ended.figures, ended.stages
        self._row("TARGET", "MOMENT", "KILLED AT", "WHAT HAPPENED", "SECONDS", "TOLD BEFORE")

    @property
    def is_measured(self) -> bool:
        return bool(self._undisturbed)

    def target(self, target: str, names: tuple[str, ...]) -> None:
        """Kill one target at its moments; a moment that went by is tried again."""
        for number in range(1, MOST_TRIES + 1):
            ended = self._trial(target if number == 1 else f"{target}-{number}", target, names)
            names = (*ended.missed, *(kill.moment for kill in ended.kills if kill.late))
            if not names:
                return
        self.failures += 1
        self._console.print(f"[red]  never hit in time: {', '.join(names)}[/]")

    def _trial(self, name: str, target: str, names: tuple[str, ...]) -> Ended:
        data_dir = self._directory / name
        seconds = self._undisturbed.get("seconds_by_stage", {})
        chosen = moments(names, f"{self._seed}|{name}", seconds) if names else []
        asked = Asked(target, chosen, data_dir, self._scale, self._seed, self._stages)
        trial = Trial(asked, self._tell)
        try:
            ended = trial.run()
        except BaseException:
            end_all(places(data_dir))
            raise
        verdict = judge(ended, data_dir, self._undisturbed)
        self._end(name, ended, verdict, data_dir)
        if not verdict.failures:
            trial.log.unlink()
            trial.figures_file.unlink()
        return ended

    def _tell(self, kill: Kill) -> None:
        where = f"{kill.stage} {kill.percent}%" if kill.moment.isdecimal() else kill.stage
        happened = kill.outcome + (" (late)" if kill.late else "")
        moment = f"{kill.moment}%" if kill.moment.isdecimal() else kill.moment
        self._row(
            kill.target,
            moment,
            where.replace("payments ", ""),
            happened,
            f"{kill.seconds:.1f}",
            f"{len(kill.told):,}",
        )

    def _row(self, *cells: str) -> None:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True))
        self._console.print(line.rstrip(), highlight=False, markup=False, soft_wrap=True)

    def _end(self, name: str, ended: Ended, verdict: Verdict, data_dir: Path) -> None:
        self.failures += len(verdict.failures)
        colour = "red" if verdict.failures else "green"
        self._console.print(
            f"[{colour}]  {name}: {len(ended.kills)} kills, {ended.runs} runs, {ended.seconds:.0f} s,"
            f" violations: {verdict.violations}, acknowledgements found: {verdict.found:,} of {verdict.told:,}[/]",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        for failure in verdict.failures:
            self._console.print(f"  {failure}", style="red", highlight=False, markup=False, soft_wrap=True)
        if verdict.failures:
            self._console.print(f"  kept: {data_dir}", highlight=False, soft_wrap=True)
        kills = [
            {"target": k.target, "moment": k.moment, "pid": k.pid, "stage": k.stage, "percent": k.percent, "late": k.late,
             "outcome": k.outcome, "seconds": round(k.seconds, 2), "told_before": len(k.told)}
            for k in ended.kills
        ]  # fmt: skip
        self.trials.append(
            {"name": name, "kills": kills, "runs": ended.runs, "seconds": round(ended.seconds, 1),
             "violations": verdict.violations, "acknowledgements": verdict.told, "found": verdict.found,
             "payments": ended.figures.get("payments"), "failures": verdict.failures}
        )  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Run the trials that were asked for; answer the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo_kill", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the campaign; 1 is 30,000 registrations")
    parser.add_argument("--seed", type=int, default=1, help="of the demonstration and of the moments")
    parser.add_argument("--targets", default=",".join(TARGETS), help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--moments", default=",".join(NAMES), help=f"of {', '.join(NAMES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was seen into FILE")
    chosen = parser.parse_args(argv)
    targets, names = chosen.targets.split(","), tuple(chosen.moments.split(","))
    if not set(targets) <= set(TARGETS) or not set(names) <= set(NAMES):
        parser.error(f"targets are {', '.join(TARGETS)}; moments are {', '.join(NAMES)}")
    return run(chosen.scale, chosen.seed, targets, names, chosen.json, Console())


def run(
    scale: float, seed: int, targets: list[str], names: tuple[str, ...], json_file: Path | None, console: Console
) -> int:  # fmt: skip
    """As the command line does."""
    started = time.monotonic()
    directory = DIRECTORY / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    directory.mkdir(parents=True, mode=0o711)
    harness = Harness(scale, seed, directory, console)
    harness.measure()
    if harness.is_measured:
        for target in targets:
            harness.target(target, names)
    seconds = time.monotonic() - started
    kills = sum(len(trial["kills"]) for trial in harness.trials)
    if not harness.failures:
        directory.rmdir()
    console.print(
        f"{kills} kills in {len(harness.trials)} data directories, {seconds:.0f} s, failures: {harness.failures}",
        highlight=False,
    )
    if json_file is not None:
        facts = {"scale": scale, "seed": seed, "cpus": os.cpu_count(), "seconds": round(seconds, 1),
                 "kills": kills, "failures": harness.failures, "trials": harness.trials}  # fmt: skip
        json_file.write_text(json.dumps(facts, indent=2) + "\n")
    return 1 if harness.failures or not harness.is_measured else 0


if __name__ == "__main__":
    sys.exit(main())
