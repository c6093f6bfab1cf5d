"""What pays once: a payment code at many terminals, an announced amount at many phones."""

from collections.abc import Awaitable
from typing import Any

import asyncpg

from campaigns.services.context import Context
from campaigns.services.paying import redeem
from campaigns.services.payment_reads import Announce, announce_amount
from tests.races.conftest import Servers
from tests.races.stage import ROW_LOCKS, Stage
from tests.races.support import disarm, findings, tally
from tests.support.payworld import PayWorld, asked

TERMINALS, PHONES = 40, 20
BASKET_FEN = 100


async def at_terminals(world: PayWorld, stage: Stage, servers: Servers) -> list[Any]:
    """The ends of one code that 40 terminals read at once."""
    tills = [world.till(await world.merchant()) for _ in range(TERMINALS)]
    person = await world.person()
    await world.voucher(await world.campaign(), person, 100_000)
    spend, playing = await world.spend(person, BASKET_FEN), [stage.server(ctx) for ctx in servers]
    work = [redeem(playing[n % 2], till, asked(till, spend), spend) for n, till in enumerate(tills)]
    return await stage.meet(*work, parties=len(servers))


async def test_a_payment_code_at_many_terminals_pays_once(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection
) -> None:
    ends = await at_terminals(world, Stage(watcher), servers)
    assert tally(ends) == {"captured": 1, "code_already_used": TERMINALS - 1}
    assert await findings(world.ctx) == set()


async def test_its_unique_index_alone_keeps_a_code_from_paying_twice(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection
) -> None:
    """Without the voucher's lock both servers look the code up before either has paid: one batch is rolled back."""
    ends = await at_terminals(world, Stage(watcher, without=[ROW_LOCKS]), servers)
    assert tally(ends) == {"captured": 1, "code_already_used": TERMINALS - 1}
    assert await findings(world.ctx) == set()


async def test_control_without_lock_and_index_a_code_pays_at_each_server(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    assert "payment_code" in await disarm(owner, "payment", "payment_line", "voucher")
    ends = await at_terminals(world, Stage(watcher, without=[ROW_LOCKS]), servers)
    assert tally(ends)["captured"] > 1
    async with world.ctx.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) - count(DISTINCT code_id) FROM payment") > 0
    assert (4, "voucher_against_lines") in await findings(world.ctx)


class Counter:
    """A till that announces, and phones that pay what it announced."""

    def __init__(self, world: PayWorld) -> None:
        self.world = world

    async def start(self) -> "Counter":
        campaign, self.shop = await self.world.campaign(), await self.world.merchant()
        self.people = [await self.world.person() for _ in range(PHONES)]
        for person in self.people:
            await self.world.voucher(campaign, person, 1_000)
        return self

    async def announce(self) -> None:
        till, command = self.world.till(self.shop), Announce(amount_fen=BASKET_FEN)
        await announce_amount(self.world.ctx, till, asked(till, command), command)

    def phones(self, *servers: Context) -> list[Awaitable[Any]]:
        work: list[Awaitable[Any]] = []
        for number, person in enumerate(self.people):
            holder, spend = self.world.holder(person), self.world.at_counter(self.shop, BASKET_FEN)
            work.append(redeem(servers[number % len(servers)], holder, asked(holder, spend), spend))
        return work

    async def taken(self) -> tuple[int, int]:
        """Announcements that were paid, and payments."""
        async with self.world.ctx.pool.acquire() as connection:
            paid = await connection.fetchval("SELECT count(DISTINCT payment_id) FROM announcement")
        return paid, await self.world.count("payment")


async def test_an_announced_amount_is_paid_by_one_phone(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection
) -> None:
    counter, stage = await Counter(world).start(), Stage(watcher)
    await counter.announce()
    work = counter.phones(*(stage.server(ctx) for ctx in servers))
    ends = await stage.meet(*work, parties=len(servers))
    assert tally(ends) == {"captured": 1, "nothing_announced": PHONES - 1}
    assert await counter.taken() == (1, 1)
    assert await findings(world.ctx) == set()


async def test_control_without_its_lock_an_announced_amount_is_paid_at_each_server(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection
) -> None:
    """Nothing is wrong in the books: the limit is that each announcement pays once."""
    counter, stage = await Counter(world).start(), Stage(watcher, without=[ROW_LOCKS])
    await counter.announce()
    work = counter.phones(*(stage.server(ctx) for ctx in servers))
    assert tally(await stage.meet(*work, parties=len(servers)))["captured"] > 1
    paid, payments = await counter.taken()
    assert paid < payments


async def announced_again(world: PayWorld, stage: Stage, servers: Servers) -> tuple[int, int]:
    """Phones of one server are about to pay when the till announces anew; then those of the other come."""
    counter = await Counter(world).start()
    await counter.announce()
    first, second = stage.server(servers[0]), stage.server(servers[1])
    ends = await stage.all_in_turn(
        counter.phones(first), lambda: counter.phones(second), between=counter.announce
    )
    tally(ends)
    return await counter.taken()


async def test_two_announcements_are_two_payments(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection
) -> None:
    assert await announced_again(world, Stage(watcher), servers) == (2, 2)
    assert await findings(world.ctx) == set()


async def test_control_without_its_lock_two_announcements_are_more_payments(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection
) -> None:
    paid, payments = await announced_again(world, Stage(watcher, without=[ROW_LOCKS]), servers)
    assert paid == 2 < payments
