"""A server as the child of a program that must take it along, also when the program is killed.

`start_server` runs `python -m campaigns.runtime.servers` and holds its stdin: when this process ends, in
whatever way, the kernel closes the pipe and the server ends.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from campaigns.runtime.engines.errors import ServerFailed, error_from_wire
from campaigns.runtime.servers import DRAIN_SECONDS, LINE_BYTES_MAX

FIRST_LINE_TIMEOUT_SECONDS = 30.0

_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class ServerHandle:
    """A server supervisor running as our child. When this process dies, in whatever way, it ends too."""

    def __init__(self, supervisor: subprocess.Popen[bytes], first: dict[str, Any]) -> None:
        self._supervisor = supervisor
        self._buffer = b""
        self.host: str = first["host"]
        self.port: int = first["port"]
        self._pids: list[int] = first["pids"]
        self.replaced = 0
        assert supervisor.stdout is not None, "started with a pipe"
        os.set_blocking(supervisor.stdout.fileno(), False)

    @property
    def supervisor_pid(self) -> int:
        """Process id of the supervisor."""
        return self._supervisor.pid

    def pids(self) -> list[int]:
        """Process ids of the server processes now; `replaced` counts those that died so far."""
        assert self._supervisor.stdout is not None, "started with a pipe"
        with suppress(BlockingIOError):
            while part := os.read(self._supervisor.stdout.fileno(), LINE_BYTES_MAX):
                self._buffer += part
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            event = json.loads(line)
            if event["event"] == "replaced":
                self.replaced += 1
            self._pids = event.get("pids", self._pids)
        return list(self._pids)

    def is_alive(self) -> bool:
        """True while the supervisor runs."""
        return self._supervisor.poll() is None

    def __enter__(self) -> ServerHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """Let the processes finish what they have begun, end them, and return the exit code."""
        assert self._supervisor.stdin is not None, "started with a pipe"
        assert self._supervisor.stdout is not None, "started with a pipe"
        self._supervisor.stdin.close()
        code = self._supervisor.wait(2 * DRAIN_SECONDS + FIRST_LINE_TIMEOUT_SECONDS)
        self._supervisor.stdout.close()
        return code


def start_server(
    command: Sequence[str],
    host: str,
    port: int,
    processes: int,
    environ: Mapping[str, str] | None = None,
    log_fd: int | None = None,
) -> ServerHandle:
    """Start a server supervisor as a child bound to our life; returns when it listens.

    `environ` is the whole environment of the processes (ours when None), `log_fd` takes everything they
    write (our stderr when None). Raises `PortInUse`, `AddressUnusable` or `ServerFailed`.
    """
    environment = dict(os.environ if environ is None else environ)
    paths = [str(_PACKAGE_ROOT), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    arguments = ["--host", host, "--port", str(port), "--processes", str(processes), "--until-stdin-closes"]
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "campaigns.runtime.servers", *arguments, "--", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log_fd,
        env=environment,
        bufsize=0,
    )
    first = _first_report(supervisor)
    if first["event"] == "listening":
        return ServerHandle(supervisor, first)
    for pipe in (supervisor.stdin, supervisor.stdout):
        assert pipe is not None, "started with pipes"
        pipe.close()
    supervisor.wait()
    raise error_from_wire(first["code"], first["facts"])


def _first_report(supervisor: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert supervisor.stdout is not None, "started with a pipe"
    with selectors.DefaultSelector() as selector:
        selector.register(supervisor.stdout, selectors.EVENT_READ)
        line = b""
        while not line.endswith(b"\n"):
            part = b""
            if selector.select(FIRST_LINE_TIMEOUT_SECONDS):
                part = os.read(supervisor.stdout.fileno(), 1)
            if not part:
                supervisor.kill()
                return {"event": "failed", **ServerFailed(count=1, seconds=0).to_wire()}
            line += part
    first: dict[str, Any] = json.loads(line)
    return first
