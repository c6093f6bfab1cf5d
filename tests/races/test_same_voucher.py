"""One voucher at 100 tills of two servers: what is paid is never more than it held."""

from typing import Any

import asyncpg
import pytest

from campaigns.domain.payments import Books
from campaigns.services.paying import authorize
from tests.races.conftest import Servers
from tests.races.stage import ROW_LOCKS, Stage
from tests.races.support import disarm, findings, tally
from tests.support.payworld import PayWorld, asked

TILLS = 100
FACE_FEN = 10_500
BASKET_FEN = 300  # 35 of them are the voucher's all
PAID = FACE_FEN // BASKET_FEN


async def at_100_tills(world: PayWorld, stage: Stage, servers: Servers) -> tuple[Any, dict[str, Any]]:
    """How 100 holds at once ended, and the voucher after them."""
    shops = [await world.merchant() for _ in range(10)]
    person = await world.person()
    voucher = await world.voucher(await world.campaign(), person, FACE_FEN)
    holder, playing = world.holder(person), [stage.server(ctx) for ctx in servers]

    def pay(number: int) -> Any:
        spend = world.at_counter(shops[number % len(shops)], BASKET_FEN)
        return authorize(playing[number % 2], holder, asked(holder, spend), spend)

    ends = await stage.meet(*(pay(number) for number in range(TILLS)), parties=len(servers))
    return tally(ends), await world.row("voucher", voucher)


async def test_one_voucher_at_100_tills_pays_what_it_holds(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection
) -> None:
    ends, voucher = await at_100_tills(world, Stage(watcher), servers)
    assert ends == {"held": PAID, "balance_too_small": TILLS - PAID}
    assert (voucher["balance_fen"], voucher["held_fen"], voucher["uses"]) == (0, FACE_FEN, PAID)
    assert await findings(world.ctx) == set()


async def test_control_without_lock_and_checks_it_pays_again_at_every_server(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    assert {"voucher_balanced", "voucher_balance_fen_check"} <= await disarm(owner, "voucher", "payment_line")
    ends, _ = await at_100_tills(world, Stage(watcher, without=[ROW_LOCKS]), servers)
    assert ends["held"] > PAID
    assert {(4, "voucher_against_lines"), (5, "accounts_against_rows")} <= await findings(world.ctx)


async def test_control_without_copies_the_payments_of_one_batch_do_not_see_each_other(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    take = Books.take

    def take_all_but_vouchers(books: Books, part: Books) -> None:
        part.vouchers = {}
        take(books, part)

    monkeypatch.setattr(Books, "take", take_all_but_vouchers)
    await disarm(owner, "voucher", "payment_line")
    ends, _ = await at_100_tills(world, Stage(watcher), servers)
    assert ends == {"held": TILLS}
    assert (4, "voucher_against_lines") in await findings(world.ctx)
