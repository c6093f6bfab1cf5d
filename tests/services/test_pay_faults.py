"""Payments while something goes wrong: a campaign held alone, books that break, a schema that grows, backends killed."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from campaigns.domain.errors import Broken, HongbaoError
from campaigns.runtime.engines import Databases
from campaigns.services.capturing import Capture, capture, void
from campaigns.services.clock import set_clock
from campaigns.services.context import Context
from campaigns.services.paying import authorize, redeem
from campaigns.services.refunding import Refund, refund
from campaigns.services.sweeping import expire_vouchers
from campaigns.store.locks import lock_campaign
from tests.support.payworld import PayWorld, asked, check_books, wait_for_campaign_lock

KILLS = 25
KILL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = 'app' AND state <> 'idle' AND datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
async def world(ctx: Context) -> PayWorld:
    return await PayWorld(ctx).start()


async def holders(world: PayWorld, campaign: UUID, count: int, face_fen: int = 50_000) -> list[UUID]:
    people = [await world.person() for _ in range(count)]
    for person in people:
        await world.voucher(campaign, person, face_fen)
    return people


async def pay(world: PayWorld, person: UUID, shop: UUID) -> Any:
    till, spend = world.till(shop), await world.spend(person, 1_000)
    return await redeem(world.ctx, till, asked(till, spend), spend)


async def hold(world: PayWorld, person: UUID, shop: UUID) -> UUID:
    holder, spend = world.holder(person), world.at_counter(shop, 1_000)
    return (await authorize(world.ctx, holder, asked(holder, spend), spend)).id


async def test_a_campaign_held_alone_stops_its_own_payments_and_no_others(
    world: PayWorld, owner: asyncpg.Connection
) -> None:
    shop, held, free = await world.merchant(), await world.campaign(), await world.campaign()
    waiting, going = await holders(world, held, 12), await holders(world, free, 12)
    payment = await hold(world, waiting[0], shop)
    till = world.till(shop)
    async with owner.transaction():
        await lock_campaign(owner, (await world.row("campaign", held))["seq"])
        late = [asyncio.create_task(pay(world, person, shop)) for person in waiting]
        late.append(asyncio.create_task(capture(world.ctx, till, asked(till, 1), payment, Capture())))
        await wait_for_campaign_lock(world.ctx, late[0])
        for _ in range(5):
            ends = await asyncio.gather(*(pay(world, person, shop) for person in going))
            assert {end.state for end in ends} == {"captured"}
        assert not any(task.done() for task in late)
    assert {end.state for end in await asyncio.gather(*late)} == {"captured"}
    assert await world.count("payment") == 1 + 12 + 60
    await check_books(world.ctx)


async def test_refunds_of_closed_campaigns_wait_for_each_other_apart(
    world: PayWorld, owner: asyncpg.Connection
) -> None:
    shop, campaign = await world.merchant(), await world.campaign()
    people = await holders(world, campaign, 8)
    payments = [(await pay(world, person, shop)).id for person in people]
    await set_clock(world.ctx, (await world.row("campaign", campaign))["spending_end"])
    assert await expire_vouchers(world.ctx) == 8
    await world.close(campaign)
    till = world.till(shop)
    ends = await asyncio.gather(
        *(refund(world.ctx, till, asked(till, one), one, Refund(returned_goods_fen=400)) for one in payments)
    )
    assert [end.back_fen for end in ends] == [400] * 8
    await check_books(world.ctx)


async def test_what_a_constraint_refuses_stops_its_campaign_and_no_other_payment(
    world: PayWorld, owner: asyncpg.Connection
) -> None:
    shop, campaign = await world.merchant(), await world.campaign()
    payments = [await hold(world, person, shop) for person in await holders(world, campaign, 6)]
    await owner.execute(  # the line that the void is about to write is there already
        "INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind,"
        " credit_id, amount_fen, at) SELECT cause_id, 'void', line, campaign_id, operator_id, debit_kind, debit_id,"
        " credit_kind, credit_id, amount_fen, at FROM transfer WHERE cause_id = $1",
        payments[2],
    )
    till = world.till(shop)
    ends = await asyncio.gather(
        *(void(world.ctx, till, asked(till, n), one) for n, one in enumerate(payments)),
        return_exceptions=True,
    )
    assert [getattr(end, "state", "") for end in ends] == ["voided" if n != 2 else "" for n in range(6)]
    assert isinstance(ends[2], Broken) and ends[2].facts == {"invariant": 5, "campaign_id": str(campaign)}
    assert (await world.row("campaign", campaign))["state"] == "suspended"
    assert (await world.row("payment", payments[2]))["state"] == "held"


async def test_a_table_that_grows_between_two_payments_is_no_error(
    world: PayWorld, owner: asyncpg.Connection
) -> None:
    shop, campaign = await world.merchant(), await world.campaign()
    payments = [await hold(world, person, shop) for person in await holders(world, campaign, 2)]
    till = world.till(shop)
    await capture(world.ctx, till, asked(till, 0), payments[0], Capture())
    await owner.execute("ALTER TABLE payment ADD COLUMN later int")
    assert (await capture(world.ctx, till, asked(till, 1), payments[1], Capture())).state == "captured"


@pytest.mark.parametrize("seed", [1, 2])
async def test_backends_killed_under_load_neither_lose_nor_double_a_payment(
    world: PayWorld, database: Databases, owner: asyncpg.Connection, seed: int
) -> None:
    """Each request is repeated with its key until it is answered; what was answered is what there is."""
    choice = random.Random(seed)
    shop, campaign = await world.merchant(), await world.campaign()
    people = await holders(world, campaign, 12)
    till = world.till(shop)
    unknown = 0

    async def until_answered(act: Callable[[], Awaitable[Any]]) -> Any:
        nonlocal unknown
        while True:
            try:
                return await act()
            except HongbaoError as error:
                assert error.code in ("busy", "outcome_unknown"), error
                unknown += error.code == "outcome_unknown"

    async def customer(person: UUID) -> list[UUID]:
        paid, holder = [], world.holder(person)
        for _ in range(12):
            spend = world.at_counter(shop, 100)
            key = asked(holder, spend)
            payment = (await until_answered(lambda s=spend, k=key: authorize(world.ctx, holder, k, s))).id
            paid.append(payment)
            key, part = asked(till, payment), Capture(basket_fen=choice.choice((60, 100)))
            await until_answered(lambda p=payment, k=key, c=part: capture(world.ctx, till, k, p, c))
        return paid

    async def kill(killer: asyncpg.Connection) -> None:
        for _ in range(KILLS):
            await asyncio.sleep(choice.random() * 0.03)
            await killer.execute(KILL)
        await killer.close()

    killing = asyncio.create_task(kill(await asyncpg.connect(database.app.dsn)))
    async with asyncio.timeout(60):
        paid = await asyncio.gather(*(customer(person) for person in people))
    await killing
    rows = {row["id"] for row in await owner.fetch("SELECT id FROM payment")}
    assert rows == {one for many in paid for one in many} and len(rows) == 144
    assert unknown > 0, "no kill met a batch"
    await check_books(world.ctx)
