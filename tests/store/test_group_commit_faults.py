"""Group commit under fire: who holds a lock, what breaks a lane, and what becomes of whom."""

import asyncio
import gc
from collections.abc import Collection, Sequence
from typing import Any

import asyncpg
import pytest

from campaigns.domain.errors import Broken, Refused, TryAgain
from campaigns.domain.ids import new_id
from campaigns.gate.gathered import Gathered
from campaigns.runtime.engines import Databases
from campaigns.store import group_commit
from campaigns.store.group_batch import HELD_UP, Failed
from campaigns.store.group_commit import LANES, MAX_ASIDE, GroupCommit, Seen
from campaigns.store.pool import Connection, NotDurableError, Pool, open_pool
from campaigns.store.unit_of_work import Work, perform, request

PRINCIPAL = new_id()
LOCK = 77


async def campaigns(connection: Connection, plans: Sequence[str], /, *, patient: bool) -> list[object]:
    """Plans called "held" need an advisory lock, "poison" breaks the batch, "cut" loses its connection."""
    free = True
    if "held" in plans and patient:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    elif "held" in plans:
        free = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK)
    if "row" in plans:
        await connection.execute("SELECT 1 FROM clock FOR UPDATE")
    if "poison" in plans:
        raise AssertionError("a bug of ours")
    if plans == ["cut"]:
        await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    return [1 if free or plan != "held" else HELD_UP for plan in plans]


def ask(lanes: GroupCommit[str], plan: str, key: str = "") -> asyncio.Task[Any]:
    asked = request(PRINCIPAL, key or str(new_id()), "test", plan)
    return asyncio.create_task(lanes.perform(asked, int, plan))


async def ends(tasks: Sequence[asyncio.Task[Any]]) -> list[Any]:
    return await asyncio.gather(*tasks, return_exceptions=True)


async def all_begun() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_needs_what_somebody_holds_waits_apart_and_the_others_go_on(
    pool: Pool, owner: asyncpg.Connection
) -> None:
    lanes: GroupCommit[str] = GroupCommit(pool, campaigns)
    async with owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        held = [ask(lanes, "held") for _ in range(20)]
        for _ in range(5):
            assert await ends([ask(lanes, "free") for _ in range(300)]) == [1] * 300
        late = [ask(lanes, "held", "late") for _ in range(2)]
        await all_begun()
        assert not any(one.done() for one in held + late)
    assert await ends(held + late) == [1] * 22
    await lanes.drain()


async def test_who_is_held_too_long_is_busy_and_nothing_happened(
    database: Databases, owner: asyncpg.Connection
) -> None:
    short = await open_pool(database.app.dsn, size=4, lock_timeout_ms=50)
    lanes: GroupCommit[str] = GroupCommit(short, campaigns)
    async with owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        told = await ends([ask(lanes, "held", str(number)) for number in range(MAX_ASIDE + 300)])
        assert {end.code for end in told} == {"busy"}
    assert await owner.fetchval("SELECT count(*) FROM idempotency") == 0
    assert await ends([ask(lanes, "held", str(number)) for number in range(3)]) == [1] * 3
    await short.close()


async def test_all_who_were_held_their_time_are_busy_at_once(
    pool: Pool, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "ASIDE_SECONDS", 0.0)
    lanes: GroupCommit[str] = GroupCommit(pool, campaigns)
    async with owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        async with asyncio.timeout(4):  # not the lock timeout, batch after batch
            told = await ends([ask(lanes, "held") for _ in range(1_000)])
    assert {end.code for end in told} == {"busy"}
    await lanes.drain()


async def test_a_poisoned_batch_does_not_wait_for_one_lock_again_and_again(
    database: Databases, owner: asyncpg.Connection
) -> None:
    slow = await open_pool(database.app.dsn, size=4, lock_timeout_ms=500)
    lanes: GroupCommit[str] = GroupCommit(slow, campaigns, lanes=1)
    async with owner.transaction():
        tasks = [ask(lanes, "poison"), *(ask(lanes, "row") for _ in range(40))]
        await owner.execute("SELECT 1 FROM clock FOR UPDATE")
        async with asyncio.timeout(10):  # 40 times half a second otherwise
            told = await ends(tasks)
    assert isinstance(told[0], AssertionError)
    assert {end.code for end in told[1:]} == {"busy"}
    await slow.close()


async def test_a_connection_lost_among_single_runs_costs_no_request_after_them(pool: Pool) -> None:
    lanes: GroupCommit[str] = GroupCommit(pool, campaigns, lanes=1)
    tasks = [ask(lanes, plan) for plan in ("free", "poison", "cut", "free")]
    await all_begun()
    after = ask(lanes, "free")
    told = await ends([*tasks, after])
    assert [getattr(end, "code", end) for end in told[2:]] == ["outcome_unknown", "outcome_unknown", 1]
    assert told[0] == 1 and isinstance(told[1], AssertionError)


async def test_a_table_changed_meanwhile_is_no_error_of_a_request(
    database: Databases, owner: asyncpg.Connection
) -> None:
    async def work(connection: Connection, plans: Sequence[str], /, *, patient: bool) -> list[object]:
        row = await connection.fetchrow("SELECT * FROM changing")
        return [len(row) for _ in plans]

    await owner.execute("CREATE TABLE changing AS SELECT 1 AS a; GRANT SELECT ON changing TO app")
    one = await open_pool(database.app.dsn, size=1, min_size=1)
    lanes: GroupCommit[str] = GroupCommit(one, work)
    assert await ends([ask(lanes, "p")]) == [1]
    await owner.execute("ALTER TABLE changing ADD COLUMN b int")
    assert await ends([ask(lanes, "p")]) == [2]

    async def act(connection: Connection) -> int:
        return len(await connection.fetchrow("SELECT * FROM changing"))

    await owner.execute("ALTER TABLE changing ADD COLUMN c int")
    assert await perform(one, request(PRINCIPAL, "alone", "test", 1), Work(int, act)) == 3
    await one.close()


async def test_a_lane_that_dies_of_a_bug_turns_everybody_away_and_says_so(pool: Pool) -> None:
    class Undurable:
        def acquire(self) -> Any:
            raise NotDurableError("turn on fsync")

    died: list[Exception] = []
    lanes: GroupCommit[str] = GroupCommit(Undurable(), campaigns)  # type: ignore[arg-type]
    lanes.watch(lambda seen: None, died.append)
    told = await ends([ask(lanes, "free", str(number % 10)) for number in range(30)])
    assert {(type(end), end.code) for end in told} == {(TryAgain, "busy")}
    assert isinstance(lanes.error, NotDurableError) and died == [lanes.error]
    assert [end.code for end in await ends([ask(lanes, "free")])] == ["busy"]
    await lanes.drain()


async def test_cancelled_lanes_tell_their_batch_it_is_unknown_and_the_rest_that_nothing_happened(
    pool: Pool, owner: asyncpg.Connection
) -> None:
    lanes: GroupCommit[str] = GroupCommit(pool, campaigns)
    async with owner.transaction():
        await owner.execute("SELECT 1 FROM clock FOR UPDATE")
        tasks = [ask(lanes, "row") for _ in range(10)]
        while await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < 2:
            pass
        tasks += [ask(lanes, "free") for _ in range(4)]
        await all_begun()
        for lane in asyncio.all_tasks():
            if lane.get_name() == "group commit":
                lane.cancel()
        told = await ends(tasks)
    codes = [(end.code, end.status) for end in told]
    assert codes[:10] == [("outcome_unknown", 504)] * 10 and codes[10:] == [("busy", 503)] * 4
    assert await ends([ask(lanes, "free")]) == [1], "whoever comes next starts a lane"


async def test_lanes_leave_connections_to_others(database: Databases) -> None:
    """With a pool of two, under load without a pause."""
    small = await open_pool(database.app.dsn, size=2)
    lanes: GroupCommit[str] = GroupCommit(small, campaigns)
    batches: list[Seen] = []
    lanes.watch(batches.append, lambda error: None)
    over = False

    async def customer() -> None:
        while not over:
            assert await ends([ask(lanes, "free")]) == [1]

    customers = [asyncio.create_task(customer()) for _ in range(600)]
    waits = []
    for _ in range(5):
        before = len(batches)
        async with small.acquire() as connection:
            waits.append(len(batches) - before)
            assert await connection.fetchval("SELECT 1") == 1
    over = True
    assert max(waits) <= 2 * LANES, waits
    await asyncio.gather(*customers)
    await lanes.drain()
    await small.close()


async def test_failed_requests_keep_no_batch_in_memory() -> None:
    class Heavy:
        pass

    def fail(ends: list[object]) -> None:
        heavy = Heavy()
        try:
            try:
                raise KeyError(heavy)
            except KeyError:
                raise Refused("wrong_state") from None
        except Refused as error:
            ends.append(Failed(error))

    gc.collect()
    gc.disable()
    try:
        told: list[object] = []
        fail(told)
        assert not [one for one in gc.get_objects() if isinstance(one, Heavy)]
        assert isinstance(told[0], Failed) and told[0].raised().args == ("wrong_state",)
    finally:
        gc.enable()


async def test_an_error_keeps_its_facts_for_everybody_who_hears_it(pool: Pool) -> None:
    async def work(connection: Connection, plans: Sequence[str], /, *, patient: bool) -> list[object]:
        return [Failed(Broken("invariant", invariant=4, campaign_id="c")) for _ in plans]

    lanes: GroupCommit[str] = GroupCommit(pool, work)
    told = await ends([ask(lanes, "p", "same") for _ in range(5)])
    assert len(set(map(id, told))) == 5, "each has a traceback of its own"
    assert all(end.facts == {"invariant": 4, "campaign_id": "c"} and end.status == 500 for end in told)


async def test_batches_are_seen(pool: Pool, owner: asyncpg.Connection) -> None:
    lanes: GroupCommit[str] = GroupCommit(pool, campaigns, lanes=1)
    batches: list[Seen] = []
    lanes.watch(batches.append, lambda error: None)
    async with owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        tasks = [ask(lanes, "held" if number < 7 else "free") for number in range(300)]
        await asyncio.wait(tasks[7:])
    await ends(tasks)
    assert [seen.size for seen in batches] == [256, 44, 7]
    assert [seen.aside for seen in batches] in ([7, 0, 0], [7, 7, 0])
    assert batches[0].waiting in (44 + 7, 44) and batches[-1].waiting == 0
    assert all(seen.seconds > 0 and seen.waited_seconds >= 0 for seen in batches)


class Link:
    """A TCP way to the database. A new ``generation`` makes all links there were before pass nothing on any more.

    ``cut_at_commit`` cuts the first link as COMMIT is about to pass ("before"), or when its answer is back ("after").
    """

    def __init__(self, database: Databases, cut_at_commit: str = "") -> None:
        self._app = database.app
        self._cut_at_commit = cut_at_commit
        self._tasks: set[asyncio.Task[Any]] = set()
        self.generation = 0
        self._first = True

    async def __aenter__(self) -> str:
        self._proxy = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._proxy.sockets[0].getsockname()[1]
        return f"postgresql://{self._app.user}:{self._app.password}@127.0.0.1:{port}/{self._app.database}"

    async def __aexit__(self, *exc: object) -> None:
        self._proxy.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._proxy.wait_closed()

    async def _serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        born, cut = self.generation, self._cut_at_commit if self._first else ""
        self._first = False
        path = f"{self._app.host}/.s.PGSQL.{self._app.port}"
        server, ask_server = await asyncio.open_unix_connection(path)
        back = asyncio.create_task(self._answers(server, answer))
        try:
            while part := await client.read(1 << 16):
                if cut and b"COMMIT;" in part:
                    if cut == "after":
                        back.cancel()
                        ask_server.write(part)
                        await server.read(1 << 16)
                    break
                if born == self.generation:
                    ask_server.write(part)
        finally:
            back.cancel()
            for writer in (ask_server, answer):
                writer.close()
            await asyncio.gather(back, ask_server.wait_closed(), answer.wait_closed(), return_exceptions=True)

    async def _answers(self, server: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        while part := await server.read(1 << 16):
            answer.write(part)
        answer.close()


async def test_a_link_cut_without_a_word_holds_no_lane_for_long(database: Databases) -> None:
    link = Link(database)
    async with link as dsn:
        linked = await open_pool(dsn, size=4, acquire_timeout_ms=500)
        lanes: GroupCommit[str] = GroupCommit(linked, campaigns, batch_seconds=0.3)
        assert await ends([ask(lanes, "free")]) == [1]
        link.generation += 1  # whoever links from now on is heard
        async with asyncio.timeout(10):
            told = await ends([ask(lanes, "free", str(number)) for number in range(5)])
            lost = [end for end in told if end != 1]
            assert "outcome_unknown" in {end.code for end in lost}
            while lost:  # the other lane may come upon a dead link of the pool too
                told = await ends([ask(lanes, "free", str(number)) for number in range(5)])
                lost = [end for end in told if end != 1]
        await lanes.drain()
        await linked.close()


async def test_a_link_cut_without_a_word_holds_up_no_look_up_for_long(database: Databases) -> None:
    """Every request with a key that was not seen lately waits for the one look-up there is at a time."""
    link = Link(database)
    async with link as dsn:
        linked = await open_pool(dsn, size=1, acquire_timeout_ms=500)

        async def find(keys: Collection[int]) -> dict[int, int]:
            async with linked.acquire() as connection:
                rows = await connection.fetch("SELECT * FROM unnest($1::int[])", list(keys))
            return {row[0]: row[0] for row in rows}

        lookups = Gathered(find, find_seconds=0.3)
        assert await lookups.get(1) == 1
        link.generation += 1
        async with asyncio.timeout(10):
            with pytest.raises(TimeoutError):
                await lookups.get(2)
            assert await lookups.get(3) == 3
        await linked.close()


@pytest.mark.parametrize("at", ["before", "after"])
async def test_a_connection_lost_at_commit_is_unknown_and_a_repeat_finds_out(
    database: Databases, owner: asyncpg.Connection, at: str
) -> None:
    """The link is cut as COMMIT is sent on, or when its answer has come back: nobody here can tell which."""
    async with Link(database, at) as dsn:
        linked = await open_pool(dsn, size=2, min_size=1)
        lanes: GroupCommit[str] = GroupCommit(linked, campaigns, lanes=1)
        told = await ends([ask(lanes, "free", str(number)) for number in range(5)])
        assert {(end.code, end.status) for end in told} == {("outcome_unknown", 504)}
        assert await owner.fetchval("SELECT count(*) FROM idempotency") == (0 if at == "before" else 5)
        assert await ends([ask(lanes, "free", str(number)) for number in range(5)]) == [1] * 5
        assert await owner.fetchval("SELECT count(*) FROM idempotency") == 5
        await lanes.drain()
        await linked.close()
