"""Where load tests run: as the commands they are, from a directory of the test's own."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = 240


class Command:
    """`python -m NAME ...` with nothing of the caller's installation in its environment."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HONGBAO_", "DATABASE_"))
        }
        self.environ = ours | {"PYTHONPATH": str(ROOT)}

    def start(self, name: str, *arguments: object) -> subprocess.Popen[str]:
        """Start it, its output in a pipe."""
        command = [sys.executable, "-m", name, *map(str, arguments)]
        return subprocess.Popen(
            command,
            cwd=self.directory,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, name: str, arguments: Sequence[object], code: int = 0) -> str:
        """Run it to its end and answer its output."""
        with self.start(name, *arguments) as child:
            try:
                said, _ = child.communicate(timeout=SECONDS_MAX)
            except BaseException:
                child.send_signal(signal.SIGTERM)
                raise
        assert child.returncode == code, said
        return said

    def left(self) -> list[Path]:
        """Directories of load tests that are still there."""
        return list((self.directory / "var").glob("*"))


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)
