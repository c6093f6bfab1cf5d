"""Child processes that end with us, and what processes cost: CPU from /proc, by group."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

STOP_SECONDS = 40.0
_PR_SET_PDEATHSIG = 1
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_LIBC = ctypes.CDLL(None, use_errno=True)


class Cpu(NamedTuple):
    """Seconds of CPU that a group of processes has used."""

    user: float
    system: float

    @property
    def total(self) -> float:
        return self.user + self.system

    def since(self, before: Cpu) -> Cpu:
        """What came on top of ``before``."""
        return Cpu(self.user - before.user, self.system - before.system)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def start(
    command: Sequence[str],
    environ: Mapping[str, str],
    errors: IO[bytes] | int | None = None,
    fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child with pipes for stdin and stdout, in a process group of its own: Ctrl-C is for us to handle."""
    return subprocess.Popen(
        list(command), env=dict(environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
        pass_fds=fds, process_group=0, preexec_fn=_die_with_parent,
    )  # fmt: skip


def stop(child: subprocess.Popen[bytes]) -> int:
    """Tell a child to end, wait, and kill it only if it does not."""
    if child.poll() is None:
        child.terminate()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    try:
        return child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", name, *(str(one) for one in arguments)]


def children_of(pid: int) -> list[int]:
    """Process ids of the direct children."""
    found: list[int] = []
    for task in _tasks(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, (task / "children").read_text().split())
    return sorted(found)


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []


def cpu_of(roots: Sequence[int]) -> Cpu:
    """CPU of the processes, of their living children, and of those children that they have seen end."""
    ticks = [0, 0]
    for root in roots:
        for pid in (root, *children_of(root)):
            user, system = _ticks(pid, with_ended=pid == root)
            ticks[0] += user
            ticks[1] += system
    return Cpu(ticks[0] / _TICKS_PER_SECOND, ticks[1] / _TICKS_PER_SECOND)


def _ticks(pid: int, *, with_ended: bool) -> tuple[int, int]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    user, system, ended_user, ended_system = (int(one) for one in fields[11:15])
    return (user + ended_user, system + ended_system) if with_ended else (user, system)
