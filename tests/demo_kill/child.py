"""One run of the demonstration as a child process whose progress lines are read as they come."""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

LINES_MAX = 10_000


class Line(NamedTuple):
    """``{"event", "stage", "percent", "pids"}`` and the moment it was read."""

    at: float
    said: dict[str, Any]


class Child:
    """A demonstration that runs. Leaving the block ends it."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._lines: queue.Queue[Line | None] = queue.Queue(LINES_MAX)
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )  # fmt: skip
        self._reader = threading.Thread(target=self._read, name="lines", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None, "started with a pipe"
        with self._process.stdout as lines:
            for line in lines:
                if line.endswith(b"\n"):  # a kill may cut the last one
                    self._lines.put(Line(time.monotonic(), json.loads(line)))
        self._lines.put(None)

    def read(self, until: float) -> Line | None:
        """The next line; None when it has ended. Raises queue.Empty when nothing came until then."""
        return self._lines.get(timeout=max(0.0, until - time.monotonic()))

    def wait(self) -> int:
        """Its exit code, after the last line."""
        return self._process.wait()

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            if self._process.poll() is None:
                os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()
