"""The engines as a process of hongbao uses them: start or join, addresses, leave.

    with engines(settings) as pair:          # or: pair = await connect_engines(settings)
        pair.app_dsn, pair.redis_url, ...

Each process keeps one connection to the supervisor for its life; leaving is closing it, and a killed
process leaves by being killed.
"""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from campaigns.runtime.engines.access import DatabaseAccess
from campaigns.runtime.engines.credentials import (
    ADMIN_ROLE,
    APP_ROLE,
    DATABASE_NAME,
    OWNER_ROLE,
    SWEEPER_ROLE,
    VALKEY_ACCOUNT,
    Credentials,
    load,
)
from campaigns.runtime.engines.join import (
    CONNECT_TIMEOUT_SECONDS,
    Progress,
    connect,
    read_state,
    wait_until_stopped,
)
from campaigns.runtime.engines.layout import ENGINE_SOCKETS, POSTGRES_PORT, VALKEY_SOCKET, read_pointer
from campaigns.runtime.settings import Settings

logger = logging.getLogger(__name__)

WATCH_PAUSE_SECONDS = 0.05

_DATABASE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Pids:
    """Process ids of the embedded engines, as the supervisor last reported them."""

    supervisor: int
    postgres: int
    valkey: int


class Engines:
    """One pair of PostgreSQL and Valkey, joined by this process.

    `owner`, `app` and `sweeper` are `DatabaseAccess`; `owner_dsn`, `app_dsn`, `sweeper_dsn` and
    `redis_url` are their addresses. `embedded` is False for servers of the operator's own.
    """

    def __init__(self, settings: Settings, progress: Progress | None = None) -> None:
        self.settings = settings
        self._progress = progress or (lambda message: logger.info("%s", message))
        self._connection: socket.socket | None = None
        self._pids: Pids | None = None
        self._asking = threading.Lock()
        self.home: Path | None = None
        if settings.database_url is not None:
            assert settings.redis_url is not None, "Settings takes both or neither"
            self.app = DatabaseAccess.from_url(settings.database_url)
            self.owner = DatabaseAccess.from_url(settings.database_owner_url or settings.database_url)
            self.sweeper = DatabaseAccess.from_url(settings.database_sweeper_url or settings.database_url)
            self.admin = self.owner
            self.redis_url = settings.redis_url
        else:
            self._join()

    @property
    def embedded(self) -> bool:
        """True when hongbao runs the engines itself."""
        return self.settings.embedded

    @property
    def owner_dsn(self) -> str:
        """Address of the role that owns the tables and migrates."""
        return self.owner.dsn

    @property
    def app_dsn(self) -> str:
        """Address of the role the application runs as."""
        return self.app.dsn

    @property
    def sweeper_dsn(self) -> str:
        """Address of the role that deletes expired rows."""
        return self.sweeper.dsn

    @property
    def pids(self) -> Pids:
        """Process ids now, asked from the supervisor; it answers once both engines are ready.

        Raises `EngineError`; a dead supervisor is replaced, as by `ensure`.
        """
        return self.ensure()

    def ensure(self) -> Pids:
        """Make sure that a working pair runs, starting a new supervisor if ours was killed.

        The addresses stay the same after the kill of an engine or of the supervisor. It blocks: a
        coroutine calls `await pair.join_again()`, or leaves it to `watch`. Any thread may
        call it. Raises `EngineError`.
        """
        assert self.embedded, "servers of the operator's own are not ours to start"
        with self._asking:
            return self._ensure()

    def _ensure(self) -> Pids:
        if self._connection is not None:
            try:
                self._connection.sendall(b"?\n")
                answer = read_state(self._connection, time.monotonic() + CONNECT_TIMEOUT_SECONDS)
            except ConnectionError:
                answer = None
            if answer is not None:
                self._pids = _pids(answer)
                return self._pids
        self.close()
        self._join()
        assert self._pids is not None, "joined"
        return self._pids

    async def watch(self) -> None:
        """Join again whenever the supervisor was killed; a task that a long-lived process keeps running.

        So a killed supervisor is replaced within moments, and this process counts as a user of the new
        one. Ends when `close` was called (cancel it before), and with `EngineError` when there is no
        way back.
        """
        import asyncio

        assert self.embedded, "servers of the operator's own are not ours to start"
        loop = asyncio.get_running_loop()
        while (connection := self._connection) is not None:
            readable = asyncio.Event()
            loop.add_reader(connection.fileno(), readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(connection.fileno())
            if self._is_left_by(connection):
                logger.warning("the supervisor of the engines has gone; joining again")
                await self.join_again()
            else:  # an answer that another thread is about to read
                await asyncio.sleep(WATCH_PAUSE_SECONDS)

    async def join_again(self) -> None:
        """`ensure` for a coroutine. Who is cancelled waits for it to end, so that `close` finds what it joined.

        Raises `EngineError`.
        """
        import asyncio

        joining = asyncio.create_task(asyncio.to_thread(self.ensure))
        try:
            await asyncio.shield(joining)
        except asyncio.CancelledError:
            await asyncio.wait([joining])
            joining.exception()
            raise

    def _is_left_by(self, connection: socket.socket) -> bool:
        """Whether the supervisor has gone, or says unasked why it goes; while another thread asks, its answer woke us."""
        if not self._asking.acquire(blocking=False):
            return False
        try:
            return has_ended(connection) or has_word(connection)
        finally:
            self._asking.release()

    def _join(self) -> None:
        self._connection, answer = connect(self.settings, self._progress)
        self._pids = _pids(answer)
        pointer = read_pointer(self.settings.data_dir)
        self.home = Path(pointer["home"])
        self._set_addresses(Path(pointer["run"]) / ENGINE_SOCKETS, load(self.home))

    def _set_addresses(self, sockets: Path, credentials: Credentials) -> None:
        port = self.settings.postgres_tcp_port or POSTGRES_PORT

        def access(role: str) -> DatabaseAccess:
            password = credentials.password(role)
            return DatabaseAccess.on_socket(str(sockets), port, role, password, DATABASE_NAME)

        self.admin, self.owner = access(ADMIN_ROLE), access(OWNER_ROLE)
        self.app, self.sweeper = access(APP_ROLE), access(SWEEPER_ROLE)
        secret = credentials.password(VALKEY_ACCOUNT)
        self.redis_url = f"unix://default:{secret}@{quote(str(sockets / VALKEY_SOCKET))}?db=0"

    async def create_database(self, name: str, *, template: str | None = None) -> Databases:
        """Make a further database of owner `owner`, empty or as a copy of `template`; for tests.

        `name` is lower-case letters, digits and underscores. Nobody may be connected to the template.
        Raises asyncpg's errors (`DuplicateDatabaseError`, `ObjectInUseError`).
        """
        assert _DATABASE_NAME.fullmatch(name), name
        statement = f'CREATE DATABASE "{name}" OWNER "{self.owner.user}"'
        if template is not None:
            assert _DATABASE_NAME.fullmatch(template), template
            statement += f' TEMPLATE "{template}"'
        await self._administer(statement)
        return self.databases(name)

    async def drop_database(self, name: str) -> None:
        """Remove a database made by `create_database`, ending its connections; absent is fine."""
        assert _DATABASE_NAME.fullmatch(name), name
        assert name != DATABASE_NAME, "the installation's own database is not dropped"
        await self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def databases(self, name: str) -> Databases:
        """The three roles' ways to another database of the same server."""
        return Databases(
            owner=self.owner.with_database(name),
            app=self.app.with_database(name),
            sweeper=self.sweeper.with_database(name),
        )

    async def _administer(self, statement: str) -> None:
        import asyncpg

        target = self.admin.with_database("postgres") if self.embedded else self.admin
        connection = await asyncpg.connect(target.dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def close(self, *, wait: bool = False) -> None:
        """Leave. With `wait`, return after the engines have stopped, if nobody else uses them."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            if wait:
                wait_until_stopped(self.settings.data_dir)

    def share_with_exec(self) -> None:
        """Let the program this process becomes, and its children, keep the engines up."""
        assert self._connection is not None, "joined"
        self._connection.set_inheritable(True)

    def __enter__(self) -> Engines:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Databases:
    """One database as its three roles reach it."""

    owner: DatabaseAccess
    app: DatabaseAccess
    sweeper: DatabaseAccess


async def connect_engines(settings: Settings, progress: Progress | None = None) -> Engines:
    """Start the engines or join the running ones; returns when both are ready.

    `progress` is called with sentences for people (from another thread). Raises `EngineError`.
    """
    import asyncio  # here, so that the supervisor stays small

    return await asyncio.to_thread(Engines, settings, progress)


@contextmanager
def engines(settings: Settings, progress: Progress | None = None) -> Iterator[Engines]:
    """The engines for the length of a block. Raises `EngineError`."""
    with Engines(settings, progress) as pair:
        yield pair


def has_ended(connection: socket.socket) -> bool:
    """Whether the other side has left, without waiting: a socket with a timeout would wait for what was read already."""
    return _peek(connection) == b""


def has_word(connection: socket.socket) -> bool:
    """Whether something lies there to be read. Unasked it is the last word of a supervisor that gives up."""
    return bool(_peek(connection))


def _peek(connection: socket.socket) -> bytes | None:
    """The next byte, left where it is; empty at the end, None while there is neither."""
    timeout = connection.gettimeout()
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return None
    except OSError:
        return b""
    finally:
        connection.settimeout(timeout)


def _pids(answer: dict[str, Any]) -> Pids:
    return Pids(supervisor=answer["supervisor"], postgres=answer["postgres"], valkey=answer["valkey"])
