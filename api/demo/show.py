"""How a demonstration is watched: a live table on a terminal, plain lines elsewhere, JSON lines for a program."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from api.demo.texts import STAGES, Language, say

PLAIN_STEP_PERCENT = 25
JSON_STEP_PERCENT = 1
LIVE_PER_SECOND = 4
REFUSALS_IN_A_ROW = 3


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
        self._bars: Progress | None = None
        self._live: Live | None = None
        self._tasks: dict[str, TaskID] = {}
        self._stage = ""
        self._told = -1

    def __enter__(self) -> "Show":
        if self.console.is_terminal and not self.as_json:
            self._bars = Progress(
                SpinnerColumn(finished_text="[green]✓[/]"),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f}%"),
                TimeElapsedColumn(),
                TextColumn("[dim]{task.fields[note]}[/]"),
                console=self.console,
                auto_refresh=False,
            )
            self._live = Live(self._bars, console=self.console, refresh_per_second=LIVE_PER_SECOND)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None and self._bars is not None:
            self._live.update(self._bars)
            self._live.stop()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """The length of one stage; its time goes into ``seconds``."""
        _heed_cancellation()
        self._stage, self._told = name, -1
        started = time.monotonic()
        if self._bars is not None:
            self._tasks[name] = self._bars.add_task(self._title(name), total=100, note="")
        self._tell(0, "")
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started
        if self._bars is not None:
            self._bars.update(self._tasks[name], completed=100)
        self._tell(100, f"{self.seconds[name]:.1f} s")

    async def percent(self, done: int, total: int, note: str = "") -> None:
        """How far the stage is."""
        _heed_cancellation()
        percent = 100 * done // max(1, total)
        if self._bars is not None:
            self._bars.update(self._tasks[self._stage], completed=percent, note=note)
        step = JSON_STEP_PERCENT if self.as_json else PLAIN_STEP_PERCENT
        if percent < 100 and percent >= self._told + step:
            self._tell(percent, note)

    def refusals(self, counts: Mapping[str, int]) -> None:
        """What was refused so far, by the code the till or holder was told."""
        if self._live is None or self._bars is None:
            return
        table = Table(title=say("refused", self.language), title_justify="left", show_header=False, box=None)
        cells = [f"[yellow]{count:>4}[/] {code}" for code, count in sorted(counts.items())]
        for first in range(0, len(cells), REFUSALS_IN_A_ROW):
            table.add_row(*cells[first : first + REFUSALS_IN_A_ROW])
        self._live.update(Group(self._bars, table) if cells else self._bars)

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


def _heed_cancellation() -> None:
    """Take up a Ctrl-C that was lost: `asyncio.wait_for` of Python 3.11 may swallow one."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
