"""The stage of a race: transactions of several servers meet before they write, with or without their protections.

A stage lends each server a pool whose connections tell it of transactions and statements. A transaction parks before
its first write; the stage opens when everybody has come as far as they can: parked, waiting for a lock, or ended. A
stage for a control also takes protections out of the statements on their way to the database, so that what runs is
the product's own code over statements without them.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from types import TracebackType
from typing import Any, NamedTuple

import asyncpg

from campaigns.services.context import Context
from campaigns.store.group_commit import LANES

SETTLE_SECONDS = 20  # a stage that never comes to rest is a bug of the test
SEEN = 2  # times that the same rest is seen, so that a lock just passed on is not taken for one waited for

PAYMENT_WRITES = r"\b(UPDATE (voucher|payment|usage_counter)|INSERT INTO (payment|transfer|refund)) "
AWARD_WRITES = r"\b(UPDATE (award|allotment)|INSERT INTO (voucher|award|turn)) "

_BLOCKED = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


class Protection(NamedTuple):
    """What a control takes out of every statement: a pattern, and what is put in its place."""

    name: str
    pattern: "re.Pattern[str]"
    instead: "str | Callable[[re.Match[str]], str]"


def protection(
    name: str, pattern: str, instead: "str | Callable[[re.Match[str]], str]" = ""
) -> Protection:  # fmt: skip
    return Protection(name, re.compile(pattern, re.DOTALL), instead)


def _no_lock(found: "re.Match[str]") -> str:
    """The same arguments to nothing: who tries finds no lock held, who takes it has it."""
    arguments = f"($1::int + {found[2]}::int)"
    return f"{arguments} IS NULL" if found[1] else arguments


ROW_LOCKS = protection("row locks", r"\bFOR UPDATE(?: OF \w+(?:, ?\w+)*)?(?: SKIP LOCKED)?")
_ROW_LOCK = re.compile(r"\bFOR (UPDATE|NO KEY UPDATE|SHARE|KEY SHARE)\b")
CAMPAIGN_LOCKS = protection(
    "campaign locks",
    r"(?:(NOT pg_try_advisory)|pg_advisory)_xact_lock(?:_shared)?\(\$1, (seq|\$2)\)",
    _no_lock,
)
AWARD_LIVE = protection("award still live", r"(UPDATE award SET [^;]*?) AND state = 'live'", r"\1")
ALLOTMENT_FREE = protection(
    "allotment still free",
    r"(UPDATE allotment SET (?:(?!UPDATE).)*?)\s+AND (?:allotment\.)?state (?:= '\w+'|IN \([^)]*\))",
    r"\1",
)


class Stage:
    """Where transactions meet before a statement that ``park`` finds. ``without`` is what a control takes away."""

    def __init__(
        self, watcher: asyncpg.Connection, park: str = PAYMENT_WRITES, without: Sequence[Protection] = ()
    ) -> None:
        self._watcher = watcher
        self._park = re.compile(park)
        self._without = without
        self._opened = asyncio.Event()
        self.taken_out: Counter[str] = Counter()
        self.running = 0  # transactions that have begun and not ended
        self.parked = 0
        self.ever_parked = 0

    def server(self, ctx: Context, *, lanes: int = LANES) -> Context:
        """The same server with lanes and a pool that play on this stage; with one lane all that comes is one batch."""
        pool: Any = _Pool(ctx.pool, self)
        server = Context(pool=pool, gate=ctx.gate, hmac_key=ctx.hmac_key, mode=ctx.mode)
        for group in server.lanes.values():
            assert group._quick.lanes_max == LANES
            group._quick.lanes_max = lanes
        return server

    async def settle(self, tasks: Collection["asyncio.Task[Any]"], parties: int | None = None) -> None:
        """Return when nobody can go on: ``parties`` transactions (one for each task, if not named) have come so far."""
        seen = 0
        async with asyncio.timeout(SETTLE_SECONDS):
            while seen < SEEN:
                blocked = await self._watcher.fetchval(_BLOCKED)
                pending = sum(not task.done() for task in tasks)
                wanted = pending if parties is None else min(pending, parties)
                at_rest = self.running >= wanted and self.running == self.parked + blocked
                seen = seen + 1 if at_rest else 0

    def open(self) -> None:
        """Let everybody write, those who come later too."""
        assert self.ever_parked, f"no statement was {self._park.pattern}"
        self._opened.set()

    async def _ends(self, tasks: Sequence["asyncio.Task[Any]"]) -> list[Any]:
        """How all ended. What a control is without stood in a statement: otherwise it would prove nothing."""
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        missing = [one.name for one in self._without if not self.taken_out[one.name]]
        assert not missing, f"not in any statement: {missing}"
        return ends

    async def meet(
        self, *work: Awaitable[Any], parties: int | None = None, meanwhile: Callable[[], Awaitable[Any]] | None = None
    ) -> list[Any]:  # fmt: skip
        """Run all at once, open when nobody can go on, and answer how each ended; an error is an end as well."""
        tasks = [asyncio.ensure_future(one) for one in work]
        await self.settle(tasks, parties)
        if meanwhile is not None:
            await meanwhile()
        self.open()
        return await self._ends(tasks)

    async def in_turn(
        self, first: Awaitable[Any], second: Callable[[], Awaitable[Any]], between: Callable[[], Awaitable[Any]] | None = None
    ) -> list[Any]:  # fmt: skip
        """``first`` has read and decided, then ``second`` comes, then both may write; answers their ends."""
        return await self.all_in_turn([first], lambda: [second()], between)

    async def all_in_turn(
        self, first: Sequence[Awaitable[Any]], second: Callable[[], Sequence[Awaitable[Any]]],
        between: Callable[[], Awaitable[Any]] | None = None, parties: int | None = None,
    ) -> list[Any]:  # fmt: skip
        """As `in_turn` for many, each group in transactions of its own; ``parties`` have come before all may write."""
        tasks = [asyncio.ensure_future(one) for one in first]
        await self.settle(tasks, 1)
        before = self.running
        if between is not None:
            await between()
        tasks += [asyncio.ensure_future(one) for one in second()]
        await self.settle(tasks, before + 1 if parties is None else parties)
        self.open()
        return await self._ends(tasks)

    async def passed(self, query: str, *, may_park: bool) -> tuple[str, bool]:
        """The statement as it goes to the database, and whether it parked before."""
        for one in self._without:
            query, count = one.pattern.subn(one.instead, query)
            self.taken_out[one.name] += count
        assert ROW_LOCKS not in self._without or _ROW_LOCK.search(query) is None, f"still locks: {query}"
        if not may_park or self._opened.is_set() or self._park.search(query) is None:
            return query, False
        self.parked += 1
        self.ever_parked += 1
        try:
            await self._opened.wait()
        finally:
            self.parked -= 1
        return query, True


class _Pool:
    def __init__(self, pool: Any, stage: Stage) -> None:
        self._pool = pool
        self._stage = stage

    def acquire(self) -> "_Acquire":
        return _Acquire(self._pool.acquire(), self._stage)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


class _Acquire:
    def __init__(self, acquire: Any, stage: Stage) -> None:
        self._acquire = acquire
        self._stage = stage

    async def __aenter__(self) -> "_Connection":
        return _Connection(await self._acquire.__aenter__(), self._stage)

    async def __aexit__(self, *exc: object) -> None:
        await self._acquire.__aexit__(*exc)


class _Connection:
    """A connection as the services use it (`campaigns.store.pool.Connection`)."""

    def __init__(self, connection: Any, stage: Stage) -> None:
        self._connection = connection
        self.stage = stage
        self.depth = 0
        self.has_parked = False

    async def _passed(self, query: str) -> str:
        query, parked = await self.stage.passed(query, may_park=self.depth > 0 and not self.has_parked)
        self.has_parked |= parked
        return query

    async def execute(self, query: str, *args: object) -> Any:
        return await self._connection.execute(await self._passed(query), *args)

    async def executemany(self, query: str, args: Any) -> Any:
        return await self._connection.executemany(await self._passed(query), args)

    async def fetch(self, query: str, *args: object) -> Any:
        return await self._connection.fetch(await self._passed(query), *args)

    async def fetchrow(self, query: str, *args: object) -> Any:
        return await self._connection.fetchrow(await self._passed(query), *args)

    async def fetchval(self, query: str, *args: object) -> Any:
        return await self._connection.fetchval(await self._passed(query), *args)

    async def copy_records_to_table(self, table: str, **more: Any) -> Any:
        await self._passed(f"INSERT INTO {table} ")
        return await self._connection.copy_records_to_table(table, **more)

    def transaction(self, **how: Any) -> "_Transaction":
        return _Transaction(self, self._connection.transaction(**how))


class _Transaction:
    def __init__(self, connection: _Connection, transaction: Any) -> None:
        self._connection = connection
        self._transaction = transaction

    async def __aenter__(self) -> None:
        connection = self._connection
        if connection.depth == 0:  # counted before BEGIN is sent, so that nobody is at rest without it
            connection.has_parked = False
            connection.stage.running += 1
        connection.depth += 1
        try:
            await self._transaction.__aenter__()
        except BaseException:
            self._end()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._transaction.__aexit__(kind, error, trace)
        finally:
            self._end()

    def _end(self) -> None:
        self._connection.depth -= 1
        if self._connection.depth == 0:
            self._connection.stage.running -= 1
