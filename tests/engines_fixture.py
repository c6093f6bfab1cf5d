"""One embedded pair of engines for a whole test session, as durable as in use, gone at its end.

Imported by tests/conftest.py as a plugin. Tests make databases of their own with
`engines.create_database(name, template=...)` and `engines.drop_database(name)`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.runtime.engines import Engines
from campaigns.runtime.engines.clean import clean
from campaigns.runtime.settings import Mode, Settings

MEMORY_DISK = Path("/dev/shm")
MEMORY_DISK_FREE_MIN_BYTES = 4_000_000_000


def scratch_directory() -> Path:
    """A fresh directory for engines that end with the test, where the engines' user may pass.

    In memory where there is room: kills of processes are what tests bring about, not the loss of power,
    and a database per test is hundreds of small files made and removed.
    """
    parent = None
    if MEMORY_DISK.is_dir() and os.access(MEMORY_DISK, os.W_OK):
        room = os.statvfs(MEMORY_DISK)
        if room.f_bavail * room.f_frsize >= MEMORY_DISK_FREE_MIN_BYTES and not room.f_flag & os.ST_NOEXEC:
            parent = MEMORY_DISK
    directory = Path(tempfile.mkdtemp(prefix="hongbao-test-", dir=parent))
    directory.chmod(0o711)
    return directory


def engine_settings(data_dir: Path) -> Settings:
    """Settings of a test's own engines: smaller than in use, and just as durable."""
    return Settings(
        mode=Mode.TEST,
        data_dir=data_dir,
        secrets_dir=data_dir / "secrets",
        postgres_shared_buffers_mb=128,
        postgres_max_wal_mb=1024,
    )


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """The session's engines; DATABASE_URL is not looked at, so that no other database is ever touched."""
    directory = scratch_directory()
    pair = Engines(engine_settings(directory / "data"))
    try:
        yield pair
    finally:
        pair.close(wait=True)
        clean(directory / "data")
        shutil.rmtree(directory)
