"""Two servers sweep at once: each hold and each voucher whose time is over is ended by one of them.

There is no outbox in hongbao yet; what two workers can claim at once are these, and the lapses of test_acceptance.py.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from campaigns.domain.terms.model import Cap, Terms
from campaigns.services.context import Context
from campaigns.services.paying import authorize
from campaigns.services.sweeping import expire_holds, expire_vouchers
from tests.races.conftest import Servers
from tests.races.stage import ROW_LOCKS, Stage
from tests.races.support import disarm, findings
from tests.support.paychecks import let_pass
from tests.support.payworld import STORED, PayWorld, asked

HOLDS = 12
FACE_FEN, BASKET_FEN = 1_000, 600
GUARDED = ("payment", "payment_line", "voucher", "usage_counter", "transfer")
CAPPED = Terms(benefit=STORED, caps=(Cap(scope="campaign", period="day", uses=1_000),))
SWEEPS: dict[str, tuple[Callable[[Context], Awaitable[int]], timedelta, str]] = {
    "holds": (expire_holds, timedelta(seconds=600), "hold_expiry"),
    "vouchers": (expire_vouchers, timedelta(days=31), "expire"),
}

swept = pytest.mark.parametrize("what", sorted(SWEEPS))


async def sweeps(world: PayWorld, stage: Stage, servers: Servers, what: str) -> tuple[list[Any], int]:
    """How many each of two sweepers says it ended, and the transfers that both wrote."""
    sweeper, time, kind = SWEEPS[what]
    campaign, shop = await world.campaign(CAPPED), await world.merchant()
    for _ in range(HOLDS):
        person = await world.person()
        await world.voucher(campaign, person, FACE_FEN)
        holder, spend = world.holder(person), world.at_counter(shop, BASKET_FEN)
        await authorize(world.ctx, holder, asked(holder, spend), spend)
    await let_pass(world, time)
    first, second = (stage.server(ctx) for ctx in servers)
    ends = await stage.in_turn(sweeper(first), lambda: sweeper(second))
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    async with world.ctx.pool.acquire() as connection:
        return ends, await connection.fetchval("SELECT count(*) FROM transfer WHERE kind::text = $1", kind)


@swept
async def test_two_sweepers_end_each_one_once(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, what: str
) -> None:
    assert await sweeps(world, Stage(watcher), servers, what) == ([HOLDS, 0], HOLDS)
    assert await findings(world.ctx) == set()


@swept
async def test_control_without_locks_and_keys_each_one_is_ended_twice(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection, what: str
) -> None:
    assert "transfer_pkey" in await disarm(owner, *GUARDED)
    ends, transfers = await sweeps(world, Stage(watcher, without=[ROW_LOCKS]), servers, what)
    assert (ends, transfers) == ([HOLDS, HOLDS], 2 * HOLDS)
    expected = {"holds": (5, "payment_in_books"), "vouchers": (5, "accounts_against_rows")}
    assert expected[what] in await findings(world.ctx)
