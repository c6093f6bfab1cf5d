"""Engines of a load test's own: PostgreSQL and Valkey in a directory that goes at the end, and their addresses.

The engines are started by the product's own command (`python -m campaigns.runtime.engines run`), which keeps them
up as long as the process that it becomes: this module's `main`, which ends when our end of its stdin is closed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from loadtests.processes import module, start, stop

ADDRESSES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
ENGINES = "campaigns.runtime.engines"
COMMAND_SECONDS = 120.0


class NoEngines(Exception):
    """The engines did not start; the text says why."""


@dataclass
class Place:
    """A data directory with its engines running. Close it to end them and remove the directory."""

    path: Path
    shared_buffers_mb: int = 512
    environ: dict[str, str] = field(init=False)
    database_url: str = field(init=False)
    owner_url: str = field(init=False)
    redis_url: str = field(init=False)
    home: Path = field(init=False)
    postgres_pid: int = field(init=False)
    valkey_pid: int = field(init=False)

    def __post_init__(self) -> None:
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HONGBAO_", "DATABASE_"))
        }
        ours.pop("REDIS_URL", None)
        self.environ = ours | {
            "HONGBAO_MODE": "test",
            "HONGBAO_DATA_DIR": str(self.path),
            "HONGBAO_POSTGRES_SHARED_BUFFERS_MB": str(self.shared_buffers_mb),
            "HONGBAO_LANGUAGE": "en",
        }
        self._holder = start(module(ENGINES, "run", "--", *module(__name__)), self.environ)
        try:
            self._read()
        except BaseException:
            self.close()
            raise

    def _read(self) -> None:
        assert self._holder.stdout is not None, "started with a pipe"
        line = self._holder.stdout.readline()
        if not line:
            raise NoEngines("the engines did not start; see above")
        addresses = json.loads(line)
        self.database_url, self.owner_url, self.redis_url = (addresses[name] for name in ADDRESSES)
        status = json.loads(self.run(ENGINES, "status"))
        self.home = Path(status["home"])
        self.postgres_pid, self.valkey_pid = status["postgres"], status["valkey"]

    def run(self, name: str, *arguments: object) -> bytes:
        """What a module of the product prints. Raises CalledProcessError."""
        done = subprocess.run(
            module(name, *arguments),
            env=self.environ,
            stdout=subprocess.PIPE,
            check=True,
            timeout=COMMAND_SECONDS,
        )
        return done.stdout

    @property
    def addresses(self) -> dict[str, str]:
        """The environment of a server that uses these engines as somebody else's."""
        return self.environ | {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}

    def close(self) -> None:
        """End the engines and remove what they wrote."""
        stop(self._holder)
        subprocess.run(module(ENGINES, "clean"), env=self.environ, stdout=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.path, ignore_errors=True)


def main() -> int:
    """Say where the engines are and hold them until stdin ends."""
    print(json.dumps({name: os.environ[name] for name in ADDRESSES}), flush=True)
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
