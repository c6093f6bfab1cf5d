"""Joining the engines of a data directory: find the supervisor, or start one and hand it the lock."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from campaigns.runtime.engines.config import START_TIMEOUT_SECONDS, Config
from campaigns.runtime.engines.errors import EngineError, StartTimeout, SupervisorDied, error_from_wire
from campaigns.runtime.engines.layout import (
    LOCK_NAME,
    SUPERVISOR_SOCKET,
    prepare_data_dir,
    read_pointer,
)
from campaigns.runtime.engines.processes import tail
from campaigns.runtime.settings import Settings

Progress = Callable[[str], None]

# The supervisor gives up first and says why.
CONNECT_TIMEOUT_SECONDS = START_TIMEOUT_SECONDS + 30
SPAWNS_MAX = 5
RETRY_SECONDS = 0.02
STOP_WAIT_SECONDS = 60.0
LINE_BYTES_MAX = 65_536
SUPERVISOR_LOG = "supervisor.log"
SUPERVISOR_LOG_MAX_BYTES = 1_000_000

_PACKAGE_ROOT = Path(__file__).resolve().parents[3]


def connect(settings: Settings, progress: Progress) -> tuple[socket.socket, dict[str, Any]]:
    data_dir = settings.data_dir
    prepare_data_dir(data_dir)
    deadline = time.monotonic() + CONNECT_TIMEOUT_SECONDS
    spawns = 0
    while time.monotonic() < deadline:
        connection = _open_connection(data_dir)
        if connection is not None:
            try:
                answer = read_state(connection, deadline)
            except BaseException:
                connection.close()
                raise
            if answer is not None:
                return connection, answer
            connection.close()  # it was stopping, or was killed: look again
        lock_fd = try_lock(data_dir)
        if lock_fd is None:
            time.sleep(RETRY_SECONDS)
            continue
        if spawns == SPAWNS_MAX:
            os.close(lock_fd)
            raise _supervisor_died(data_dir)
        spawns += 1
        progress(f"starting PostgreSQL and Valkey in {data_dir}")
        _spawn_supervisor(settings, lock_fd)
        home = read_pointer(data_dir).get("home", "")
        if os.geteuid() == 0:
            progress(f"as root, the engines run as user nobody with their data in {home}")
    raise StartTimeout(
        engine="supervisor",
        seconds=CONNECT_TIMEOUT_SECONDS,
        log=str(data_dir / SUPERVISOR_LOG),
        lines=tail(data_dir / SUPERVISOR_LOG),
    )


def _supervisor_died(data_dir: Path) -> EngineError:
    log = data_dir / SUPERVISOR_LOG
    return SupervisorDied(path=str(data_dir), log=str(log), lines=tail(log))


def try_lock(data_dir: Path) -> int | None:
    """The lock of a data directory as an open file, or None while a supervisor lives or starts."""
    fd = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    try:
        current = os.path.samestat(os.fstat(fd), os.stat(data_dir / LOCK_NAME))
    except FileNotFoundError:
        current = False
    if not current:  # it was cleaned away between opening and locking
        os.close(fd)
        return None
    return fd


def _open_connection(data_dir: Path) -> socket.socket | None:
    run = read_pointer(data_dir).get("run")
    if run is None:
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(Path(run) / SUPERVISOR_SOCKET))
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    return connection


def read_state(connection: socket.socket, deadline: float) -> dict[str, Any] | None:
    """The supervisor's next message; None when it has gone. Raises the error it reports."""
    line = b""
    while not line.endswith(b"\n"):
        connection.settimeout(max(0.1, deadline - time.monotonic()))
        try:
            part = connection.recv(LINE_BYTES_MAX)
        except ConnectionError:
            return None
        except TimeoutError as error:
            raise StartTimeout(
                engine="supervisor", seconds=CONNECT_TIMEOUT_SECONDS, log="", lines=""
            ) from error
        if not part:
            return None
        line += part
    answer: dict[str, Any] = json.loads(line.splitlines()[-1])
    if answer["event"] == "failed":
        raise error_from_wire(answer["code"], answer["facts"])
    return answer


def _spawn_supervisor(settings: Settings, lock_fd: int) -> None:
    """Start the supervisor and wait until it listens. It inherits the lock, which is never free between."""
    config = Config(
        data_dir=str(settings.data_dir),
        shared_buffers_mb=settings.postgres_shared_buffers_mb,
        max_wal_mb=settings.postgres_max_wal_mb,
        max_connections=settings.postgres_max_connections,
        tcp_port=settings.postgres_tcp_port,
    )
    log_path = settings.data_dir / SUPERVISOR_LOG
    if log_path.exists() and log_path.stat().st_size > SUPERVISOR_LOG_MAX_BYTES:
        log_path.replace(log_path.with_suffix(".log.1"))
    log_fd = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    report_read, report_write = os.pipe()
    module = "campaigns.runtime.engines.supervisor"
    python_path = os.pathsep.join(filter(None, [str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH")]))
    try:
        starter = subprocess.Popen(
            [sys.executable, "-m", module, config.to_json(), str(lock_fd), str(report_write)],
            stdin=subprocess.DEVNULL,
            stdout=log_fd,
            stderr=log_fd,
            env=os.environ | {"PYTHONPATH": python_path},
            pass_fds=(lock_fd, report_write),
            start_new_session=True,
        )
    finally:
        for fd in (lock_fd, report_write, log_fd):
            os.close(fd)
    with os.fdopen(report_read, "rb") as pipe:
        line = pipe.readline(LINE_BYTES_MAX)
    starter.wait()
    if not line:
        return  # it was killed at once; the caller tries again, a few times
    answer = json.loads(line)
    if "code" in answer:
        raise error_from_wire(answer["code"], answer["facts"])


def wait_until_stopped(data_dir: Path, timeout_seconds: float = STOP_WAIT_SECONDS) -> bool:
    """Wait until no supervisor holds the data directory; False when one still does at the end."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        lock_fd = try_lock(data_dir)
        if lock_fd is not None:
            os.close(lock_fd)
            return True
        time.sleep(RETRY_SECONDS)
    return False
