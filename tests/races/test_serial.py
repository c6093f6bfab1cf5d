"""Any verbs of three workers on one voucher end as some order of them, one after the other, would have ended.

Each round a seed chooses two verbs for each worker. A model of a stored-value voucher, written for this test, runs
every order that keeps to what came before what (an act that ended before another began comes first). One of them must
give every answer that was heard and the voucher as it stands.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, permutations
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from campaigns.domain.errors import Refused
from campaigns.domain.terms.model import Cap, Terms
from campaigns.services.capturing import Capture, capture, void
from campaigns.services.context import Context
from campaigns.services.paying import authorize
from campaigns.services.refunding import Refund, refund, undo
from tests.races.conftest import Servers
from tests.races.stage import ROW_LOCKS, Stage
from tests.races.support import disarm, findings
from tests.support.payworld import STORED, PayWorld, asked

ROUNDS = 60
WORKERS, ACTS = 3, 2
FACE_FEN, PAID_FEN = 3_000, 1_000
USES = 4  # of the cap, two of them taken before the round begins
HELD, CAPTURED = 0, 1  # the payments of every round
KINDS = ("hold", "hold", "capture", "void", "refund", "undo")
TERMS = Terms(benefit=STORED, caps=(Cap(scope="person", period="whole", uses=USES),))


class Act(NamedTuple):
    """What a worker does: a verb, and the fen it is about."""

    kind: str
    fen: int


class Heard(NamedTuple):
    """An act with its answer (a code, or fen moved) and the moments it began and ended at, in the test's own steps."""

    act: Act
    answer: str | int
    began: int
    ended: int


@dataclass
class Model:
    """One voucher with a hold and a redemption, by the book."""

    balance_fen: int = FACE_FEN - 2 * PAID_FEN
    held_fen: int = PAID_FEN
    captured_fen: int = PAID_FEN
    refunded_fen: int = 0
    uses: int = 2
    states: dict[int, str] = field(default_factory=lambda: {HELD: "held", CAPTURED: "captured"})

    def do(self, act: Act) -> str | int:
        return getattr(self, f"_{act.kind}")(act.fen)

    def _hold(self, fen: int) -> str | int:
        if self.balance_fen == 0:
            return "balance_too_small"
        if self.uses == USES:
            return "cap_reached_person_whole"
        fen = min(fen, self.balance_fen)
        self.balance_fen, self.held_fen, self.uses = (
            self.balance_fen - fen,
            self.held_fen + fen,
            self.uses + 1,
        )
        return fen

    def _capture(self, fen: int) -> str | int:
        if self.states[HELD] != "held":
            return "wrong_state"
        self.states[HELD] = "captured"
        self.held_fen, self.captured_fen = self.held_fen - PAID_FEN, self.captured_fen + fen
        self.balance_fen += PAID_FEN - fen
        return fen

    def _void(self, _: int) -> str | int:
        if self.states[HELD] != "held":
            return "wrong_state"
        self.states[HELD] = "voided"
        self.held_fen, self.balance_fen = self.held_fen - PAID_FEN, self.balance_fen + PAID_FEN
        self.uses -= 1
        return 0

    def _refund(self, fen: int) -> str | int:
        if self.states[CAPTURED] != "captured":
            return "wrong_state"
        if self.refunded_fen + fen > PAID_FEN:
            return "refund_too_large"
        self.refunded_fen, self.balance_fen = self.refunded_fen + fen, self.balance_fen + fen
        return fen

    def _undo(self, _: int) -> str | int:
        if self.states[CAPTURED] != "captured":
            return "wrong_state"
        if self.refunded_fen == PAID_FEN:
            return "refund_too_large"
        self.states[CAPTURED] = "undone"
        back_fen = PAID_FEN - self.refunded_fen
        self.refunded_fen, self.balance_fen = PAID_FEN, self.balance_fen + back_fen
        self.uses -= 1
        return back_fen

    def row(self) -> dict[str, int]:
        """The voucher's moving columns."""
        return {
            "balance_fen": self.balance_fen, "held_fen": self.held_fen, "captured_fen": self.captured_fen,
            "refunded_fen": self.refunded_fen, "uses": self.uses,
        }  # fmt: skip


def serial(heard: Sequence[Heard], voucher: dict[str, Any]) -> bool:
    """Whether some order of the acts gives all the answers and the voucher."""
    for order in permutations(heard):
        if any(later.ended < earlier.began for at, earlier in enumerate(order) for later in order[at + 1 :]):
            continue
        model = Model()
        if all(model.do(one.act) == one.answer for one in order) and model.row().items() <= voucher.items():
            return True
    return False


class Round:
    """A voucher with the two payments that every round begins with, and the acts on it."""

    def __init__(self, world: PayWorld, campaign: UUID, shop: UUID) -> None:
        self.world, self.campaign, self.shop = world, campaign, shop
        self.steps: Iterator[int] = count()
        self.heard: list[Heard] = []

    async def start(self) -> "Round":
        self.person = await self.world.person()
        self.voucher = await self.world.voucher(self.campaign, self.person, FACE_FEN)
        self.payments = [await self._hold(self.world.ctx, PAID_FEN) for _ in range(2)]
        till = self.world.till(self.shop)
        await capture(self.world.ctx, till, asked(till, 0), self.payments[CAPTURED].id, Capture())
        return self

    async def _hold(self, server: Context, fen: int) -> Any:
        holder, spend = self.world.holder(self.person), self.world.at_counter(self.shop, fen)
        return await authorize(server, holder, asked(holder, spend), spend)

    async def do(self, server: Context, act: Act) -> str | int:
        """The answer: a code, or the fen that the act moved."""
        till = self.world.till(self.shop)
        held, captured = self.payments[HELD].id, self.payments[CAPTURED].id
        acts: dict[str, Callable[[], Awaitable[Any]]] = {
            "hold": lambda: self._hold(server, act.fen),
            "capture": lambda: capture(server, till, asked(till, act), held, Capture(basket_fen=act.fen)),
            "void": lambda: void(server, till, asked(till, act), held),
            "refund": lambda: refund(server, till, asked(till, act), captured, Refund(returned_goods_fen=act.fen)),
            "undo": lambda: undo(server, till, asked(till, act), captured),
        }  # fmt: skip
        try:
            answer = await acts[act.kind]()
        except Refused as refused:
            return refused.code
        if act.kind in ("refund", "undo"):
            return int(answer.back_fen)
        return int(answer.subsidy_fen if act.kind == "hold" else answer.captured_fen)

    async def work(self, server: Context, acts: Sequence[Act]) -> None:
        for act in acts:
            began = next(self.steps)
            answer = await self.do(server, act)
            self.heard.append(Heard(act, answer, began, next(self.steps)))

    async def ended_serially(self) -> bool:
        return serial(self.heard, await self.world.row("voucher", self.voucher))


def plans(seed: int) -> list[list[Act]]:
    choice = random.Random(seed)
    return [
        [Act(choice.choice(KINDS), choice.choice((300, 700, 1_000))) for _ in range(ACTS)]
        for _ in range(WORKERS)
    ]


async def test_three_workers_end_as_one_after_the_other(world: PayWorld, servers: Servers) -> None:
    campaign, shop = await world.campaign(TERMS), await world.merchant()
    answers = set()
    for seed in range(ROUNDS):
        one = await Round(world, campaign, shop).start()
        await asyncio.gather(*(one.work(servers[n % 2], acts) for n, acts in enumerate(plans(seed))))
        assert await one.ended_serially(), (seed, one.heard)
        answers |= {(heard.act.kind, isinstance(heard.answer, int)) for heard in one.heard}
    assert answers == {(kind, ended) for kind in KINDS for ended in (True, False)}, (
        "every verb did and was refused"
    )
    assert await findings(world.ctx) == set()


async def test_control_without_locks_no_order_explains_what_was_heard(
    world: PayWorld, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    """Each of two takes all that is left."""
    campaign, shop = await world.campaign(TERMS), await world.merchant()
    one = await Round(world, campaign, shop).start()
    await disarm(owner, "voucher", "usage_counter", "payment_line")
    stage = Stage(watcher, without=[ROW_LOCKS])
    all_of_it = [Act("hold", FACE_FEN)]
    await stage.meet(*(one.work(stage.server(ctx), all_of_it) for ctx in servers))
    assert [heard.answer for heard in one.heard] == [PAID_FEN, PAID_FEN]
    assert not await one.ended_serially()
    assert {(4, "voucher_against_lines"), (5, "accounts_against_rows")} <= await findings(world.ctx)
