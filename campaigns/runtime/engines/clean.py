"""Taking the embedded engines away: data, logs, sockets, and what root's start put under /var/tmp."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from campaigns.runtime.engines.binaries import POSTGRES_PROGRAM, VALKEY_PROGRAM
from campaigns.runtime.engines.errors import EnginesInUse
from campaigns.runtime.engines.join import RETRY_SECONDS, SUPERVISOR_LOG, try_lock
from campaigns.runtime.engines.layout import (
    HOME_PREFIX,
    LOCK_NAME,
    ORIGIN_NAME,
    POINTER_NAME,
    ROOT_HOME_PARENT,
    RUN_PREFIX,
    check_owner,
    read_pointer,
)
from campaigns.runtime.engines.postgres import LEFTOVER_SIGNALS
from campaigns.runtime.engines.processes import end_engine_processes
from campaigns.runtime.engines.shared_memory import remove_abandoned

WAIT_SECONDS = 15.0  # for a supervisor that is just stopping


def clean(data_dir: Path) -> list[Path]:
    """Remove the engines of a data directory and all their data; returns the directories removed.

    The data directory itself and the secrets in it stay. Raises `EnginesInUse` while a program uses
    them, `DirectoryOtherOwner` when they are another user's.
    """
    if not data_dir.is_dir():
        return []
    check_owner(data_dir, os.geteuid())
    lock_fd = _lock(data_dir)
    removed = []
    pointer = read_pointer(data_dir)
    for name in ("run", "home"):
        place = Path(pointer.get(name, data_dir / "engines"))
        if place.is_dir():
            check_owner(place, os.geteuid())
            _remove_home(place)
            removed.append(place)
    for name in (POINTER_NAME, SUPERVISOR_LOG, f"{SUPERVISOR_LOG}.1", LOCK_NAME):
        (data_dir / name).unlink(missing_ok=True)
    os.close(lock_fd)
    return removed


def _remove_home(home: Path) -> None:
    end_engine_processes(home / "valkey", VALKEY_PROGRAM, LEFTOVER_SIGNALS)
    for name in ("postgres", "postgres.new"):
        end_engine_processes(home / name, POSTGRES_PROGRAM, LEFTOVER_SIGNALS)
        remove_abandoned(home / name)
    shutil.rmtree(home)


def _lock(data_dir: Path) -> int:
    deadline = time.monotonic() + WAIT_SECONDS
    while (lock_fd := try_lock(data_dir)) is None:
        if time.monotonic() > deadline:
            raise EnginesInUse(path=str(data_dir))
        time.sleep(RETRY_SECONDS)
    return lock_fd


def orphaned_homes() -> list[Path]:
    """Homes of ours under /var/tmp whose data directory is gone or has another home by now."""
    orphans = []
    for home in sorted(ROOT_HOME_PARENT.glob(f"{HOME_PREFIX}*")):
        if home.name.startswith(RUN_PREFIX) or home.is_symlink() or home.stat().st_uid != os.geteuid():
            continue
        origin = home / ORIGIN_NAME
        if origin.is_file() and read_pointer(Path(origin.read_text())).get("home") != str(home):
            orphans.append(home)
    return orphans


def clean_orphans() -> list[Path]:
    """Remove the homes whose data directory was deleted by hand; returns them."""
    removed = []
    for home in orphaned_homes():
        _remove_home(home)
        removed.append(home)
    return removed
