"""`hongbao serve` in a process of its own, on a database of its own that holds a `Known` world."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from api.routes import all_routes
from api.routing import Route
from campaigns.runtime.engines import Engines
from campaigns.runtime.keyfile import KEY_FILE_NAME
from campaigns.store.migrate import migrate
from tests.contract.world import Known, build

DATABASE = "hongbao_contract"
STOP_SECONDS = 60
LOG_NAME = "server.log"


@dataclass(frozen=True)
class Target:
    """A serving installation: where it is, what the caller knows of it, and where it logs."""

    address: str
    known: Known
    log: Path
    routes: tuple[Route, ...] = field(default_factory=all_routes)

    def incidents(self) -> list[dict[str, object]]:
        """What the server noted of errors of its own."""
        lines = (line for line in self.log.read_bytes().splitlines() if b'"incident"' in line)
        return [msgspec.json.decode(line) for line in lines]


@contextmanager
def serving(engines: Engines, directory: Path) -> Iterator[Target]:
    """Make the world in a new database, serve it by one process until the block ends, and drop it."""
    _write_key(directory / KEY_FILE_NAME)
    databases = asyncio.run(engines.create_database(DATABASE))
    try:
        asyncio.run(migrate(databases.owner.dsn, "test"))
        known = asyncio.run(build(databases, engines.redis_url, directory))
        environ = {
            **os.environ,
            "HONGBAO_MODE": "test",
            "HONGBAO_DATA_DIR": str(directory),
            "HONGBAO_SECRETS_DIR": str(directory),
            "DATABASE_URL": databases.app.dsn,
            "DATABASE_OWNER_URL": databases.owner.dsn,
            "DATABASE_SWEEPER_URL": databases.sweeper.dsn,
            "REDIS_URL": engines.redis_url,
        }
        log = directory / LOG_NAME
        with _process(environ, log) as address:
            yield Target(address, known, log)
    finally:
        asyncio.run(engines.drop_database(DATABASE))


def _write_key(path: Path) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secrets.token_hex(32) + "\n")


@contextmanager
def _process(environ: dict[str, str], log: Path) -> Iterator[str]:
    command = [
        sys.executable,
        "-c",
        "from api.cli import main; main()",
        "serve",
        "--port",
        "0",
        "--processes",
        "1",
    ]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, log.read_text()
            yield line.removesuffix("/v1/docs\n")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS)
            process.stdout.close()
