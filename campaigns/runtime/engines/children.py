"""An engine as the supervisor sees it: a child with a log, a readiness and a way to stop."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from campaigns.runtime.engines import postgres, valkey
from campaigns.runtime.engines.binaries import Binaries
from campaigns.runtime.engines.credentials import Credentials
from campaigns.runtime.engines.errors import EngineError, StartFailed
from campaigns.runtime.engines.layout import Layout
from campaigns.runtime.engines.processes import POLL_SECONDS, spawn, tail

LOG_MAX_BYTES = 8_000_000


@dataclass(slots=True)
class Engine:
    """PostgreSQL or Valkey: `name` is its key in messages, `title` its name for people."""

    name: str
    title: str
    log: Path
    cwd: Path
    layout: Layout
    argv: list[str]
    death_signal: int
    stop_signals: tuple[tuple[int, float], ...]
    is_ready: Callable[[int], bool]
    end_leftovers: Callable[[], int]
    make_start_error: Callable[[str, str], EngineError]
    ready: bool = False
    _child: subprocess.Popen[bytes] | None = field(default=None)
    _log_fd: int = field(default=-1)

    @property
    def pid(self) -> int:
        """The process id, 0 when it does not run."""
        return 0 if self._child is None else self._child.pid

    def start(self) -> None:
        """End what outlived an earlier one in this data directory, then start. Ready comes later."""
        self.end_leftovers()
        if self._log_fd < 0:
            self._log_fd = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._child = spawn(
                self.argv,
                cwd=self.cwd,
                environ=postgres.environ(),
                identity=self.layout.identity,
                output_fd=self._log_fd,
                death_signal=self.death_signal,
            )
        except OSError as error:
            raise self.make_start_error(f"{error.strerror}", tail(self.log)) from error

    def look(self) -> None:
        """Notice that it has become ready, and keep its log bounded."""
        if self._child is not None and not self.ready:
            self.ready = self.is_ready(self._child.pid)
        if self._log_fd >= 0 and os.fstat(self._log_fd).st_size > LOG_MAX_BYTES:
            # The engine appends to the same open file, so it is copied and emptied, never renamed.
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.ftruncate(self._log_fd, 0)

    def ended(self, status: int) -> None:
        """Take note of its end, as reaped by the supervisor."""
        assert self._child is not None, "an engine that does not run cannot end"
        self._child.returncode = os.waitstatus_to_exitcode(status)
        self._child = None
        self.ready = False

    def start_error(self, status: str) -> EngineError:
        """Why it ended before it was ready."""
        return self.make_start_error(status, tail(self.log))

    def signal_first(self) -> None:
        """Ask it to stop."""
        if self._child is not None:
            with suppress(ProcessLookupError):
                self._child.send_signal(self.stop_signals[0][0])

    def stop(self) -> None:
        """Wait for its end (after `signal_first`), with harder signals in turn; nothing of it is left."""
        for index, (number, wait_seconds) in enumerate(self.stop_signals):
            if self._child is None:
                break
            if index:
                self._child.send_signal(number)
            deadline = time.monotonic() + wait_seconds
            while self._child is not None and time.monotonic() < deadline:
                pid, status = os.waitpid(self._child.pid, os.WNOHANG)
                if pid:
                    self.ended(status)
                else:
                    time.sleep(POLL_SECONDS)
        self.end_leftovers()
        if self._log_fd >= 0:
            os.close(self._log_fd)
            self._log_fd = -1


def postgres_engine(layout: Layout, binaries: Binaries, tcp_port: int) -> Engine:
    """PostgreSQL in its data directory."""
    return Engine(
        name="postgres",
        title="PostgreSQL",
        log=layout.log / "postgres.log",
        cwd=layout.postgres,
        layout=layout,
        argv=postgres.command(layout, binaries),
        death_signal=postgres.DEATH_SIGNAL,
        stop_signals=postgres.STOP_SIGNALS,
        is_ready=lambda pid: postgres.is_ready(layout, pid),
        end_leftovers=lambda: postgres.end_leftovers(layout),
        make_start_error=lambda status, lines: postgres.start_error(layout, lines, status, tcp_port),
    )


def valkey_engine(layout: Layout, binaries: Binaries, credentials: Credentials) -> Engine:
    """Valkey in its data directory."""
    log = layout.log / "valkey.log"
    return Engine(
        name="valkey",
        title="Valkey",
        log=log,
        cwd=layout.valkey,
        layout=layout,
        argv=valkey.command(layout, binaries),
        death_signal=valkey.DEATH_SIGNAL,
        stop_signals=valkey.STOP_SIGNALS,
        is_ready=lambda _: valkey.is_ready(layout, credentials),
        end_leftovers=lambda: valkey.end_leftovers(layout),
        make_start_error=lambda status, lines: StartFailed(
            engine="Valkey", reason=status, log=str(log), lines=lines
        ),
    )
