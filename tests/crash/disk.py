"""A file system of our own for one deployment, which can be full: a small tmpfs as root, RLIMIT_FSIZE otherwise."""

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SIZE_BYTES = 1_600_000_000
SLACK_BYTES = 1 << 16  # what is left of a full disk
LIMIT_BYTES = 1 << 20  # no file may grow beyond it where the disk cannot be made full
FILL_TRIES = 20


class SmallDisk:
    """Make it, `fill` and `free` it, `remove` it. ``is_disk`` is False where only the size of files can be limited."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="hongbao-crash-", dir="/var/tmp"))
        self.path.chmod(0o711)
        made = ("-t", "tmpfs", "-o", f"size={SIZE_BYTES},mode=0711", "hongbao-crash", str(self.path))
        self.is_disk = os.geteuid() == 0 and self._mount(*made)  # a container may not let root mount

    def fill(self, pids: Iterable[int]) -> None:
        """Leave no room. ``pids`` are the processes whose files are limited where there is no disk to fill."""
        if not self.is_disk:
            for pid in pids:
                _limit(pid, LIMIT_BYTES)
            return
        for _ in range(FILL_TRIES):  # it goes on filling while we look
            room = os.statvfs(self.path)
            used = (room.f_blocks - room.f_bfree) * room.f_frsize
            if self._mount("-o", f"remount,size={used + SLACK_BYTES}", str(self.path)):
                return
        raise OSError(f"could not make {self.path} small")

    def free(self, pids: Iterable[int]) -> None:
        """Give the room back."""
        if self.is_disk:
            made = self._mount("-o", f"remount,size={SIZE_BYTES}", str(self.path))
            assert made, f"{self.path} stays small"
        for pid in () if self.is_disk else pids:
            _limit(pid, None)

    def remove(self) -> None:
        """Unmount and remove it with all it holds."""
        if self.is_disk:
            subprocess.run(["umount", str(self.path)], check=True)
        shutil.rmtree(self.path)

    @staticmethod
    def _mount(*arguments: str) -> bool:
        return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode == 0


def _limit(pid: int, most_bytes: int | None) -> None:
    """Set the soft limit of a process, as its own user: root may lack the right to do it to another's."""
    try:
        _, hard = resource.prlimit(os.getpid(), resource.RLIMIT_FSIZE)
        owner = os.stat(f"/proc/{pid}")
    except FileNotFoundError:
        return  # ended meanwhile: the next one starts without a limit
    soft = "unlimited" if hard == resource.RLIM_INFINITY else str(hard)
    size = soft if most_bytes is None else str(most_bytes)
    command = ["prlimit", "--pid", str(pid), f"--fsize={size}:"]
    as_owner: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": ()}
    if os.geteuid() != 0:
        as_owner = {}
    done = subprocess.run(command, check=False, capture_output=True, text=True, **as_owner)
    assert done.returncode == 0 or not Path(f"/proc/{pid}").exists(), done.stderr
