"""Refunds at two servers: twice the same goods go back once, and a hundred small ones come to the last fen."""

from collections import Counter
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from campaigns.domain.terms.model import Percentage, Terms
from campaigns.services.paying import redeem
from campaigns.services.refunding import Refund, refund
from tests.races.conftest import Servers
from tests.races.stage import ROW_LOCKS, Stage
from tests.races.support import disarm, findings, tally
from tests.support.payworld import STORED, PayWorld, asked

GUARDED = ("payment", "payment_line", "voucher", "refund", "transfer")
THIRD = Terms(benefit=Percentage(basis_points=3_333, cap_fen=10_000))
BASKET_FEN = 101  # of which a third is 33 fen, so that most refunds of one fen move nothing
REFUNDS = 130


async def at_two_servers(
    world: PayWorld, stage: Stage, servers: Servers, terms: Terms, basket_fen: int, refunds: int, goods_fen: int
) -> tuple[Counter[str], UUID]:  # fmt: skip
    """How many refunds of one payment ended, each of as many goods under a key of its own."""
    shop, person = await world.merchant(), await world.person()
    await world.voucher(await world.campaign(terms), person, 5_000)
    till, spend = world.till(shop), await world.spend(person, basket_fen)
    payment = (await redeem(world.ctx, till, asked(till, spend), spend)).id
    playing, goods = [stage.server(ctx) for ctx in servers], Refund(returned_goods_fen=goods_fen)
    work: list[Any] = [
        refund(playing[n % 2], till, asked(till, goods), payment, goods) for n in range(refunds)
    ]
    return tally(await stage.meet(*work, parties=len(servers))), payment


async def test_a_refund_twice_goes_back_once(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection
) -> None:
    ends, payment = await at_two_servers(world, Stage(watcher), servers, Terms(benefit=STORED), 1_000, 2, 600)
    assert ends == {"done": 1, "refund_too_large": 1}
    assert (await world.row("payment", payment))["refunded_fen"] == 600
    assert await findings(world.ctx) == set()


async def test_control_without_locks_and_checks_it_goes_back_twice(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    assert {"payment_goods", "payment_refunds", "voucher_refunds"} <= await disarm(owner, *GUARDED)
    stage = Stage(watcher, without=[ROW_LOCKS])
    ends, _ = await at_two_servers(world, stage, servers, Terms(benefit=STORED), 1_000, 2, 600)
    assert ends == {"done": 2}
    assert {(4, "payment_against_lines"), (5, "payment_in_books")} <= await findings(world.ctx)


@pytest.mark.parametrize(("terms", "subsidy_fen"), [(Terms(benefit=STORED), 101), (THIRD, 33)], ids=["all", "third"])  # fmt: skip
async def test_refunds_of_one_fen_come_to_the_last_fen(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, terms: Terms, subsidy_fen: int
) -> None:
    ends, payment = await at_two_servers(world, Stage(watcher), servers, terms, BASKET_FEN, REFUNDS, 1)
    assert ends == {"done": BASKET_FEN, "refund_too_large": REFUNDS - BASKET_FEN}
    row = await world.row("payment", payment)
    assert (row["returned_goods_fen"], row["refunded_fen"]) == (BASKET_FEN, subsidy_fen)
    async with world.ctx.pool.acquire() as connection:
        assert await connection.fetchval("SELECT max(back_fen) FROM refund") == 1
        assert await connection.fetchval("SELECT sum(back_fen) FROM refund") == subsidy_fen
    assert await findings(world.ctx) == set()


async def test_control_without_locks_and_checks_more_goods_come_back_than_were_sold(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    await disarm(owner, *GUARDED)
    stage = Stage(watcher, without=[ROW_LOCKS])
    ends, _ = await at_two_servers(world, stage, servers, THIRD, BASKET_FEN, REFUNDS, 1)
    assert ends["done"] > BASKET_FEN
    assert (4, "payment_against_lines") in await findings(world.ctx)
