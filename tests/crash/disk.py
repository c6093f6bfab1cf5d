"""A file system of our own for one deployment, which can be full: a small tmpfs as root, RLIMIT_FSIZE otherwise."""

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

SIZE_BYTES = 1_600_000_000
SLACK_BYTES = 1 << 16  # what is left of a full disk
LIMIT_BYTES = 1 << 20  # no file may grow beyond it where the disk cannot be made full
FILL_TRIES = 20


class SmallDisk:
    """Make it, `fill` and `free` it, `remove` it. ``is_disk`` is False where only the size of files can be limited."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="hongbao-crash-", dir="/var/tmp"))
        self.path.chmod(0o711)
        self.is_disk = os.geteuid() == 0
        if self.is_disk:
            self._mount("-t", "tmpfs", "-o", f"size={SIZE_BYTES},mode=0711", "hongbao-crash", str(self.path))

    def fill(self, pids: Iterable[int]) -> None:
        """Leave no room. ``pids`` are the processes whose files are limited where there is no disk to fill."""
        if not self.is_disk:
            for pid in pids:
                _limit(pid, LIMIT_BYTES)
            return
        for _ in range(FILL_TRIES):  # it goes on filling while we look
            room = os.statvfs(self.path)
            used = (room.f_blocks - room.f_bfree) * room.f_frsize
            if self._mount("-o", f"remount,size={used + SLACK_BYTES}", str(self.path), check=False):
                return
        raise OSError(f"could not make {self.path} small")

    def free(self, pids: Iterable[int]) -> None:
        """Give the room back."""
        if self.is_disk:
            self._mount("-o", f"remount,size={SIZE_BYTES}", str(self.path))
        for pid in () if self.is_disk else pids:
            _limit(pid, None)

    def remove(self) -> None:
        """Unmount and remove it with all it holds."""
        if self.is_disk:
            subprocess.run(["umount", str(self.path)], check=True)
        shutil.rmtree(self.path)

    @staticmethod
    def _mount(*arguments: str, check: bool = True) -> bool:
        done = subprocess.run(["mount", *arguments], check=check, capture_output=True)
        return done.returncode == 0


def _limit(pid: int, most_bytes: int | None) -> None:
    try:
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if most_bytes is None else most_bytes, hard))
    except ProcessLookupError:
        pass  # ended meanwhile: the next one starts without a limit
