"""Caps at two servers: the last use and the last fen are given once, for every scope, on the day that counts."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from campaigns.domain.terms.model import Cap, CapScope, Terms
from campaigns.services.context import Context
from campaigns.services.paying import authorize
from tests.races.conftest import Servers
from tests.races.stage import ROW_LOCKS, Stage
from tests.races.support import CAPS, disarm, findings, tally
from tests.support.paychecks import let_pass
from tests.support.payworld import STORED, PayWorld, asked

SCOPES: tuple[CapScope, ...] = ("person", "merchant", "person_merchant", "campaign")
LIMITS = {"uses": {"uses": 12}, "fen": {"amount_fen": 12_300}}
PAID = {"uses": (12, 12_000), "fen": (13, 12_300)}  # the last one gets the 300 fen that are left
BASKET_FEN, REQUESTS, MANY = 1_000, 40, 8
PER_DAY = 12
GUARDED = ("usage_counter", "voucher", "payment_line")
ZONE = ZoneInfo("Asia/Shanghai")

limits = pytest.mark.parametrize("limit", sorted(LIMITS))
scopes = pytest.mark.parametrize("scope", SCOPES)


Hold = Callable[[Context], Awaitable[Any]]


async def holds(world: PayWorld, cap: Cap) -> list[Hold]:
    """Requests that fall into one counter of the cap: of one person or many, at one shop or many."""
    campaign = await world.campaign(Terms(benefit=STORED, caps=(cap,)))
    people = [await world.person() for _ in range(1 if cap.scope.startswith("person") else MANY)]
    shops = [await world.merchant() for _ in range(1 if "merchant" in cap.scope else MANY)]
    for person in people:
        await world.voucher(campaign, person, REQUESTS * BASKET_FEN)

    def hold(number: int) -> Hold:
        holder = world.holder(people[number % len(people)])
        spend = world.at_counter(shops[number // 2 % len(shops)], BASKET_FEN)
        return lambda server: authorize(server, holder, asked(holder, spend), spend)

    return [hold(number) for number in range(REQUESTS)]


def at(stage: Stage, servers: Servers, work: Sequence[Hold]) -> list[Awaitable[Any]]:
    """The requests, in turn at the first and the second server."""
    playing = [stage.server(ctx) for ctx in servers]
    return [one(playing[number % 2]) for number, one in enumerate(work)]


async def paid(world: PayWorld) -> tuple[int, int]:
    """Payments, and fen of subsidy."""
    async with world.ctx.pool.acquire() as connection:
        row = await connection.fetchrow("SELECT count(*), sum(subsidy_fen)::bigint FROM payment")
    return row[0], row[1]


@limits
@scopes
async def test_a_cap_is_reached_and_never_passed(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, scope: CapScope, limit: str
) -> None:
    stage = Stage(watcher)
    work = await holds(world, Cap(scope=scope, period="day", **LIMITS[limit]))
    ends = tally(await stage.meet(*at(stage, servers, work), parties=len(servers)))
    assert ends == {"held": PAID[limit][0], f"cap_reached_{scope}_day": REQUESTS - PAID[limit][0]}
    assert await paid(world) == PAID[limit]
    assert await findings(world.ctx) == set()


@limits
@scopes
async def test_control_without_locks_and_the_counters_key_a_cap_is_passed(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection, scope: CapScope,
    limit: str,
) -> None:  # fmt: skip
    assert "usage_counter_pkey" in await disarm(owner, *GUARDED)
    stage = Stage(watcher, without=[ROW_LOCKS])
    work = await holds(world, Cap(scope=scope, period="day", **LIMITS[limit]))
    ends = tally(await stage.meet(*at(stage, servers, work), parties=len(servers)))
    uses, fen = await paid(world)
    assert uses == ends["held"] > PAID[limit][0] and fen > PAID[limit][1]
    assert CAPS in await findings(world.ctx)


async def over_midnight(world: PayWorld, stage: Stage, servers: Servers) -> list[int]:
    """How many payments each of two days has, when midnight comes between their decisions and their writes.

    The first day has four uses left, fewer than any batch asks for.
    """
    now = (await world.now()).astimezone(ZONE)
    midnight = datetime(now.year, now.month, now.day, tzinfo=ZONE) + timedelta(days=1)
    await let_pass(world, midnight - now - timedelta(seconds=30))
    work = await holds(world, Cap(scope="merchant", period="day", uses=PER_DAY))
    for _ in range(PER_DAY - 4):
        await work.pop()(world.ctx)
    await stage.meet(
        *at(stage, servers, work),
        parties=len(servers),
        meanwhile=lambda: let_pass(world, timedelta(minutes=1)),
    )
    async with world.ctx.pool.acquire() as connection:
        rows = await connection.fetch(
            "SELECT count(*) FROM payment GROUP BY authorized_at < $1 ORDER BY authorized_at < $1 DESC",
            midnight,
        )
    return [row[0] for row in rows]


async def test_who_waits_over_midnight_counts_in_the_new_day(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection
) -> None:
    assert await over_midnight(world, Stage(watcher), servers) == [PER_DAY, PER_DAY]
    assert await findings(world.ctx) == set()


async def test_control_without_locks_nobody_waits_and_the_old_day_has_too_many(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    await disarm(owner, *GUARDED)
    before, *_ = await over_midnight(world, Stage(watcher, without=[ROW_LOCKS]), servers)
    assert before > PER_DAY
    assert CAPS in await findings(world.ctx)
