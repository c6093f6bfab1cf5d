"""Group commit with a small work of its own on a real database: each request adds one to a counter row."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from campaigns.domain.errors import Broken, Invalid, Refused, TryAgain
from campaigns.domain.ids import new_id
from campaigns.runtime.engines import Databases
from campaigns.store.group_batch import MAX_RUNS, Failed, Overtaken
from campaigns.store.group_commit import MAX_BATCH, GroupCommit
from campaigns.store.pool import Connection, Pool, open_pool
from campaigns.store.unit_of_work import Request, request

PRINCIPAL = new_id()
REFUSE, INVALID, BREAK, DATA, OVERTAKEN = "refuse", "invalid", "break", "data", "overtaken"


@dataclass
class Adder:
    """Adds each plan (a name) to `tally` with its place; special names fail in their ways."""

    batches: list[list[str]] = field(default_factory=list)
    before: Callable[[Connection], Awaitable[object]] | None = None

    async def __call__(
        self, connection: Connection, plans: Sequence[str], /, *, patient: bool
    ) -> list[object]:
        self.batches.append(list(plans))
        if self.before is not None:
            await self.before(connection)
        number = await connection.fetchval("SELECT n FROM tally_sum FOR UPDATE")
        ends: list[object] = []
        added = []
        for plan in plans:
            if plan == REFUSE:
                ends.append(Failed(Refused("wrong_state", state="no")))
            elif plan == INVALID:
                ends.append(Failed(Invalid("body_invalid")))
            elif plan == BREAK:
                raise AssertionError("a bug of ours")
            elif plan == OVERTAKEN:
                raise Overtaken
            else:
                number += 1
                added.append((number, "\0" if plan == DATA else plan))
                ends.append(number)
        if added:
            await connection.execute(
                "INSERT INTO tally SELECT * FROM unnest($1::int[], $2::text[])", *zip(*added, strict=True)
            )
            await connection.execute("UPDATE tally_sum SET n = $1", number)
        return ends


def ask(key: str = "", body: object = 1) -> Request:
    return request(PRINCIPAL, key or str(new_id()), "test", body)


@pytest.fixture
async def tally(owner: asyncpg.Connection) -> asyncpg.Connection:
    """The owner's connection to a database with the work's tables."""
    await owner.execute(
        "CREATE TABLE tally (n int PRIMARY KEY, name text); CREATE TABLE tally_sum (n int);"
        " INSERT INTO tally_sum VALUES (0); GRANT SELECT, INSERT ON tally TO app;"
        " GRANT SELECT, UPDATE ON tally_sum TO app"
    )
    return owner


@pytest.fixture
async def adder(tally: asyncpg.Connection) -> Adder:
    return Adder()


@pytest.fixture
async def lanes(pool: Pool, adder: Adder) -> AsyncIterator[GroupCommit[str]]:
    lanes: GroupCommit[str] = GroupCommit(pool, adder)
    yield lanes
    await lanes.drain()


async def run(lanes: GroupCommit[str], *plans: str) -> list[Any]:
    return await asyncio.gather(*(lanes.perform(ask(), int, plan) for plan in plans), return_exceptions=True)


async def kept(tally: asyncpg.Connection) -> tuple[int, int, int]:
    """Rows, their sum row, and stored answers with an effect: always alike."""
    return tuple(
        await tally.fetchrow(
            "SELECT (SELECT count(*) FROM tally), (SELECT n FROM tally_sum),"
            " (SELECT count(*) FROM idempotency WHERE effect)"
        )
    )


async def test_many_requests_share_few_transactions_and_keep_their_order(
    lanes: GroupCommit[str], adder: Adder, tally: asyncpg.Connection
) -> None:
    before = await tally.fetchval("SELECT pg_current_xact_id()::text::bigint")
    answers = await run(lanes, *(f"p{number}" for number in range(600)))
    transactions = await tally.fetchval("SELECT pg_current_xact_id()::text::bigint") - before
    assert sorted(answers) == list(range(1, 601))
    assert len(adder.batches) <= 8 and transactions <= 12
    assert max(map(len, adder.batches)) <= MAX_BATCH
    rows = {row["name"]: row["n"] for row in await tally.fetch("SELECT * FROM tally")}
    assert all(rows[f"p{number}"] == answer for number, answer in enumerate(answers))
    for batch in adder.batches:
        places = [rows[name] for name in batch]
        assert places == sorted(places), "decided in arrival order"
    assert await kept(tally) == (600, 600, 600)


async def test_one_lane_alone_decides_all_in_arrival_order(pool: Pool, adder: Adder) -> None:
    lanes: GroupCommit[str] = GroupCommit(pool, adder, lanes=1)
    assert await run(lanes, *(f"p{number}" for number in range(300))) == list(range(1, 301))
    assert list(map(len, adder.batches)) == [256, 44]


async def test_doubles_have_one_effect_and_one_answer(
    lanes: GroupCommit[str], adder: Adder, tally: asyncpg.Connection
) -> None:
    same = ask("k")
    answers = await asyncio.gather(*(lanes.perform(same, int, "p") for _ in range(100)))
    assert answers == [1] * 100
    assert await lanes.perform(same, int, "p") == 1  # from what is stored
    assert adder.batches == [["p"]]
    assert await kept(tally) == (1, 1, 1)


async def test_a_request_that_comes_as_a_lane_ends_is_not_left_lying(pool: Pool) -> None:
    async def work(connection: Connection, plans: Sequence[str], /, *, patient: bool) -> list[object]:
        return [1 for _ in plans]

    lanes: GroupCommit[str] = GroupCommit(pool, work)

    async def caller(turns: int) -> None:
        for number in range(60):
            for _ in range((turns + number) % 12):
                await asyncio.sleep(0)
            await lanes.perform(None, int, "p")

    async with asyncio.timeout(20):
        await asyncio.gather(*(caller(turns) for turns in range(3)))


async def test_another_body_under_a_key_on_its_way_is_invalid(lanes: GroupCommit[str]) -> None:
    ends = await asyncio.gather(
        *(lanes.perform(ask("k", body), int, f"p{body}") for body in (1, 2, 1)), return_exceptions=True
    )
    assert ends[0] == ends[2] == 1
    assert isinstance(ends[1], Invalid) and ends[1].code == "idempotency_key_reused"


async def test_refusals_are_stored_and_what_is_invalid_is_not(
    lanes: GroupCommit[str], tally: asyncpg.Connection
) -> None:
    refuse, invalid = ask("r"), ask("i")
    ends = await asyncio.gather(
        lanes.perform(refuse, int, REFUSE), lanes.perform(ask(), int, "p"), lanes.perform(invalid, int, INVALID),
        return_exceptions=True,
    )  # fmt: skip
    assert isinstance(ends[0], Refused) and ends[1] == 1 and isinstance(ends[2], Invalid)
    with pytest.raises(Refused) as again:
        await lanes.perform(refuse, int, "p now")
    assert (again.value.code, again.value.facts) == ("wrong_state", {"state": "no"})
    assert await lanes.perform(invalid, int, "p") == 2
    assert await kept(tally) == (2, 2, 2)


@pytest.mark.parametrize(
    ("poison", "error"), [(DATA, asyncpg.DataError), (BREAK, AssertionError), (OVERTAKEN, TryAgain)]
)
async def test_a_poisoned_request_fails_alone(
    lanes: GroupCommit[str], adder: Adder, tally: asyncpg.Connection, poison: str, error: type[Exception]
) -> None:
    plans = ["p", "p", poison, "p", "p", "p"]
    ends = await run(lanes, *plans)
    if poison == OVERTAKEN:  # says something of the whole batch: run again, then busy
        assert any(isinstance(end, TryAgain) for end in ends)
        assert sum(poison in batch for batch in adder.batches) == MAX_RUNS
    else:
        assert isinstance(ends.pop(2), error)
        assert sorted(ends) == [1, 2, 3, 4, 5]
        assert sum(poison in batch for batch in adder.batches) == 2  # with the others, and once alone
    rows, total, stored = await kept(tally)
    assert rows == total == stored == sum(isinstance(end, int) for end in ends)


async def test_an_error_of_the_work_that_names_one_request_is_its_own(pool: Pool, adder: Adder) -> None:
    async def work(connection: Connection, plans: Sequence[str], /, *, patient: bool) -> list[object]:
        return [Failed(Broken("invariant", invariant=4)) if plan == "bad" else 7 for plan in plans]

    lanes: GroupCommit[str] = GroupCommit(pool, work)
    ends = await run(lanes, "good", "bad", "good")
    assert isinstance(ends[1], Broken) and [ends[0], ends[2]] == [7, 7]


async def test_a_full_queue_answers_busy_and_nothing_happens(
    pool: Pool, adder: Adder, tally: asyncpg.Connection
) -> None:
    lanes: GroupCommit[str] = GroupCommit(pool, adder, lanes=1, max_waiting=10)
    ends = await run(lanes, *["p"] * 30)
    assert sum(isinstance(end, TryAgain) and end.code == "busy" for end in ends) == 20
    assert await kept(tally) == (10, 10, 10)
    same = ask("k")  # doubles wait too, so they count
    ends = await asyncio.gather(*(lanes.perform(same, int, "p") for _ in range(30)), return_exceptions=True)
    assert sum(isinstance(end, TryAgain) for end in ends) == 20
    assert await kept(tally) == (11, 11, 11)


async def test_a_client_who_leaves_neither_cancels_nor_doubles(
    lanes: GroupCommit[str], tally: asyncpg.Connection
) -> None:
    same = ask("k")
    leaving = asyncio.create_task(lanes.perform(same, int, "p"))
    staying = asyncio.create_task(lanes.perform(same, int, "p"))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await staying == 1
    assert await lanes.perform(same, int, "p") == 1
    assert await kept(tally) == (1, 1, 1)


async def test_a_lost_backend_is_told_to_its_batch_and_the_next_one_works(
    lanes: GroupCommit[str], adder: Adder, tally: asyncpg.Connection
) -> None:
    async def lose(connection: Connection) -> None:
        adder.before = None
        await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    adder.before = lose
    asked = [ask(str(number)) for number in range(5)]
    ends = await asyncio.gather(*(lanes.perform(one, int, "p") for one in asked), return_exceptions=True)
    lost = [one for one, end in zip(asked, ends, strict=True) if isinstance(end, Exception)]
    assert lost and {getattr(end, "code", "") for end in ends if not isinstance(end, int)} == {
        "outcome_unknown"
    }
    rows, total, stored = await kept(tally)
    assert rows == total == stored == 5 - len(lost)
    for one in asked:  # repeat with the same key
        assert isinstance(await lanes.perform(one, int, "p"), int)
    assert await kept(tally) == (5, 5, 5)


async def test_a_lock_that_is_held_up_makes_only_those_busy_who_need_it(
    database: Databases, tally: asyncpg.Connection
) -> None:
    async def work(connection: Connection, plans: Sequence[str], /, *, patient: bool) -> list[object]:
        if "locked" in plans:
            await connection.fetchval("SELECT n FROM tally_sum FOR UPDATE")
        return [1 for _ in plans]

    short = await open_pool(database.app.dsn, size=2, lock_timeout_ms=50)
    lanes: GroupCommit[str] = GroupCommit(short, work, lanes=1)
    async with tally.transaction():
        await tally.execute("SELECT n FROM tally_sum FOR UPDATE")
        ends = await run(lanes, "free", "locked", "free")
    assert isinstance(ends[1], TryAgain) and [ends[0], ends[2]] == [1, 1]
    assert await run(lanes, "locked") == [1]
    await short.close()


async def test_a_deadlock_is_run_again_once(pool: Pool, adder: Adder) -> None:
    fails = [2, 1]

    async def deadlocks(connection: Connection) -> None:
        fails[0] -= 1
        if fails[0] >= 0:
            await connection.execute("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$")

    adder.before = deadlocks
    lanes: GroupCommit[str] = GroupCommit(pool, adder)
    assert isinstance((await run(lanes, "p"))[0], TryAgain)
    fails[0] = 1
    assert await run(lanes, "p") == [1]


async def test_draining_ends_what_was_taken_and_takes_no_more(
    lanes: GroupCommit[str], tally: asyncpg.Connection
) -> None:
    under_way = [asyncio.create_task(lanes.perform(ask(), int, "p")) for _ in range(20)]
    await asyncio.sleep(0)
    await lanes.drain()
    with pytest.raises(TryAgain):
        await lanes.perform(ask(), int, "p")
    assert sorted(await asyncio.gather(*under_way)) == list(range(1, 21))
    assert await kept(tally) == (20, 20, 20)


async def test_equal_requests_at_two_servers_have_one_effect(
    database: Databases, adder: Adder, tally: asyncpg.Connection
) -> None:
    pools = [await open_pool(database.app.dsn, size=4) for _ in range(2)]
    servers: list[GroupCommit[str]] = [GroupCommit(pool, adder) for pool in pools]
    asked = [ask(str(number)) for number in range(50)]
    answers = await asyncio.gather(*(server.perform(one, int, "p") for one in asked for server in servers))
    assert [answers[0::2]] == [answers[1::2]] and sorted(answers[0::2]) == list(range(1, 51))
    assert await kept(tally) == (50, 50, 50)
    for pool in pools:
        await pool.close()


async def test_control_without_the_key_row_equal_requests_are_done_twice(
    database: Databases, adder: Adder, tally: asyncpg.Connection
) -> None:
    """Without its unique key and the look-up the same test would find two effects."""
    await tally.execute("ALTER TABLE idempotency DROP CONSTRAINT idempotency_pkey")
    pools = [await open_pool(database.app.dsn, size=4) for _ in range(2)]
    servers: list[GroupCommit[str]] = [GroupCommit(pool, adder) for pool in pools]
    met = asyncio.Barrier(2)
    adder.before = lambda connection: met.wait()  # both have looked up before either stores
    same = ask("k")
    answers = await asyncio.gather(*(server.perform(same, int, "p") for server in servers))
    assert sorted(answers) == [1, 2]
    assert await kept(tally) == (2, 2, 2)
    for pool in pools:
        await pool.close()
