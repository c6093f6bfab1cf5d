"""Nobody hears yes before COMMIT: while it waits, no answer is told; when it fails, no payment was told."""

import asyncio
from typing import Any

import asyncpg
import pytest

from campaigns.services.context import Context
from campaigns.services.paying import authorize
from tests.races.conftest import Servers
from tests.races.support import findings, tally
from tests.support.payworld import PayWorld, asked

PHONES = 12
BASKET_FEN = 100
LOCK = 7_431  # an advisory lock of the test's own

# A deferred trigger runs at COMMIT; `pg_advisory_xact_lock` makes it wait there for whoever holds the lock.
_WAIT_AT_COMMIT = f"""
CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock({LOCK}); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON payment DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION at_commit();
"""
_FAIL_AT_COMMIT = _WAIT_AT_COMMIT.replace(
    f"PERFORM pg_advisory_xact_lock({LOCK}); RETURN NULL;", "RAISE EXCEPTION 'no' USING ERRCODE = '23514';"
)
_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


class EagerPool:
    """A pool whose transactions say that they have ended while their COMMIT is still on its way."""

    is_used_up = False

    def __init__(self, pool: Any) -> None:
        self.pool = pool

    def acquire(self) -> "EagerPool.Connection":
        return EagerPool.Connection(self.pool.acquire())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.pool, name)

    class Connection:
        def __init__(self, acquire: Any) -> None:
            self.acquire = acquire
            self.commits: list[asyncio.Task[None]] = []

        async def __aenter__(self) -> "EagerPool.Connection":
            self.connection = await self.acquire.__aenter__()
            return self

        async def __aexit__(self, *exc: object) -> None:
            await asyncio.gather(*self.commits)
            await self.acquire.__aexit__(*exc)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.connection, name)

        def transaction(self) -> "EagerPool.Transaction":
            return EagerPool.Transaction(self)

    class Transaction:
        def __init__(self, connection: "EagerPool.Connection") -> None:
            self.connection = connection
            self.transaction = connection.connection.transaction()

        async def __aenter__(self) -> None:
            await self.transaction.__aenter__()

        async def __aexit__(self, *exc: object) -> None:
            self.connection.commits.append(asyncio.ensure_future(self.transaction.__aexit__(*exc)))


async def phones(world: PayWorld, server: Context) -> list["asyncio.Task[Any]"]:
    campaign, shop = await world.campaign(), await world.merchant()
    tasks = []
    for _ in range(PHONES):
        person = await world.person()
        await world.voucher(campaign, person, 1_000)
        holder, spend = world.holder(person), world.at_counter(shop, BASKET_FEN)
        tasks.append((server, holder, asked(holder, spend), spend))
    return [asyncio.ensure_future(authorize(*one)) for one in tasks]


async def told_too_early(world: PayWorld, server: Context, owner: asyncpg.Connection, watcher: Any) -> int:
    """How many have heard an answer while no payment can be seen yet, as every COMMIT waits."""
    await owner.execute(_WAIT_AT_COMMIT)
    await owner.execute("SELECT pg_advisory_lock($1)", LOCK)
    tasks = await phones(world, server)
    async with asyncio.timeout(20):
        while await watcher.fetchval(_WAITING) < 2:  # both lanes
            pass
    assert await owner.fetchval("SELECT count(*) FROM payment") == 0
    told = sum(task.done() for task in tasks)
    await owner.execute("SELECT pg_advisory_unlock($1)", LOCK)
    assert tally(await asyncio.gather(*tasks)) == {"held": PHONES}
    return told


async def test_no_answer_is_told_while_its_commit_waits(
    world: PayWorld, owner: asyncpg.Connection, watcher: asyncpg.Connection
) -> None:
    assert await told_too_early(world, world.ctx, owner, watcher) == 0
    assert await owner.fetchval("SELECT count(*) FROM payment") == PHONES
    assert await findings(world.ctx) == set()


async def test_control_whoever_does_not_wait_for_the_commit_tells_of_payments_that_are_not(
    world: PayWorld, servers: Servers, owner: asyncpg.Connection, watcher: asyncpg.Connection
) -> None:
    """Invariant 2: what was acknowledged exists."""
    pool: Any = EagerPool(servers[1].pool)
    eager = Context(pool=pool, gate=servers[1].gate, hmac_key=servers[1].hmac_key, mode="test")
    assert await told_too_early(world, eager, owner, watcher) > 0
    await eager.payments.drain()


async def test_a_commit_that_fails_is_told_to_all_of_its_batch(
    world: PayWorld, owner: asyncpg.Connection
) -> None:
    await owner.execute(_FAIL_AT_COMMIT)
    ends = await asyncio.gather(*await phones(world, world.ctx), return_exceptions=True)
    assert all(isinstance(end, asyncpg.CheckViolationError) for end in ends)
    assert await world.count("payment") == await world.count("idempotency") == 0
    assert await findings(world.ctx) == set()


@pytest.mark.parametrize("copies", [2, 50])
async def test_copies_hear_of_a_failed_commit_together(
    world: PayWorld, owner: asyncpg.Connection, copies: int
) -> None:
    """Who waits for an equal request hears its end; nobody is left waiting."""
    await owner.execute(_FAIL_AT_COMMIT)
    person, shop = await world.person(), await world.merchant()
    await world.voucher(await world.campaign(), person, 1_000)
    holder, spend = world.holder(person), world.at_counter(shop, BASKET_FEN)
    request = asked(holder, spend)
    work = [authorize(world.ctx, holder, request, spend) for _ in range(copies)]
    async with asyncio.timeout(20):
        ends = await asyncio.gather(*work, return_exceptions=True)
    assert all(isinstance(end, asyncpg.CheckViolationError) for end in ends)
    await owner.execute("DROP TRIGGER at_commit ON payment")
    assert (await authorize(world.ctx, holder, request, spend)).state == "held"
    assert await findings(world.ctx) == set()
