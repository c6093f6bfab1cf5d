"""Engines of a test's own, in data directories that are gone afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from campaigns.runtime.engines.clean import clean
from campaigns.runtime.engines.join import wait_until_stopped
from campaigns.runtime.engines.processes import is_alive
from tests.engines_fixture import scratch_directory

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0
SMALL = {"HONGBAO_POSTGRES_SHARED_BUFFERS_MB": "32", "HONGBAO_POSTGRES_MAX_WAL_MB": "128"}


def wait_for(what: Callable[[], Any], why: str) -> Any:
    """Look until it is true; fail with `why` when it does not come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seen := what()):
        if time.monotonic() > deadline:
            pytest.fail(f"did not happen in {PATIENCE_SECONDS} s: {why}")
        time.sleep(0.01)
    return seen


def wait_for_end(*pids: int) -> None:
    """Wait until none of the processes runs."""
    wait_for(lambda: not any(is_alive(pid) for pid in pids), f"end of {pids}")


def exists(path: Path) -> bool:
    """True when something is there (for tests that are coroutines)."""
    return path.exists()


def mode_of(path: Path) -> int:
    """Permission bits."""
    return path.stat().st_mode & 0o777


def text_of(path: Path) -> str:
    """What the file holds."""
    return path.read_text()


class Program:
    """A process that uses the engines of a data directory (client_program.py)."""

    def __init__(
        self, data_dir: Path, python: str = sys.executable, uid: int | None = None, **environ: str
    ) -> None:
        self.supervisor = 0
        base = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
        site = next(path for path in sys.path if path.endswith("site-packages"))
        self.process = subprocess.Popen(
            [python, "-m", "tests.runtime.client_program"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env=base
            | SMALL
            | {
                "HONGBAO_DATA_DIR": str(data_dir),
                "PYTHONPATH": f"{REPOSITORY}:{site}",
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            | environ,
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
        )

    def hear(self) -> dict[str, Any]:
        """The next thing it says."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the program ended with {self.process.wait()} and said nothing"
        said = json.loads(line)
        self.supervisor = said.get("supervisor", self.supervisor)
        return said

    def ask(self) -> dict[str, Any]:
        """Have it make sure that the engines run, and say where."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.hear()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self._reap()

    def end_supervisor(self) -> None:
        """SIGTERM to the supervisor it joined, which need not wait for newcomers then."""
        with suppress(FileNotFoundError, ProcessLookupError):
            if (
                b"campaigns.runtime.engines.supervisor"
                in Path(f"/proc/{self.supervisor}/cmdline").read_bytes()
            ):
                os.kill(self.supervisor, signal.SIGTERM)

    def leave(self) -> None:
        """Let it end by itself."""
        self._reap()

    def _reap(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.wait(PATIENCE_SECONDS)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory (not yet made) whose engines, files and /var/tmp home are gone after the test."""
    directory = scratch_directory()
    try:
        yield directory / "data"
    finally:
        for made in [directory / "data", *directory.glob("*/data")]:
            if made.is_dir():
                assert wait_until_stopped(made)
                if made.stat().st_uid == os.geteuid():
                    clean(made)
        shutil.rmtree(directory)


@pytest.fixture
def start(data_dir: Path) -> Iterator[Callable[..., Program]]:
    """Starts programs on `data_dir` (or another); those still running are killed at the end."""
    programs: list[Program] = []

    def start_program(directory: Path = data_dir, **options: Any) -> Program:
        programs.append(Program(directory, **options))
        return programs[-1]

    yield start_program
    for program in programs:
        program.end_supervisor()
        program.kill()
