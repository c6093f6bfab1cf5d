"""Capture, void, hold expiry, refund and undo of one payment at two servers, in all pairs and both orders.

The first has read and decided but not written when the second comes. What came of both must be what one after the
other would have given: the second waits for the first's locks (the sweep passes by instead).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations_with_replacement
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from campaigns.domain.states import PAYMENT
from campaigns.domain.terms.model import Cap, Terms
from campaigns.services.capturing import Capture, capture, void
from campaigns.services.context import Context
from campaigns.services.paying import authorize
from campaigns.services.refunding import Refund, refund, undo
from campaigns.services.sweeping import expire_holds
from tests.races.conftest import Servers
from tests.races.stage import ROW_LOCKS, Stage
from tests.races.support import disarm, findings, tally
from tests.support.paychecks import let_pass
from tests.support.payworld import STORED, PayWorld, asked

VERBS = ("capture", "void", "expiry", "refund", "undo")
PAIRS = [f"{one} against {other}" for one, other in combinations_with_replacement(VERBS, 2)]
OF_STATE = {"capture": "held", "void": "held", "expiry": "held", "refund": "captured", "undo": "captured"}
# Both are allowed in one state, so that a check before the other's act would let both through. The other pairs have
# no such state: whatever one of them reads, at most one of the two is allowed.
OPEN_PAIRS = [pair for pair in PAIRS if len({OF_STATE[verb] for verb in pair.split(" against ")}) == 1]
BASKET_FEN, CAPTURED_FEN, GOODS_FEN = 1_000, 900, 600
CAPPED = Terms(benefit=STORED, caps=(Cap(scope="merchant", period="day", uses=1_000, amount_fen=1_000_000),))
GUARDED = ("payment", "payment_line", "voucher", "usage_counter", "transfer", "refund")


@dataclass(frozen=True)
class Case:
    """A payment in the state that the first verb starts from, and ways to act on it."""

    world: PayWorld
    servers: Sequence[Context]
    shop: UUID
    voucher: UUID
    payment: UUID

    def act(self, verb: str, server: Context) -> Awaitable[Any]:
        till = self.world.till(self.shop)
        request = asked(till, verb)
        acts: dict[str, Callable[[], Awaitable[Any]]] = {
            "capture": lambda: capture(server, till, request, self.payment, Capture(basket_fen=CAPTURED_FEN)),
            "void": lambda: void(server, till, request, self.payment),
            "expiry": lambda: expire_holds(server),
            "refund": lambda: refund(server, till, request, self.payment, Refund(returned_goods_fen=GOODS_FEN)),
            "undo": lambda: undo(server, till, request, self.payment),
        }  # fmt: skip
        return acts[verb]()

    async def after(self) -> tuple[str, int, int, int, int, int]:
        """State, captured and refunded fen of the payment; held, captured less refunded, and uses of its voucher."""
        payment, voucher = (
            await self.world.row("payment", self.payment),
            await self.world.row("voucher", self.voucher),
        )
        net_fen = voucher["captured_fen"] - voucher["refunded_fen"]
        return (
            payment["state"], payment["captured_fen"], payment["refunded_fen"], voucher["held_fen"], net_fen,
            voucher["uses"],
        )  # fmt: skip


async def case_of(world: PayWorld, stage: Stage, servers: Servers, state: str) -> Case:
    shop, person = await world.merchant(), await world.person()
    voucher = await world.voucher(await world.campaign(CAPPED), person, 5_000)
    holder, till, spend = world.holder(person), world.till(shop), world.at_counter(shop, BASKET_FEN)
    payment = (await authorize(world.ctx, holder, asked(holder, spend), spend)).id
    if state == "captured":
        await capture(world.ctx, till, asked(till, 0), payment, Capture())
    return Case(world, [stage.server(ctx) for ctx in servers], shop, voucher, payment)


def one_after_the_other(
    state: str, verbs: Sequence[str]
) -> tuple[list[str], tuple[str, int, int, int, int, int]]:
    """How each ends, and what is there at the end, by the state table and the sums of a plain stored value."""
    captured_fen = BASKET_FEN if state == "captured" else 0
    refunded_fen, uses, ends = 0, 1, []
    for verb in verbs:
        after = PAYMENT.get((state, "expire" if verb == "expiry" else verb))
        if verb == "expiry":
            ends.append("done")  # a sweep answers how many; none is fine
        elif after is None:
            ends.append("wrong_state")
            continue
        elif verb == "refund" and refunded_fen + GOODS_FEN > captured_fen:
            ends.append("refund_too_large")
            continue
        else:
            ends.append("done" if verb in ("refund", "undo") else after)
        state = after or state
        if after is not None and verb in ("void", "expiry", "undo"):
            uses = 0
        if verb == "capture":
            captured_fen = CAPTURED_FEN
        if verb in ("refund", "undo"):
            refunded_fen = captured_fen if verb == "undo" else refunded_fen + GOODS_FEN
    held_fen = BASKET_FEN if state == "held" else 0
    return ends, (state, captured_fen, refunded_fen, held_fen, captured_fen - refunded_fen, uses)


async def run(case: Case, stage: Stage, first: str, second: str) -> list[Any]:
    """The first decides, then the second comes; a hold's time ends just before the first expiry of the two."""

    async def end_of_hold() -> None:
        await let_pass(case.world, timedelta(seconds=600))

    if first == "expiry":
        await end_of_hold()
    return await stage.in_turn(
        case.act(first, case.servers[0]),
        lambda: case.act(second, case.servers[1]),
        end_of_hold if second == "expiry" and first != "expiry" else None,
    )


@pytest.mark.parametrize("pair", PAIRS)
async def test_all_pairs_end_as_one_after_the_other(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, pair: str
) -> None:
    verbs = pair.split(" against ")
    for first, second in {tuple(verbs), tuple(reversed(verbs))}:
        stage, state = Stage(watcher), OF_STATE[first]
        case = await case_of(world, stage, servers, state)
        ends = [tally([end]).popitem()[0] for end in await run(case, stage, first, second)]
        expected, after = one_after_the_other(state, (first, second))
        assert (ends, await case.after()) == (expected, after), (first, second)
        assert await findings(world.ctx) == set()


@pytest.mark.parametrize("pair", OPEN_PAIRS)
async def test_control_without_locks_and_checks_both_take_effect(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection, pair: str
) -> None:
    first, second = pair.split(" against ")
    stage = Stage(watcher, without=[ROW_LOCKS])
    case = await case_of(world, stage, servers, OF_STATE[first])
    assert {"payment_refunds", "voucher_balanced", "transfer_pkey"} <= await disarm(owner, *GUARDED)
    ends = await run(case, stage, first, second)
    assert not tally(ends).keys() & {"wrong_state", "refund_too_large"}, "both have read before either wrote"
    found = await findings(world.ctx)
    expected = {
        "held": {(5, "payment_in_books"), (5, "accounts_against_rows")},
        "captured": {(4, "payment_against_lines"), (5, "accounts_against_rows")},
    }
    assert expected[OF_STATE[first]] <= found, found
