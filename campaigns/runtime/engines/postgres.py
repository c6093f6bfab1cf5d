"""PostgreSQL as a child: making the cluster, its configuration, its state."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from campaigns.runtime.engines.binaries import POSTGRES_PROGRAM, Binaries
from campaigns.runtime.engines.credentials import ADMIN_ROLE, DATABASE_NAME, ROLES, Credentials
from campaigns.runtime.engines.errors import EngineError, PortInUse, StartFailed
from campaigns.runtime.engines.layout import (
    POSTGRES_PORT,
    Layout,
    disk_full,
    prepare_engine_directory,
    write_private,
)
from campaigns.runtime.engines.processes import (
    ANY_PROGRAM,
    end_engine_processes,
    engine_processes,
    run_to_end,
)
from campaigns.runtime.engines.shared_memory import remove_abandoned

INITDB_TIMEOUT_SECONDS = 120
LEFTOVER_SIGNALS = ((signal.SIGQUIT, 2.0), (signal.SIGKILL, 5.0))
# Enough for an immediate shutdown; the kernel sends it when the supervisor dies.
DEATH_SIGNAL = signal.SIGQUIT
STOP_SIGNALS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))

_ENVIRON = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
# Dynamic shared memory in the data directory: /dev/shm is tiny in containers, and a killed server would
# leave its segments there for good. Autovacuum looks often: a session that has planned against an empty table reads the
# whole of it until its statistics are new, and a campaign fills such tables in its first minute.
_CONFIGURATION = """\
listen_addresses = '{listen}'
port = {port}
unix_socket_directories = '"{sockets}"'
unix_socket_permissions = 0700
hba_file = '{hba}'
max_connections = {connections}
password_encryption = 'scram-sha-256'
shared_buffers = '{buffers}MB'
max_wal_size = '{wal}MB'
dynamic_shared_memory_type = mmap
autovacuum_naptime = 5s
fsync = on
full_page_writes = on
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
lc_messages = 'C'
"""


def environ() -> dict[str, str]:
    """The environment of PostgreSQL's programs: nothing of the caller's."""
    return dict(_ENVIRON)


def _fail(reason: str, log: Path, said: str, layout: Layout) -> EngineError:
    if "No space left on device" in said:
        return disk_full(layout.postgres)
    return StartFailed(engine="PostgreSQL", reason=reason, log=str(log), lines=said.strip()[-2_000:])


def make_cluster(layout: Layout, binaries: Binaries, credentials: Credentials) -> None:
    """Make the cluster with its roles and database, whole or not at all.

    Roles: `owner` owns database `hongbao` and migrates, `app` runs, `sweeper` deletes expired rows;
    what the last two may do is granted by the migrations. Raises `DiskFull` or `StartFailed`.
    """
    if layout.postgres.exists():
        return
    building = layout.home / "postgres.new"
    end_engine_processes(building, POSTGRES_PROGRAM, LEFTOVER_SIGNALS)
    if building.exists():
        remove_abandoned(building)
        shutil.rmtree(building)
    prepare_engine_directory(building, layout.identity)
    argv = [
        str(binaries.initdb), f"--pgdata={building}", f"--username={ADMIN_ROLE}", "--auth=reject",
        "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        "--no-instructions", "--no-clean", "--set", "dynamic_shared_memory_type=mmap",
    ]  # fmt: skip
    try:
        _run(argv, building, layout, "initdb")
    except EngineError:
        remove_abandoned(building)  # its server fell, on a full disk for example
        shutil.rmtree(building)
        raise
    single = [str(binaries.postgres), "--single", "-j", "-D", str(building), "template1"]
    said = _run(single, building, layout, "postgres --single", credentials_sql(credentials))
    if re.search(r"\b(ERROR|FATAL|PANIC):", said):
        raise _fail("the first roles were refused", layout.log / "postgres.log", said, layout)
    building.rename(layout.postgres)
    _sync_directory(layout.home)


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _run(argv: list[str], cwd: Path, layout: Layout, name: str, stdin_text: str = "") -> str:
    log = layout.log / "postgres.log"
    try:
        code, said = run_to_end(
            argv,
            cwd=cwd,
            environ=environ(),
            identity=layout.identity,
            timeout_seconds=INITDB_TIMEOUT_SECONDS,
            stdin_text=stdin_text,
        )
    except subprocess.TimeoutExpired as error:
        raise _fail(
            f"{name} took over {INITDB_TIMEOUT_SECONDS} s", log, str(error.output or ""), layout
        ) from error
    except OSError as error:
        raise _fail(f"{name}: {error.strerror}", log, "", layout) from error
    if code != 0:
        raise _fail(f"{name} ended with {code}", log, said, layout)
    return said


def credentials_sql(credentials: Credentials) -> str:
    """Statements for single-user mode (each ended by a semicolon and an empty line).

    The passwords are hexadecimal digits, so that quoting them is safe.
    """
    lines = [f"ALTER ROLE {ADMIN_ROLE} PASSWORD '{credentials.password(ADMIN_ROLE)}';"]
    lines += [f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{credentials.password(role)}';" for role in ROLES]
    lines += [f'CREATE DATABASE "{DATABASE_NAME}" OWNER "{ROLES[0]}";']
    return "SET password_encryption = 'scram-sha-256';\n\n" + "\n\n".join(lines) + "\n\n"


def write_configuration(
    layout: Layout, *, buffers_mb: int, wal_mb: int, connections: int, tcp_port: int
) -> None:
    """Write what PostgreSQL reads at its start: durable, scram only, no TCP unless asked."""
    hba = layout.conf / "pg_hba.conf"
    rules = "local all all scram-sha-256\n"
    if tcp_port:
        rules += "host all all 127.0.0.1/32 scram-sha-256\n"
    write_private(hba, rules, identity=layout.identity)
    text = _CONFIGURATION.format(
        listen="127.0.0.1" if tcp_port else "",
        port=tcp_port or POSTGRES_PORT,
        sockets=_quoted(layout.sockets).replace('"', '""'),  # a list: each item in double quotes
        hba=_quoted(hba),
        connections=connections,
        buffers=buffers_mb,
        wal=wal_mb,
    )
    write_private(layout.conf / "postgresql.conf", text, identity=layout.identity)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def command(layout: Layout, binaries: Binaries) -> list[str]:
    """The foreground server."""
    return [
        str(binaries.postgres),
        "-D",
        str(layout.postgres),
        f"--config-file={layout.conf / 'postgresql.conf'}",
    ]


def is_ready(layout: Layout, pid: int) -> bool:
    """True when the postmaster `pid` says in its pid file that it takes connections."""
    try:
        lines = (layout.postgres / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def end_leftovers(layout: Layout) -> int:
    """End a postmaster or backends that outlived their supervisor or postmaster in this data directory.

    A pid file that stays behind is removed when nothing at all works in the directory: its number may
    since belong to another program, and PostgreSQL would then refuse to start.
    """
    found = end_engine_processes(layout.postgres, POSTGRES_PROGRAM, LEFTOVER_SIGNALS)
    if not engine_processes(layout.postgres, ANY_PROGRAM):
        remove_abandoned(layout.postgres)
        (layout.postgres / "postmaster.pid").unlink(missing_ok=True)
        for lock in layout.sockets.glob(".s.PGSQL.*.lock"):
            lock.unlink()
    return found


def start_error(layout: Layout, lines: str, status: str, tcp_port: int) -> EngineError:
    """Why the server ended before it was ready, read from the last lines of its log."""
    if "could not create any TCP/IP sockets" in lines or "Address already in use" in lines:
        return PortInUse(host="127.0.0.1", port=tcp_port, variable="HONGBAO_POSTGRES_TCP_PORT")
    return _fail(status, layout.log / "postgres.log", lines, layout)
