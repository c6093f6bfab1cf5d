"""The small shared memory segment by which PostgreSQL guards a data directory.

A server that was killed leaves it behind (56 bytes, until the machine restarts), named in its pid file.
The next server on the same directory takes it over; when the directory goes, nobody would.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

_IPC_RMID = 0
_PID_FILE_LINE = 6

_libc = ctypes.CDLL(None, use_errno=True)


def remove_abandoned(postgres_dir: Path) -> bool:
    """Remove the segment named by a stale pid file, if it is still that one and nobody is attached to it."""
    try:
        key, segment_id = (postgres_dir / "postmaster.pid").read_text().splitlines()[_PID_FILE_LINE].split()
    except (FileNotFoundError, IndexError, ValueError):
        return False
    for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
        seen_key, seen_id, _perms, _size, _creator, _last, attached, *_ = line.split()
        # PostgreSQL writes the key unsigned, the kernel signed.
        if (int(seen_key) & 0xFFFFFFFF, seen_id) == (int(key) & 0xFFFFFFFF, segment_id) and attached == "0":
            return bool(_libc.shmctl(int(segment_id), _IPC_RMID, None) == 0)
    return False
