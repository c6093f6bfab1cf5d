"""What the campaign's lock keeps: nothing is paid of a campaign that was stopped, and a closed one returns by its shares."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.paying import authorize, redeem
from campaigns.services.refunding import Refund, refund
from campaigns.services.suspending import suspend
from campaigns.services.sweeping import sweep
from tests.races.conftest import Servers
from tests.races.stage import CAMPAIGN_LOCKS, PAYMENT_WRITES, ROW_LOCKS, Stage
from tests.races.support import findings, tally
from tests.support.paychecks import let_pass
from tests.support.payworld import PayWorld, asked

REFUNDS = 10
STATES = rf"\bUPDATE campaign |{PAYMENT_WRITES}"


async def paid_by(world: PayWorld, campaign: UUID, people: int) -> list[tuple[UUID, Principal]]:
    """Payments of as many persons, each with its till."""
    payments = []
    till = world.till(await world.merchant())
    for _ in range(people):
        person = await world.person()
        await world.voucher(campaign, person, 1_000)
        spend = await world.spend(person, 1_000)
        payments.append(((await redeem(world.ctx, till, asked(till, spend), spend)).id, till))
    return payments


async def after_the_close(world: PayWorld, stage: Stage, servers: Servers) -> list[int]:
    """One fen comes back of each of ten payments, five at each server; answers what each funder got of them."""
    campaign = await world.campaign(budget_fen=100_000, shares=(7_000, 3_000))
    payments = await paid_by(world, campaign, REFUNDS)
    await let_pass(world, timedelta(days=31))
    await sweep(world.ctx)
    await world.close(campaign)
    playing, goods = [stage.server(ctx, lanes=1) for ctx in servers], Refund(returned_goods_fen=1)
    work = [
        refund(playing[n % 2], till, asked(till, goods), payment, goods)
        for n, (payment, till) in enumerate(payments)
    ]
    assert tally(await stage.meet(*work, parties=len(servers))) == {"done": REFUNDS}
    async with world.ctx.pool.acquire() as connection:
        rows = await connection.fetch(
            "SELECT f.share_bp, sum(t.amount_fen)::int FROM transfer t JOIN funder f ON f.id = t.credit_id"
            " WHERE t.kind = 'refund' GROUP BY f.share_bp ORDER BY f.share_bp DESC"
        )
    return [row[1] for row in rows]


async def test_refunds_of_a_closed_campaign_return_by_the_funders_shares(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection
) -> None:
    assert await after_the_close(world, Stage(watcher), servers) == [7, 3]
    assert await findings(world.ctx) == set()


async def test_control_without_the_campaigns_lock_each_server_rounds_for_itself(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection
) -> None:
    """Nothing is wrong in the books: the limit is each funder's share of the cumulated net spending."""
    stage = Stage(watcher, without=[CAMPAIGN_LOCKS, ROW_LOCKS])
    assert await after_the_close(world, stage, servers) in ([8, 2], [6, 4])


class Shop:
    """A person who pays, and an invariant that stops the campaign."""

    def __init__(self, world: PayWorld) -> None:
        self.world = world

    async def start(self) -> "Shop":
        self.campaign, self.counter = await self.world.campaign(), await self.world.merchant()
        self.person = await self.world.person()
        await self.world.voucher(self.campaign, self.person, 1_000)
        return self

    def pay(self, server: Context) -> Any:
        holder, spend = self.world.holder(self.person), self.world.at_counter(self.counter, 100)
        return authorize(server, holder, asked(holder, spend), spend)

    def stop(self, server: Context) -> Any:
        return suspend(server, self.campaign, "a race")


@pytest.mark.parametrize("first", ["pay", "stop"])
async def test_a_payment_and_a_stop_are_one_after_the_other(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, first: str
) -> None:
    shop, stage = await Shop(world).start(), Stage(watcher, STATES)
    one, other = (stage.server(ctx) for ctx in servers)
    if first == "pay":
        ends = await stage.in_turn(shop.pay(one), lambda: shop.stop(other))
        assert tally(ends) == {"held": 1, "done": 1}
    else:
        ends = await stage.in_turn(shop.stop(one), lambda: shop.pay(other))
        assert tally(ends) == {"done": 1, "campaign_not_open": 1}
    assert await findings(world.ctx) == set()


async def test_control_without_the_campaigns_lock_it_is_paid_after_the_stop(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection
) -> None:
    """The stop is over and told, and a payment is written after it."""
    shop, stage = await Shop(world).start(), Stage(watcher, PAYMENT_WRITES, [CAMPAIGN_LOCKS])
    one, other = (stage.server(ctx) for ctx in servers)
    told: list[int] = []

    async def stop() -> None:
        await shop.stop(other)
        told.append(await world.count("payment"))

    ends = await stage.in_turn(shop.pay(one), stop)
    assert tally(ends) == {"held": 1, "done": 1}
    assert told == [0] and await world.count("payment") == 1
