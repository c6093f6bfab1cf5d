"""The asyncpg pool for everything that moves value or writes at all.

Money is refused at start-up unless the server is durable: fsync and full_page_writes on, and
synchronous_commit on in every pooled connection.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg
import msgspec

from campaigns.domain.errors import TryAgain

IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000
CLOSE_SECONDS = 3.0  # connections that are not given back by then are cut off


class Connection(Protocol):
    """What hongbao uses of an asyncpg connection; asyncpg itself brings no types. A row answers ``row["column"]``."""

    async def execute(self, query: str, *args: object) -> str: ...
    async def executemany(self, command: str, args: Iterable[Sequence[object]]) -> None: ...
    async def fetch(self, query: str, *args: object) -> list[Any]: ...
    async def fetchrow(self, query: str, *args: object) -> Any: ...
    async def fetchval(self, query: str, *args: object) -> Any: ...
    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[object]], columns: Sequence[str]
    ) -> str: ...
    def terminate(self) -> None: ...
    def transaction(
        self, *, isolation: str = ..., readonly: bool = ...
    ) -> AbstractAsyncContextManager[Any]: ...


class NotDurableError(RuntimeError):
    """The database server may lose a committed payment; hongbao does not run on it."""


@dataclass(frozen=True)
class Pool:
    """A bounded pool; `acquire` answers `TryAgain` (busy) when no connection comes free in time."""

    raw: asyncpg.Pool
    acquire_timeout_seconds: float

    def acquire(self) -> "_Acquire":
        return _Acquire(self.raw, self.acquire_timeout_seconds)

    @property
    def is_used_up(self) -> bool:
        """Whether every connection is in use, so that somebody may wait for one."""
        return bool(self.raw.get_size() == self.raw.get_max_size() and self.raw.get_idle_size() == 0)

    async def close(self) -> None:
        """Close every connection as it is given back, and after CLOSE_SECONDS what is still in use."""
        try:
            await asyncio.wait_for(self.raw.close(), CLOSE_SECONDS)
        except TimeoutError:
            self.raw.terminate()


class _Acquire:
    def __init__(self, pool: asyncpg.Pool, timeout_seconds: float) -> None:
        self._pool = pool
        self._timeout_seconds = timeout_seconds
        self._connection: Connection | None = None

    async def __aenter__(self) -> Connection:
        try:
            self._connection = await self._pool.acquire(timeout=self._timeout_seconds)
        except TimeoutError:
            raise TryAgain("busy") from None
        assert self._connection is not None
        return self._connection

    async def __aexit__(self, *exc: object) -> None:
        await self._pool.release(self._connection)


async def open_pool(
    dsn: str,
    *,
    size: int,
    min_size: int = 2,
    acquire_timeout_ms: int = 5_000,
    lock_timeout_ms: int = 5_000,
    statement_timeout_ms: int = 30_000,
) -> Pool:
    """Open a pool of ``min_size`` to ``size`` connections with the limits of Settings.

    Raises NotDurableError, or asyncpg's and OS errors when the server cannot be reached.
    """
    raw = await asyncpg.create_pool(
        dsn,
        min_size=min(min_size, size),
        max_size=size,
        init=_prepare,
        server_settings={
            "application_name": "hongbao",
            "synchronous_commit": "on",
            "lock_timeout": str(lock_timeout_ms),
            "statement_timeout": str(statement_timeout_ms),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
            "timezone": "UTC",
        },
    )
    return Pool(raw, acquire_timeout_ms / 1_000)


async def _prepare(connection: asyncpg.Connection) -> None:
    rows = await connection.fetch(
        "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
    )
    off = sorted(row["name"] for row in rows if row["setting"] != "on")
    if off:
        raise NotDurableError(f"turn on {', '.join(off)} in PostgreSQL: money is not safe without")
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_encode_json, decoder=_decode_json, format="text"
    )


def _encode_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _decode_json(text: str) -> object:
    return msgspec.json.decode(text)
