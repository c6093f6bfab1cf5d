"""The processes, sockets and directories of one data directory, found from outside."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import msgspec

LEAVE_SECONDS = 15.0
TICK_SECONDS = 0.05
HOMES = Path("/var/tmp")


def places(data_dir: Path) -> tuple[str, ...]:
    """The data directory, and where its engines lie: every process of it has one of these in its command or environment."""
    with suppress(FileNotFoundError):
        pointer = msgspec.json.decode((data_dir / "engines.json").read_bytes(), type=dict[str, str | bool])
        return (str(data_dir), *(str(pointer[key]) for key in ("home", "run") if key in pointer))
    return (str(data_dir),)


def belongs(pid: int, to: tuple[str, ...]) -> bool:
    """Whether a process is one of these places'; never this one."""
    if pid == os.getpid():
        return False
    for name in ("cmdline", "environ"):
        with suppress(OSError):
            text = Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
            if any(place in text for place in to):
                return True
    return False


def running(to: tuple[str, ...]) -> list[int]:
    """The process ids of these places."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return [pid for pid in pids if belongs(pid, to)]


def wait_until_gone(to: tuple[str, ...]) -> list[int]:
    """Give processes that are ending their time; answers those that stay."""
    deadline = time.monotonic() + LEAVE_SECONDS
    while (left := running(to)) and time.monotonic() < deadline:
        time.sleep(TICK_SECONDS)
    return left


def end_all(to: tuple[str, ...]) -> None:
    """Kill what a failed trial left of its own."""
    for pid in running(to):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until_gone(to)


def leftovers(to: tuple[str, ...], postmasters: set[int]) -> list[str]:
    """What is still there after a demonstration has ended: processes, sockets, shared memory of its postmasters."""
    found = [f"process {pid}" for pid in wait_until_gone(to)]
    sockets = Path("/proc/net/unix").read_text().splitlines()
    found += [f"socket {line.split()[-1]}" for line in sockets if any(place in line for place in to)]
    segments = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    return found + [f"shared memory {fields[1]}" for fields in segments if int(fields[4]) in postmasters]


def homes_of(data_dir: Path) -> list[str]:
    """Homes of engines outside the data directory that say they are this one's."""
    found = []
    for origin in HOMES.glob("hongbao-*/origin"):
        with suppress(OSError):
            if origin.read_text() == str(data_dir):
                found.append(f"home {origin.parent}")
    return found
