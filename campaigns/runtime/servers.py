"""Server processes: N copies of one command on a shared listening socket, watched by one supervisor.

The supervisor binds the socket once and starts each process as `COMMAND --fd N`. A process that dies is
replaced, within a bound (one that says that an engine is away: without); when the supervisor dies, kill -9 included,
the kernel ends them all. SIGTERM, SIGINT or a closed terminal (SIGHUP) to the supervisor sends SIGTERM to each, which
finish what they have begun, and waits.

In the foreground: `ServerSupervisor(...).run()`. From a parent that must take the server with it, also
when killed: `campaigns.runtime.server_handle.start_server(...)`.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from campaigns.runtime.engines.errors import (
    AddressUnusable,
    EngineError,
    PortInUse,
    ServerFailed,
)
from campaigns.runtime.engines.processes import bound_to_parent

DRAIN_SECONDS = 30.0
REPLACEMENTS_MAX = 20
REPLACEMENTS_WINDOW_SECONDS = 60
SHORT_LIFE_SECONDS = 1.0
PAUSE_AFTER_SHORT_LIFE_SECONDS = 0.5
EXIT_ENGINE_AWAY = 75  # EX_TEMPFAIL, of a process that cannot start while an engine is away: waiting helps
PAUSE_AWAY_SECONDS = 1.0
LISTEN_BACKLOG = 2_048
TICK_SECONDS = 0.2
POLL_SECONDS = 0.01
LINE_BYTES_MAX = 65_536

Report = Callable[[dict[str, Any]], None]


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises `PortInUse` or `AddressUnusable`."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise AddressUnusable(host=host, port=port, reason=error.strerror or "unknown host") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(LISTEN_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host=host, port=port, variable="HONGBAO_PORT") from error
        raise AddressUnusable(host=host, port=port, reason=error.strerror or "refused") from error
    return listener


@dataclass(slots=True)
class _Slot:
    """One place for a process: the process, or when the next may start and which (pid, exit code) ended."""

    child: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_from: float = 0.0
    ended: tuple[int, int] | None = None


class ServerSupervisor:
    """Holds the listening socket and `processes` copies of `command`. Use from the main thread.

    `report` hears of events as JSON-like facts: `listening` (host, port, supervisor, pids), `replaced`
    (old, exit_code, pids), `stopping`. The socket is bound at once: the constructor raises `PortInUse` or
    `AddressUnusable`.
    """

    def __init__(
        self, command: Sequence[str], host: str, port: int, processes: int, report: Report | None = None
    ) -> None:
        assert processes >= 1, processes
        self._command = list(command)
        self._listener = bind(host, port)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self._slots = [_Slot() for _ in range(processes)]
        self._report = report or (lambda event: None)
        self._replacements: deque[float] = deque()
        self._stopping = False

    @property
    def pids(self) -> list[int]:
        """Process ids of the running copies."""
        return [slot.child.pid for slot in self._slots if slot.child is not None]

    def run(self, *, until_closed_fd: int | None = None) -> None:
        """Serve until SIGTERM, SIGINT or SIGHUP, or until the other end of `until_closed_fd` is closed.

        Raises `ServerFailed` when processes die faster than the bound. No process is left at return.
        """
        selector = selectors.DefaultSelector()
        wake_fd = self._listen_to_signals()
        selector.register(wake_fd, selectors.EVENT_READ)
        if until_closed_fd is not None:
            selector.register(until_closed_fd, selectors.EVENT_READ)
        try:
            self._start_due()
            address = {"host": self.host, "port": self.port}
            self._report({"event": "listening", **address, "supervisor": os.getpid(), "pids": self.pids})
            while not self._stopping:
                for key, _ in selector.select(TICK_SECONDS):
                    if not os.read(key.fd, LINE_BYTES_MAX) and key.fd == until_closed_fd:
                        self._stopping = True
                self._note_ends()
                self._start_due()
            self._report({"event": "stopping"})
        finally:
            self._stop()
            selector.close()

    def _listen_to_signals(self) -> int:
        wake_read, wake_write = os.pipe()
        for fd in (wake_read, wake_write):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means to outlive the terminal
                signal.signal(number, self._on_stop)
        return wake_read

    def _on_stop(self, *_: object) -> None:
        self._stopping = True

    def _start_due(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.child is None and slot.start_from <= now and not self._stopping:
                slot.started_at = now
                slot.child = self._start()
                if slot.ended is not None:
                    old, exit_code = slot.ended
                    facts = {"old": old, "exit_code": exit_code, "new": slot.child.pid, "pids": self.pids}
                    self._report({"event": "replaced", **facts})

    def _start(self) -> subprocess.Popen[bytes]:
        fd = self._listener.fileno()
        return subprocess.Popen(
            [*self._command, "--fd", str(fd)],
            stdin=subprocess.DEVNULL,
            stdout=2,  # our stdout carries the reports
            pass_fds=(fd,),
            process_group=0,  # an interrupt from the keyboard is ours alone; we let them finish
            preexec_fn=bound_to_parent(signal.SIGKILL),
        )

    def _note_ends(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.child is None or slot.child.poll() is None:
                continue
            slot.ended = (slot.child.pid, slot.child.returncode)
            slot.child = None
            if self._stopping:
                continue
            if slot.ended[1] == EXIT_ENGINE_AWAY:  # not its fault: it counts for no bound
                slot.start_from = now + PAUSE_AWAY_SECONDS
                continue
            short = now - slot.started_at < SHORT_LIFE_SECONDS
            slot.start_from = now + (PAUSE_AFTER_SHORT_LIFE_SECONDS if short else 0.0)
            self._count_replacement(now)

    def _count_replacement(self, now: float) -> None:
        self._replacements.append(now)
        while self._replacements[0] < now - REPLACEMENTS_WINDOW_SECONDS:
            self._replacements.popleft()
        if len(self._replacements) > REPLACEMENTS_MAX:
            raise ServerFailed(count=len(self._replacements), seconds=REPLACEMENTS_WINDOW_SECONDS)

    def _stop(self) -> None:
        self._stopping = True
        self._listener.close()
        for number, wait_seconds in ((signal.SIGTERM, DRAIN_SECONDS), (signal.SIGKILL, DRAIN_SECONDS)):
            for slot in self._slots:
                if slot.child is not None:
                    slot.child.send_signal(number)
            deadline = time.monotonic() + wait_seconds
            while self.pids and time.monotonic() < deadline:
                self._note_ends()
                time.sleep(POLL_SECONDS)


def _print_report(event: dict[str, Any]) -> None:
    # A parent that does not read, or has gone, must not hold the server up.
    with suppress(BlockingIOError, BrokenPipeError):
        os.write(1, json.dumps(event).encode() + b"\n")


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m campaigns.runtime.servers`: reports on stdout as JSON lines, all else on stderr."""
    parser = argparse.ArgumentParser(prog="python -m campaigns.runtime.servers", description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--processes", required=True, type=int)
    parser.add_argument("--until-stdin-closes", action="store_true")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args(argv)
    if arguments.until_stdin_closes:
        os.set_blocking(1, False)  # a pipe of our own; a terminal would be shared with the shell
    try:
        supervisor = ServerSupervisor(
            arguments.command, arguments.host, arguments.port, arguments.processes, _print_report
        )
        supervisor.run(until_closed_fd=0 if arguments.until_stdin_closes else None)
    except EngineError as error:
        _print_report({"event": "failed", **error.to_wire()})
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
