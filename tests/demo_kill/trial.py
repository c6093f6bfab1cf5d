"""One data directory: runs of the demonstration, kills of one target at its moments, until a run ends by itself."""

import json
import os
import queue
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.demo_kill.child import Child, Line
from tests.demo_kill.evidence import told_in
from tests.demo_kill.moments import DEMO, POSTGRES, SERVER, VALKEY, Moment
from tests.demo_kill.processes import belongs, places

RUN_SECONDS_MAX = 240.0
LATE_SECONDS = 0.002  # a line read this soon after a kill was written before it
SAME_RUN, NEXT_RUN = "the same run went on", "resumed by the next run"
MUST_COME_BACK = frozenset({SERVER, POSTGRES, VALKEY})
JOURNAL = Path("run/journal.jsonl")


@dataclass
class Kill:
    """A kill and what followed. ``seconds``: until the work was further and the killed process replaced."""

    target: str
    moment: str
    pid: int
    stage: str
    percent: int
    at: float
    told: set[str]
    run: int
    late: bool = False
    outcome: str = ""
    seconds: float = 0.0

    @property
    def failure(self) -> str:
        """Why this is not what was promised; empty when it is."""
        if not self.outcome:
            return "the work did not go on"
        if self.target in MUST_COME_BACK and self.outcome != SAME_RUN:
            return f"{self.target} did not come back in the same run"
        return ""


@dataclass
class Asked:
    """What to run: the options of the demonstration, and the order of its stages (empty: none is killed)."""

    target: str
    moments: list[Moment]
    data_dir: Path
    scale: float
    seed: int
    stages: Sequence[str] = ()


@dataclass
class Ended:
    """What came of it. ``figures`` is empty where no run ended by itself."""

    kills: list[Kill] = field(default_factory=list)
    runs: int = 0
    seconds: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)
    postmasters: set[int] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    missed: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Trial:
    """Call `run` once. ``tell`` hears of each kill as soon as it is known what followed."""

    def __init__(self, asked: Asked, tell: Callable[[Kill], None]) -> None:
        self._asked, self._tell = asked, tell
        self._chance = Random(f"{asked.seed}|{asked.target}")
        self._waiting = list(asked.moments)
        self._open: Kill | None = None
        self._due: float | None = None
        self._last: dict[str, Any] = {}
        self.ended = Ended()

    @property
    def figures_file(self) -> Path:
        return self._asked.data_dir.with_suffix(".figures.json")

    @property
    def log(self) -> Path:
        """What the runs wrote on stderr."""
        return self._asked.data_dir.with_suffix(".log")

    def run(self) -> Ended:
        """Run and resume until a run ends by itself, every run for at most `RUN_SECONDS_MAX`."""
        started, ended = time.monotonic(), self.ended
        for _ in range(len(self._asked.moments) + 1):
            ended.runs += 1
            code = self._one_run()
            if not code or self._open is None:
                break
        ended.seconds = time.monotonic() - started
        if code == 0:
            ended.figures = json.loads(self.figures_file.read_bytes())
        else:
            how = f"did not end in {RUN_SECONDS_MAX:.0f} s" if code is None else f"ended with {code}"
            ended.failures.append(f"run {ended.runs} {how}, see {self.log}")
        ended.failures += [f"{kill.moment}: {kill.failure}" for kill in ended.kills if kill.failure]
        ended.failures += [f"{moment.name}: never came" for moment in self._waiting]
        return ended

    def _command(self) -> list[str]:
        asked = self._asked
        return [
            str(Path(sys.executable).with_name("hongbao")), "demo", "pingyin", "--exit", "--progress-json",
            "--json", str(self.figures_file), "--data-dir", str(asked.data_dir),
            "--scale", str(asked.scale), "--seed", str(asked.seed),
        ]  # fmt: skip

    def _one_run(self) -> int | None:
        """The exit code; None when it had to be ended."""
        deadline = time.monotonic() + RUN_SECONDS_MAX
        self._due = None
        with Child(self._command(), self.log) as child:
            while True:
                try:
                    line = child.read(deadline if self._due is None else min(self._due, deadline))
                except queue.Empty:
                    if self._due is None:
                        return None
                    self._kill()
                    continue
                if line is None:
                    return child.wait()
                if line.said["event"] == "progress":
                    self._on_line(line)

    def _on_line(self, line: Line) -> None:
        said = line.said
        if said["stage"] not in self.ended.stages:
            self.ended.stages.append(said["stage"])
        if "postgres" in said["pids"]:
            self.ended.postmasters.add(said["pids"]["postgres"])
        if self._open is not None:
            self._judge(self._open, line)
        self._last = said
        if self._due is None:
            self._pass_by(said)
        if self._due is not None:
            if said["percent"] == 100:  # the stage is over before its moment came
                self._kill(late=True)
        elif self._open is None and self._waiting:
            moment = self._waiting[0]
            if said["stage"] == moment.stage and said["percent"] >= moment.percent:
                self._due = line.at + moment.delay_seconds
                if moment.delay_seconds == 0:
                    self._kill()

    def _pass_by(self, said: dict[str, Any]) -> None:
        """Moments that went by while the last kill was being recovered from are missed."""
        order = self._asked.stages
        while self._waiting:
            moment = self._waiting[0]
            over = said["percent"] == 100 and said["stage"] == moment.stage
            if not over and order.index(said["stage"]) <= order.index(moment.stage):
                return
            self.ended.missed.append(self._waiting.pop(0).name)

    def _kill(self, *, late: bool = False) -> None:
        """Kill the target, which the last line named."""
        moment, said, target = self._waiting.pop(0), self._last, self._asked.target
        self._due = None
        pids = said["pids"][target]
        pid = self._chance.choice(pids) if isinstance(pids, list) else pids
        to = places(self._asked.data_dir)
        self.ended.places |= set(to)
        assert belongs(pid, to), f"{target} {pid} is none of ours"
        os.kill(pid, signal.SIGKILL)
        at = time.monotonic()
        told = set(told_in(self._asked.data_dir / JOURNAL).done)
        self._open = Kill(
            target, moment.name, pid, said["stage"], said["percent"], at, told, self.ended.runs, late
        )
        self.ended.kills.append(self._open)

    def _judge(self, kill: Kill, line: Line) -> None:
        """Take note of what a line after a kill says of it."""
        said = line.said
        same = kill.run == self.ended.runs
        at_end = (said["stage"], said["percent"]) == (kill.stage, 100)
        if same and at_end and (kill.target == DEMO or line.at < kill.at + LATE_SECONDS):
            kill.late = True
        now = said["pids"].get(kill.target)
        if now is None or kill.pid in (now if isinstance(now, list) else [now]):
            return
        order = self._asked.stages
        if (order.index(said["stage"]), said["percent"]) > (order.index(kill.stage), kill.percent):
            kill.outcome = SAME_RUN if same else NEXT_RUN
            kill.seconds = line.at - kill.at
            self._open = None
            self._tell(kill)
