"""The data directory of a demonstration: whose it is, and the files of the run beside the engines' data."""

import hashlib
import os
import shutil
from pathlib import Path

import msgspec
from msgspec import Struct

from campaigns.runtime.engines.clean import clean
from campaigns.runtime.engines.layout import prepare_data_dir

MARK = "demo.json"
OURS = (MARK, "run", "draws", "secrets", "report.html", "hmac.key.made", "metrics")


class Made(Struct, frozen=True, kw_only=True):
    """What this directory was made for. A run goes on with the same."""

    demo: str
    seed: int
    scale: float


class NotOurs(RuntimeError):
    """The directory holds something else, or another demonstration; the text says what to do, in zh and en."""


class Folder:
    """The directory and the run's files in it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.run = data_dir / "run"

    def open(self, made: Made | None, *, name: str, seed: int | None, scale: float) -> Made:
        """Take the directory for a demonstration, new or to go on with. Raises NotOurs."""
        if made is None:
            if self.data_dir.exists() and any(self.data_dir.iterdir()):
                raise NotOurs(
                    f"{self.data_dir} 不是演示目录，请另选 --data-dir。"
                    f" {self.data_dir} holds other data: choose another --data-dir."
                )
            made = Made(demo=name, seed=1 if seed is None else seed, scale=scale)
            prepare_data_dir(self.data_dir)
            self.write(self.data_dir / MARK, msgspec.json.encode(made))
        elif made.demo != name or made.scale != scale or seed not in (None, made.seed):
            raise NotOurs(
                f"{self.data_dir} 已有另一次演示（{made.demo}，种子 {made.seed}），请加 --fresh 重新开始或另选 --data-dir。"
                f" {self.data_dir} holds another demonstration ({made.demo}, seed {made.seed}, scale {made.scale}):"
                " start anew with --fresh or choose another --data-dir."
            )
        self.run.mkdir(mode=0o700, exist_ok=True)
        return made

    def made(self) -> Made | None:
        """What the directory was made for; None where it is not a demonstration's."""
        path = self.data_dir / MARK
        return msgspec.json.decode(path.read_bytes(), type=Made) if path.is_file() else None

    def remove(self) -> None:
        """Delete a demonstration's own data, and nothing else. Raises NotOurs, EnginesInUse."""
        if not self.data_dir.exists():
            return
        if self.made() is None and any(self.data_dir.iterdir()):
            raise NotOurs(
                f"{self.data_dir} 不是演示目录，不予删除。 {self.data_dir} is no demonstration's: it is not deleted."
            )
        clean(self.data_dir)
        for name in OURS:
            path = self.data_dir / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def write(self, path: Path, content: bytes) -> None:
        """Put a file there whole or not at all."""
        partial = path.with_name(f".{path.name}.partial")
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_all(fd, content)
            os.fsync(fd)
        finally:
            os.close(fd)
        partial.replace(path)

    def put(self, name: str, content: bytes) -> Path:
        """Write a file of the run."""
        self.write(self.run / name, content)
        return self.run / name

    def get(self, name: str) -> bytes | None:
        """A file of the run, None where it is not there."""
        path = self.run / name
        return path.read_bytes() if path.is_file() else None


def _write_all(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()
