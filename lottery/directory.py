"""A published draw on disk: one folder per round (`r1/`, `r2/`), every file written whole or not at all.

The commitment's files come first and the result's later, into the same folder. Publishing again what is there is no
effect; publishing something else over it is refused, because what was published stays.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lottery.core.errors import LotteryError

FILE_BYTES_MAX = 1 << 30
FILES_MAX = 64
# A reader who sees one of these may rely on the other files of its stage being there.
_LAST = ("commit.json", "result.json")


class DirectoryError(LotteryError):
    """A published folder cannot be written or read; `path` names what."""

    def __init__(self, code: str, path: Path, message: str) -> None:
        super().__init__(code, f"{path}: {message}")
        self.path = path


def round_folder(base: Path, round_number: int) -> Path:
    """The folder of a round below the folder of its draw."""
    return base / f"r{round_number}"


def write_round(base: Path, round_number: int, files: Mapping[str, bytes]) -> Path:
    """Publish files of a round below `base` and return the round's folder.

    Each file is written beside its place, flushed to the disk and renamed; `commit.json` and `result.json` come last.
    A crash leaves whole files only, and the call may be repeated. Raises DirectoryError `differs` when a file of that
    name holds something else (nothing is written then), `io` when the disk refuses.
    """
    folder = round_folder(base, round_number)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            wanted = [name for name in sorted(files, key=_order) if not _present(folder / name, files[name])]
            for name in wanted:
                _write(folder, name, files[name])
            _sync(folder)
        _sync(base)
    except OSError as error:
        raise DirectoryError("io", folder, f"cannot be written: {error.strerror}") from error
    return folder


def read_round(folder: Path) -> dict[str, bytes]:
    """The files of a round's folder by name; names starting with a dot and folders are passed over.

    Raises DirectoryError `no_folder`, `too_many`, `too_large` or `io`.
    """
    if not folder.is_dir():
        raise DirectoryError("no_folder", folder, "is not a folder")
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
        if len(paths) > FILES_MAX:
            raise DirectoryError("too_many", folder, f"holds more than {FILES_MAX} files")
        return {path.name: _read(path) for path in paths}
    except OSError as error:
        raise DirectoryError("io", folder, f"cannot be read: {error.strerror}") from error


def _order(name: str) -> tuple[int, str]:
    return (_LAST.index(name) + 1 if name in _LAST else 0), name


def _read(path: Path) -> bytes:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise DirectoryError("too_large", path, f"is larger than {FILE_BYTES_MAX} bytes")
    return path.read_bytes()


def _present(path: Path, data: bytes) -> bool:
    assert path.name and not path.name.startswith("."), path
    if not path.exists():
        return False
    if _read(path) != data:
        raise DirectoryError("differs", path, "was published with other content")
    return True


def _write(folder: Path, name: str, data: bytes) -> None:
    partial = folder / f".{name}.partial"
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / name)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time; the kernel lifts the lock of a writer that is killed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
