"""As root the engines run as `nobody`; as an ordinary user as that user; others' modes are left alone."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from campaigns.runtime.engines.clean import clean, clean_orphans, orphaned_homes
from campaigns.runtime.engines.errors import EnginesInUse
from campaigns.runtime.engines.join import wait_until_stopped
from campaigns.runtime.engines.layout import Identity, can_reach
from tests.runtime.conftest import REPOSITORY, mode_of
from tests.runtime.test_engines_life import Start, _read, _write

pytestmark = pytest.mark.root

NOBODY_UID = 65534
# One that every system has: PostgreSQL wants its user to have a name.
ORDINARY_USER = "daemon"
ORDINARY_UID = pwd.getpwnam(ORDINARY_USER).pw_uid


def _uid_of(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Uid:")).split()[2])


def _modes(path: Path) -> dict[str, tuple[int, int]]:
    return {str(p): (p.stat().st_mode, p.stat().st_uid) for p in (path, *path.parents)}


def _python_for(uid: int) -> str:
    """A Python that user can run, or a skip."""
    for python in (sys.executable, "/usr/bin/python3"):
        if Path(python).exists() and can_reach(Path(python), Identity(uid, uid, "")):
            probe = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
            if subprocess.run(probe, user=uid, check=False).returncode == 0:
                return python
    pytest.skip("no Python 3.11 that an ordinary user can run")


async def test_in_a_directory_nobody_cannot_reach_the_home_is_under_var_tmp(
    start: Start, data_dir: Path
) -> None:
    data_dir.parent.chmod(0o700)
    before = _modes(data_dir.parent)
    seen = start().hear()
    home = Path(seen["home"])
    assert home.parent == Path("/var/tmp")
    assert _uid_of(seen["supervisor"]) == 0
    assert {_uid_of(seen["postgres"]), _uid_of(seen["valkey"])} == {NOBODY_UID}
    await _write(seen, 1)
    assert await _read(seen) == ([1], [1])
    assert _modes(data_dir.parent) == before
    assert mode_of(home) == 0o711


async def test_in_a_reachable_directory_the_home_stays_there(start: Start, data_dir: Path) -> None:
    before = _modes(data_dir.parent)
    seen = start().hear()
    assert Path(seen["home"]) == data_dir / "engines"
    assert _uid_of(seen["postgres"]) == NOBODY_UID
    assert _modes(data_dir.parent) == before


def test_clean_removes_the_home_and_refuses_while_in_use(
    start: Start, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start()
    home = Path(program.hear()["home"])
    monkeypatch.setattr(f"{clean.__module__}.WAIT_SECONDS", 0.1)
    with pytest.raises(EnginesInUse):
        clean(data_dir)
    program.leave()
    assert wait_until_stopped(data_dir)
    assert home.exists(), "the data outlives its users"
    assert clean(data_dir) == [home]
    assert not home.exists()
    assert list(data_dir.iterdir()) == []


def test_a_home_whose_data_directory_was_deleted_is_an_orphan(start: Start, data_dir: Path) -> None:
    data_dir.parent.chmod(0o700)
    program = start()
    home = Path(program.hear()["home"])
    program.leave()
    assert wait_until_stopped(data_dir)
    assert home not in orphaned_homes()
    (data_dir / "engines.json").unlink()
    assert home in orphaned_homes()
    assert home in clean_orphans()
    assert not home.exists()


async def test_an_ordinary_user_runs_everything_as_itself(start: Start, data_dir: Path) -> None:
    python = _python_for(ORDINARY_UID)
    data_dir.parent.chmod(0o755)
    own = data_dir.parent / "own"
    own.mkdir(mode=0o700)
    os.chown(own, ORDINARY_UID, ORDINARY_UID)
    first = start(own / "data", python=python, uid=ORDINARY_UID)
    seen = first.hear()
    assert {_uid_of(seen[name]) for name in ("supervisor", "postgres", "valkey")} == {ORDINARY_UID}
    assert Path(seen["home"]) == own / "data" / "engines"
    os.kill(seen["postgres"], 9)
    later = start(own / "data", python=python, uid=ORDINARY_UID).hear()
    assert later["supervisor"] == seen["supervisor"]
    assert {path.stat().st_uid for path in own.rglob("*")} == {ORDINARY_UID}
    refused = start(own / "data").hear()  # root does not use it
    assert refused["code"] == "directory_other_owner"


def test_an_ordinary_user_is_refused_what_is_not_its_own(start: Start, data_dir: Path) -> None:
    python = _python_for(ORDINARY_UID)
    data_dir.parent.chmod(0o755)
    data_dir.mkdir(mode=0o755)
    refused = start(python=python, uid=ORDINARY_UID).hear()
    assert refused["code"] == "directory_other_owner"
    refused = start(data_dir.parent / "new" / "data", python=python, uid=ORDINARY_UID).hear()
    assert (refused["code"], refused["facts"]["user"]) == ("directory_not_writable", ORDINARY_USER)


def test_the_command_line_says_where_root_put_the_data(data_dir: Path) -> None:
    data_dir.parent.chmod(0o700)
    environ = {**os.environ, "HONGBAO_DATA_DIR": str(data_dir)}
    for name in [name for name in environ if name.endswith("_URL")]:
        del environ[name]
    call = [sys.executable, "-m", "campaigns.runtime.engines"]
    command = ["run", "--", "/bin/sh", "-c", "echo $DATABASE_URL; echo $REDIS_URL"]
    done = subprocess.run(
        [*call, *command], cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=True
    )
    home = json.loads((data_dir / "engines.json").read_text())["home"]
    assert home in done.stderr
    assert "nobody" in done.stderr
    database, cache = done.stdout.split()
    assert database.startswith("postgresql://app:")
    assert cache.startswith("unix://default:")
    assert wait_until_stopped(data_dir)
    cleaned = subprocess.run(
        [*call, "clean"], cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=True
    )
    assert home in cleaned.stdout
    assert not Path(home).exists()
