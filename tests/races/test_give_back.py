"""A cap's uses and fen come back (void, expiry, undo, refund) while others take them: none is lost, none given twice."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from campaigns.domain.terms.model import Cap, Terms
from campaigns.services.capturing import Capture, capture, void
from campaigns.services.context import Context
from campaigns.services.paying import authorize
from campaigns.services.refunding import Refund, refund, undo
from campaigns.services.sweeping import expire_holds
from tests.races.conftest import Servers
from tests.races.stage import ROW_LOCKS, Stage
from tests.races.support import CAPS, disarm, findings, tally
from tests.support.paychecks import let_pass
from tests.support.payworld import STORED, PayWorld, asked

MOST, TAKEN, TAKERS = 10, 6, 12  # so that no lost update comes to the right sum by chance
BASKET_FEN = 1_000
USES = Cap(scope="campaign", period="whole", uses=MOST)
FEN = Cap(scope="campaign", period="whole", amount_fen=MOST * BASKET_FEN)
GIVERS = {"void": USES, "expiry": USES, "undo": USES, "refund": FEN}  # a refund gives fen back, and no use

givers = pytest.mark.parametrize("giver", sorted(GIVERS))


class Town:
    """A campaign whose cap has room for four more, and six payments that may come back."""

    def __init__(self, world: PayWorld, giver: str) -> None:
        self.world = world
        self.giver = giver

    async def start(self) -> "Town":
        self.campaign = await self.world.campaign(Terms(benefit=STORED, caps=(GIVERS[self.giver],)))
        self.shop = await self.world.merchant()
        self.payments: list[UUID] = [(await (await self.take(self.world.ctx))).id for _ in range(TAKEN)]
        if self.giver in ("undo", "refund"):
            for payment in self.payments:
                await capture(self.world.ctx, self.till, asked(self.till, 1), payment, Capture())
        return self

    @property
    def till(self) -> Any:
        return self.world.till(self.shop)

    async def take(self, server: Context) -> Awaitable[Any]:
        """One more person who holds."""
        person = await self.world.person()
        await self.world.voucher(self.campaign, person, BASKET_FEN)
        holder, spend = self.world.holder(person), self.world.at_counter(self.shop, BASKET_FEN)
        return authorize(server, holder, asked(holder, spend), spend)

    async def takers(self, server: Context) -> list[Awaitable[Any]]:
        return [await self.take(server) for _ in range(TAKERS)]

    def give_back(self, server: Context) -> list[Awaitable[Any]]:
        """All six come back."""
        till, goods = self.till, Refund(returned_goods_fen=BASKET_FEN)
        if self.giver == "expiry":
            return [expire_holds(server)]
        if self.giver == "refund":
            return [refund(server, till, asked(till, goods), payment, goods) for payment in self.payments]
        verb = void if self.giver == "void" else undo
        return [verb(server, till, asked(till, 1), payment) for payment in self.payments]

    async def count(self) -> tuple[int, int]:
        """What the cap's counter says."""
        async with self.world.ctx.pool.acquire() as connection:
            return tuple(await connection.fetchrow("SELECT uses, amount_fen FROM usage_counter"))

    async def end_of_holds(self) -> None:
        if self.giver == "expiry":  # the takers' own holds begin after it
            await let_pass(self.world, timedelta(seconds=600))


@givers
async def test_what_comes_back_first_is_there_for_who_waits(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, giver: str
) -> None:
    town, stage = await Town(world, giver).start(), Stage(watcher)
    await town.end_of_holds()
    back, take = (stage.server(ctx, lanes=1) for ctx in servers)
    takers = await town.takers(take)
    ends = await stage.all_in_turn(town.give_back(back), lambda: takers)
    taken = tally(ends[-TAKERS:])
    assert taken == {"held": MOST, "cap_reached_campaign_whole": TAKERS - MOST}
    uses = MOST + (TAKEN if giver == "refund" else 0)
    assert await town.count() == (uses, MOST * BASKET_FEN)
    assert await findings(world.ctx) == set()


async def takers_first(town: Town, stage: Stage, servers: Servers) -> tuple[Counter[str], int]:
    """Takers have decided when what was taken before comes back; answers their ends, and how many more then fit."""
    await town.end_of_holds()
    back, take = (stage.server(ctx, lanes=1) for ctx in servers)
    ends = await stage.all_in_turn(await town.takers(take), lambda: town.give_back(back))
    more = await town.takers(town.world.ctx)
    return tally(ends[:TAKERS]), tally(await asyncio.gather(*more, return_exceptions=True))["held"]


@givers
async def test_what_comes_back_last_is_there_once(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, giver: str
) -> None:
    town, room = await Town(world, giver).start(), MOST - TAKEN
    taken, more = await takers_first(town, Stage(watcher), servers)
    assert taken == {"held": room, "cap_reached_campaign_whole": TAKERS - room}
    assert more == TAKEN
    assert await findings(world.ctx) == set()


@givers
async def test_control_without_locks_what_was_taken_or_came_back_is_lost(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection, giver: str
) -> None:
    town = await Town(world, giver).start()
    await disarm(owner, "usage_counter")
    taken, more = await takers_first(town, Stage(watcher, without=[ROW_LOCKS]), servers)
    assert taken["held"] + more != MOST
    assert CAPS in await findings(world.ctx)
