"""How a demonstration is watched: a live table on a terminal, plain lines elsewhere, JSON lines for a program."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from api.demo.texts import STAGES, Language

PLAIN_STEP_PERCENT = 25
JSON_STEP_PERCENT = 1
LIVE_PER_SECOND = 8


class Show:
    """Stages with their times. ``pids`` tells who may be killed, for ``--progress-json``."""

    def __init__(
        self, language: Language, *, as_json: bool, pids: Callable[[], dict[str, Any]], console: Console
    ) -> None:
        self.language = language
        self.console = console
        self.seconds: dict[str, float] = {}
        self.as_json = as_json
        self._pids = pids
        self._live: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._stage = ""
        self._told = -1

    def __enter__(self) -> "Show":
        if self.console.is_terminal and not self.as_json:
            self._live = Progress(
                SpinnerColumn(finished_text="[green]✓[/]"),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f}%"),
                TimeElapsedColumn(),
                TextColumn("[dim]{task.fields[note]}[/]"),
                console=self.console,
                refresh_per_second=LIVE_PER_SECOND,
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """The length of one stage; its time goes into ``seconds``."""
        self._stage, self._told = name, -1
        started = time.monotonic()
        if self._live is not None:
            self._tasks[name] = self._live.add_task(self._title(name), total=100, note="")
        self._tell(0, "")
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started
        if self._live is not None:
            self._live.update(self._tasks[name], completed=100)
        self._tell(100, f"{self.seconds[name]:.1f} s")

    async def percent(self, done: int, total: int, note: str = "") -> None:
        """How far the stage is."""
        percent = 100 * done // max(1, total)
        if self._live is not None:
            self._live.update(self._tasks[self._stage], completed=percent, note=note)
        step = JSON_STEP_PERCENT if self.as_json else PLAIN_STEP_PERCENT
        if percent < 100 and percent >= self._told + step:
            self._tell(percent, note)

    def say(self, text: str) -> None:
        """A line for people."""
        if not self.as_json:
            self.console.print(text, highlight=False, soft_wrap=True)

    def event(self, name: str, **facts: Any) -> None:
        """A line for a program."""
        if self.as_json:
            line = {"event": name, **facts, "pids": self._pids()}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()

    def _tell(self, percent: int, note: str) -> None:
        self._told = percent
        self.event("progress", stage=self._stage, percent=percent)
        if self._live is None and not self.as_json:
            self.console.print(f"{self._title(self._stage)}  {percent}%  {note}".rstrip(), highlight=False)

    def _title(self, name: str) -> str:
        title: str = getattr(STAGES[name], self.language)
        return title
