"""A voucher expires while it is held, captured, voided, refunded or undone: what is left of it goes back once.

The hold and the time to undo outlive the voucher. The sweep takes the unheld part; what returns later follows it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from campaigns.domain.terms.model import Terms
from campaigns.services.capturing import Capture, capture, void
from campaigns.services.context import Context
from campaigns.services.paying import authorize
from campaigns.services.refunding import Refund, refund, undo
from campaigns.services.sweeping import expire_vouchers
from tests.races.conftest import Servers
from tests.races.stage import ROW_LOCKS, Stage
from tests.races.support import disarm, findings, tally
from tests.support.paychecks import let_pass
from tests.support.payworld import STORED, PayWorld, asked

FACE_FEN, BASKET_FEN, CAPTURED_FEN, GOODS_FEN = 5_000, 1_000, 900, 600
LIFE = timedelta(hours=1)
TERMS = Terms(benefit=STORED, hold_seconds=7_200, undo_seconds=7_200)
# What is taken back in the end, by the verb, if the voucher expires after it; the same if it expires before it.
TAKEN_FEN = {
    "hold": FACE_FEN - 2 * BASKET_FEN,
    "capture": FACE_FEN - CAPTURED_FEN,
    "void": FACE_FEN,
    "refund": FACE_FEN - BASKET_FEN + GOODS_FEN,
    "undo": FACE_FEN,
}

verbs = pytest.mark.parametrize("verb", sorted(TAKEN_FEN))


@dataclass(frozen=True)
class Case:
    """A voucher with a payment that the verb may act on, and two servers on a stage."""

    world: PayWorld
    servers: Sequence[Context]
    shop: UUID
    person: UUID
    voucher: UUID
    payment: UUID

    def act(self, verb: str, server: Context) -> Awaitable[Any]:
        till, goods = self.world.till(self.shop), Refund(returned_goods_fen=GOODS_FEN)
        acts: dict[str, Callable[[], Awaitable[Any]]] = {
            "hold": lambda: hold(self.world, server, self.shop, self.person),
            "capture": lambda: capture(server, till, asked(till, 1), self.payment, Capture(basket_fen=CAPTURED_FEN)),
            "void": lambda: void(server, till, asked(till, 1), self.payment),
            "refund": lambda: refund(server, till, asked(till, 1), self.payment, goods),
            "undo": lambda: undo(server, till, asked(till, 1), self.payment),
        }  # fmt: skip
        return acts[verb]()

    async def time_is_over(self) -> None:
        await let_pass(self.world, LIFE)

    async def taken_back(self) -> int:
        """What the voucher has given back once a last sweep has been."""
        await expire_vouchers(self.world.ctx)
        return int((await self.world.row("voucher", self.voucher))["taken_back_fen"])


def hold(world: PayWorld, server: Context, shop: UUID, person: UUID) -> Awaitable[Any]:
    holder, spend = world.holder(person), world.at_counter(shop, BASKET_FEN)
    return authorize(server, holder, asked(holder, spend), spend)


async def case_of(world: PayWorld, stage: Stage, servers: Servers, verb: str) -> Case:
    shop, person = await world.merchant(), await world.person()
    ends = await world.now() + LIFE
    voucher = await world.voucher(await world.campaign(TERMS), person, FACE_FEN, ends)
    payment = (await hold(world, world.ctx, shop, person)).id
    if verb in ("refund", "undo"):
        till = world.till(shop)
        await capture(world.ctx, till, asked(till, 0), payment, Capture())
    return Case(world, [stage.server(ctx) for ctx in servers], shop, person, voucher, payment)


@verbs
async def test_a_voucher_that_expires_after_the_act_gives_back_what_it_left(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, verb: str
) -> None:
    stage = Stage(watcher)
    case = await case_of(world, stage, servers, verb)
    first, second = case.servers
    ends = await stage.in_turn(
        case.act(verb, first), lambda: expire_vouchers(second), between=case.time_is_over
    )
    tally(ends)
    assert ends[1] == 0, "the sweep passes by what is locked"
    assert await case.taken_back() == TAKEN_FEN[verb]
    assert await findings(world.ctx) == set()


@verbs
async def test_what_returns_after_a_voucher_has_expired_follows_it(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, verb: str
) -> None:
    stage = Stage(watcher)
    case = await case_of(world, stage, servers, verb)
    await case.time_is_over()
    first, second = case.servers
    ends = await stage.in_turn(expire_vouchers(first), lambda: case.act(verb, second))
    assert ends[0] == 1
    refused = {"voucher_not_live": 1} if verb == "hold" else {}
    assert {**tally(ends[1:]), **refused} == tally(ends[1:])
    late_fen = BASKET_FEN if verb == "hold" else 0  # the hold that was refused stayed in the balance
    assert await case.taken_back() == TAKEN_FEN[verb] + late_fen
    assert await findings(world.ctx) == set()


@verbs
async def test_control_without_locks_and_checks_it_is_given_back_and_spent(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection, verb: str
) -> None:
    stage = Stage(watcher, without=[ROW_LOCKS])
    case = await case_of(world, stage, servers, verb)
    assert "voucher_balanced" in await disarm(owner, "voucher", "payment", "payment_line", "transfer")
    first, second = case.servers
    ends = await stage.in_turn(
        case.act(verb, first), lambda: expire_vouchers(second), between=case.time_is_over
    )
    tally(ends)
    assert ends[1] >= 1, "both have read before either wrote; written over, it is found again"
    assert (5, "accounts_against_rows") in await findings(world.ctx)
