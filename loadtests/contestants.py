"""The servers that are compared, each in processes of its own: the product, bare Sanic, and the baselines."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

from loadtests.places import Place
from loadtests.processes import children_of, module, start, stop

_ADDRESS = re.compile(rb"http://127\.0\.0\.1:([0-9]+)")
HOST = "127.0.0.1"
LOG_CHARACTERS = 2_000
SERVING = b'"serving"'  # the line of each process of the product that is ready
START_SECONDS_MAX = 60.0
QUIET_START_SECONDS = 4.0
LOOK_SECONDS = 0.05


class DidNotStart(Exception):
    """A server ended before it said its address."""


class Server:
    """A server that runs; ``pids`` are the processes that answer."""

    def __init__(
        self, name: str, command: list[str], environ: dict[str, str], log: Path | None = None,
        listener: socket.socket | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self._log: BinaryIO | None = log.open("ab") if log else None
        fds = [] if listener is None else [listener.fileno()]
        self._child: subprocess.Popen[bytes] = start(command, environ, self._log, fds)
        self.port = self._read_port() if listener is None else listener.getsockname()[1]
        self.pids = children_of(self._child.pid) or [self._child.pid]

    def _read_port(self) -> int:
        assert self._child.stdout is not None, "started with a pipe"
        for line in self._child.stdout:
            found = _ADDRESS.search(line)
            if found:
                return int(found[1])
        self.close()
        raise DidNotStart(f"{self.name}: {self._log_end()}")

    def _log_end(self) -> str:
        if self._log is None:
            return "see above"
        return Path(self._log.name).read_text(errors="replace")[-LOG_CHARACTERS:]

    def signal(self, number: int) -> None:
        """Signal the processes that answer."""
        for pid in self.pids:
            os.kill(pid, number)

    def close(self) -> None:
        """Let it finish what it has begun, and end it."""
        stop(self._child)
        if self._log is not None:
            self._log.close()


def hongbao(place: Place, processes: int, log_level: str = "info") -> Server:
    """The product as a user starts it, its log in a file; returns when every process serves."""
    log = place.path / f"server-{processes}.log"
    log.unlink(missing_ok=True)
    command = [str(Path(sys.executable).with_name("hongbao")), "serve", "--host", HOST, "--port", "0"]
    environ = place.environ | {"HONGBAO_LOG_LEVEL": log_level}
    server = Server("hongbao", [*command, "--processes", str(processes)], environ, log)
    if log_level == "info":
        _await_serving(server, log, processes)
    else:  # it does not say that it serves
        time.sleep(QUIET_START_SECONDS)
    return server


def _await_serving(server: Server, log: Path, processes: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while log.read_bytes().count(SERVING) < processes:
        if time.monotonic() > deadline:
            server.close()
            raise DidNotStart(f"{server.name}: {log.read_text(errors='replace')[-LOG_CHARACTERS:]}")
        time.sleep(LOOK_SECONDS)


def profiled(place: Place, profile: Path) -> Server:
    """One process of the product that writes a cProfile of what it does between SIGUSR1 and SIGUSR2."""
    hongbao(place, 1).close()  # migrates
    with socket.create_server((HOST, 0), backlog=2_048) as listener:
        command = module("loadtests.profiled", profile, "api.server", "--fd", listener.fileno())
        return Server("hongbao", command, place.environ, place.path / "server.log", listener)


def echo() -> Server:
    """Bare Sanic."""
    return Server("echo", module("loadtests.echo"), dict(os.environ))


def baseline(place: Place, name: str, pool: int) -> Server:
    """B-sql or B-orm (``name`` bsql, borm) with so many connections to the database."""
    command = module(f"loadtests.baselines.{name.removeprefix('b')}", "--pool", pool)
    return Server(name, command, place.addresses, place.path / f"{name}.log")
