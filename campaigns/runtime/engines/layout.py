"""The directories of the embedded engines: who owns them, where the data and the sockets lie.

    data_dir/                 the operator's choice (HONGBAO_DATA_DIR)
        engines.lock          flock: held by the supervisor for its whole life
        engines.json          where home and run directory are (written by the supervisor)
        engines/              the home, unless root needs another place (below)
    home/
        postgres/ valkey/     data, mode 0700, owned by the engines' user
        conf/ log/ credentials.json
    run/                      the supervisor's socket, and `e/` (0700) with the engines' sockets

Root cannot run PostgreSQL, so as root the engines run as `nobody`; where `nobody` cannot reach the
data directory the home is a directory of ours under /var/tmp. No mode of a directory that was there
before us is ever changed, and nothing of another owner is used or chowned.
"""

from __future__ import annotations

import errno
import json
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from campaigns.runtime.engines.binaries import POSTGRES_MAJOR, Binaries, copy_for_other_user
from campaigns.runtime.engines.errors import (
    DirectoryNotWritable,
    DirectoryOtherOwner,
    DiskFull,
    EngineError,
    HomeMissing,
    PathTooLong,
    UserMissing,
    WrongVersion,
)
from campaigns.runtime.engines.processes import Identity

SOCKET_PATH_MAX_BYTES = 107  # sun_path holds 108 with the closing NUL
FREE_TO_BEGIN_MB = 200  # a fresh cluster with its first WAL segments takes 70 MB
ROOT_HOME_PARENT = Path("/var/tmp")
ENGINE_USER_AS_ROOT = "nobody"
HOME_PREFIX = "hongbao-"
RUN_PREFIX = "hongbao-run-"
LOCK_NAME = "engines.lock"
POINTER_NAME = "engines.json"
ORIGIN_NAME = "origin"
SUPERVISOR_SOCKET = "s"
ENGINE_SOCKETS = "e"
POSTGRES_PORT = 5432  # of the socket's name; nothing listens on TCP unless asked
VALKEY_SOCKET = "valkey"

_LONGEST_SOCKET = f"{ENGINE_SOCKETS}/.s.PGSQL.{'5' * 5}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Every place the supervisor uses. `identity` is None when the engines run as ourselves."""

    data_dir: Path
    home: Path
    run: Path
    identity: Identity | None

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data directory."""
        return self.home / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's data directory."""
        return self.home / "valkey"

    @property
    def conf(self) -> Path:
        """Configuration files, written at each start."""
        return self.home / "conf"

    @property
    def log(self) -> Path:
        """Logs, each bounded in size."""
        return self.home / "log"

    @property
    def sockets(self) -> Path:
        """The directory of the engines' sockets, mode 0700."""
        return self.run / ENGINE_SOCKETS

    @property
    def supervisor_socket(self) -> Path:
        """Where clients register."""
        return self.run / SUPERVISOR_SOCKET


def user_name(uid: int) -> str:
    """The name of a user, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def cannot_write(path: Path, error: OSError) -> EngineError:
    """The error for what the system refused below `path`: a full disk, or missing permission."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(path)
    reason = error.strerror or type(error).__name__
    return DirectoryNotWritable(path=str(path), reason=reason, user=user_name(os.geteuid()))


def disk_full(path: Path) -> DiskFull:
    """The error for a full disk, with what is free where `path` lies."""
    existing = path
    while not existing.exists():
        existing = existing.parent
    free_mb = shutil.disk_usage(existing).free // 1_000_000
    return DiskFull(path=str(path), free_mb=free_mb, needed_mb=FREE_TO_BEGIN_MB)


def prepare_data_dir(data_dir: Path) -> None:
    """Make the data directory (0700; as root 0711, so that the engines' user may pass) or check it is ours.

    Raises `DirectoryNotWritable`, `DirectoryOtherOwner` or `DiskFull`.
    """
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        made = _make(data_dir, mode)
    except OSError as error:
        raise cannot_write(data_dir, error) from error
    if not made:
        check_owner(data_dir, os.geteuid())
        if not os.access(data_dir, os.W_OK | os.X_OK):
            raise cannot_write(data_dir, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _make(path: Path, mode: int) -> bool:
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        return False
    path.chmod(mode)  # mkdir obeys the umask
    return True


def check_owner(path: Path, uid: int) -> None:
    """Refuse a directory (or a link to one) that belongs to another user."""
    info = path.lstat() if path.is_symlink() and not path.exists() else path.stat()
    if not stat.S_ISDIR(info.st_mode):
        raise DirectoryNotWritable(path=str(path), reason="not a directory", user=user_name(os.geteuid()))
    if info.st_uid != uid:
        raise DirectoryOtherOwner(path=str(path), owner=user_name(info.st_uid), user=user_name(uid))


def read_pointer(data_dir: Path) -> dict[str, str]:
    """Where a supervisor put home and run directory; empty when none ever ran here."""
    try:
        loaded = json.loads((data_dir / POINTER_NAME).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return {str(key): str(value) for key, value in loaded.items()} if isinstance(loaded, dict) else {}


def write_private(path: Path, text: str, mode: int = 0o600, identity: Identity | None = None) -> None:
    """Write a file whole or not at all, never readable by others meanwhile."""
    fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(fd, "w") as out:
            out.write(text)
            out.flush()
            os.fchmod(fd, mode)
            if identity is not None:
                os.fchown(fd, identity.uid, identity.gid)
            os.fsync(fd)
        Path(temporary).replace(path)
    except BaseException:  # a full disk: every further try would leave one more
        Path(temporary).unlink()
        raise


def write_pointer(layout: Layout, *, running: bool) -> None:
    """Record home and run directory, so that the next start and other clients find them."""
    places = {"home": str(layout.home)} | ({"run": str(layout.run)} if running else {})
    write_private(layout.data_dir / POINTER_NAME, json.dumps(places))


def _identity() -> Identity | None:
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(ENGINE_USER_AS_ROOT)
    except KeyError as error:
        raise UserMissing(user=ENGINE_USER_AS_ROOT) from error
    return Identity(uid=entry.pw_uid, gid=entry.pw_gid, name=entry.pw_name)


def can_reach(path: Path, identity: Identity) -> bool:
    """True when the user may pass every directory above `path` (mode bits; no access lists)."""
    for parent in path.resolve().parents:
        info = parent.stat()
        shift = 6 if info.st_uid == identity.uid else 3 if info.st_gid == identity.gid else 0
        if not (info.st_mode >> shift) & 0o1:
            return False
    return True


def _choose_home(data_dir: Path, identity: Identity | None, recorded: str | None) -> Path:
    if recorded is not None:
        home = Path(recorded)
        if not home.is_dir():
            raise HomeMissing(path=str(data_dir), home=str(home))
        check_owner(home, os.geteuid())
        return home
    if identity is None or can_reach(data_dir / "engines", identity):
        home = data_dir / "engines"
        if not _make(home, 0o700 if identity is None else 0o711):
            check_owner(home, os.geteuid())
        return home
    home = Path(tempfile.mkdtemp(prefix=HOME_PREFIX, dir=ROOT_HOME_PARENT))
    home.chmod(0o711)
    return home


def _socket_fits(run: Path) -> bool:
    return len(os.fsencode(run / _LONGEST_SOCKET)) <= SOCKET_PATH_MAX_BYTES


def _choose_run(home: Path, identity: Identity | None, recorded: str | None) -> Path:
    mode = 0o700 if identity is None else 0o711
    if recorded is not None and Path(recorded).is_dir() and Path(recorded).stat().st_uid == os.geteuid():
        return Path(recorded)
    inside = home / "run"
    if _socket_fits(inside):
        if not _make(inside, mode):
            check_owner(inside, os.geteuid())
        return inside
    tried = [str(inside)]
    for parent in (Path(f"/run/user/{os.geteuid()}"), Path("/tmp"), Path(tempfile.gettempdir())):
        tried.append(str(parent))
        usable = (
            parent.is_dir()
            and os.access(parent, os.W_OK | os.X_OK)
            and _socket_fits(parent / (RUN_PREFIX + "x" * 8))
        )
        if usable and (identity is None or can_reach(parent / "run", identity)):
            run = Path(tempfile.mkdtemp(prefix=RUN_PREFIX, dir=parent))
            run.chmod(mode)
            return run
    raise PathTooLong(limit_bytes=SOCKET_PATH_MAX_BYTES, tried=", ".join(tried))


def prepare(data_dir: Path) -> Layout:
    """Make or check every directory of the engines. Only the holder of the lock calls it.

    Raises `DirectoryOtherOwner`, `DirectoryNotWritable`, `DiskFull`, `HomeMissing`, `PathTooLong`,
    `UserMissing` or `WrongVersion`.
    """
    identity = _identity()
    pointer = read_pointer(data_dir)
    try:
        home = _choose_home(data_dir, identity, pointer.get("home"))
        run = _choose_run(home, identity, pointer.get("run"))
        layout = Layout(data_dir=data_dir, home=home, run=run, identity=identity)
        write_pointer(layout, running=True)
        if home.parent == ROOT_HOME_PARENT:  # after the pointer: a home named by no pointer is an orphan
            write_private(home / ORIGIN_NAME, str(data_dir))
        for directory in (layout.conf, layout.log):
            if not _make(directory, 0o700 if identity is None else 0o711):
                check_owner(directory, os.geteuid())
        for directory in (layout.valkey, layout.sockets):
            prepare_engine_directory(directory, identity)
    except OSError as error:
        raise cannot_write(data_dir, error) from error
    if layout.postgres.exists():
        check_owner(layout.postgres, os.geteuid() if identity is None else identity.uid)
        _check_version(layout.postgres)
    elif shutil.disk_usage(home).free < FREE_TO_BEGIN_MB * 1_000_000:
        raise disk_full(home)
    return layout


def prepare_engine_directory(directory: Path, identity: Identity | None) -> None:
    """Make a 0700 directory owned by the engines' user, or check that it is so owned."""
    if _make(directory, 0o700):
        if identity is not None:
            os.chown(directory, identity.uid, identity.gid)
    else:
        check_owner(directory, os.geteuid() if identity is None else identity.uid)


def _check_version(postgres: Path) -> None:
    try:
        found = (postgres / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        found = "?"
    if found != POSTGRES_MAJOR:
        raise WrongVersion(path=str(postgres), found=found, wanted=POSTGRES_MAJOR)


def reachable_binaries(binaries: Binaries, layout: Layout) -> Binaries:
    """The programs themselves, or their copy in the home where the engines' user cannot reach them."""
    if layout.identity is None or all(can_reach(program, layout.identity) for program in binaries.all):
        return binaries
    try:
        return copy_for_other_user(binaries, layout.home)
    except OSError as error:
        raise cannot_write(layout.home, error) from error


def remove_run(layout: Layout) -> None:
    """Remove the sockets' directory at the end; one made inside the home goes too."""
    shutil.rmtree(layout.run, ignore_errors=True)
