"""The processes of a deployment, found by their parents: server processes, PostgreSQL's backends."""

import os
import re
from contextlib import suppress
from pathlib import Path

_RSS = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)


def children(pid: int) -> list[int]:
    """Ids of the children of a process; none where it is gone."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return found
    return found


def command(pid: int) -> str:
    """A process's command line, or the title it gave itself; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def servers(supervisor: int) -> list[int]:
    """The server processes of a supervisor."""
    return [pid for pid in children(supervisor) if "--fd" in command(pid)]


def backends(postmaster: int) -> list[int]:
    """PostgreSQL's processes that serve connections of the application."""
    return [pid for pid in children(postmaster) if command(pid).startswith("postgres: app ")]


def pss_kb(pid: int) -> int:
    """Memory of a process, shared pages by share; 0 where it is gone."""
    try:
        found = _RSS.search(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) if found else 0


def is_gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


def cpu_ticks(pid: int) -> int:
    """The processor's time that a process has had, in ticks; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(fields[11]) + int(fields[12])


def stop_or_go(pid: int, number: int) -> None:
    """Send a signal to one of ours; one that ended meanwhile is no matter."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
