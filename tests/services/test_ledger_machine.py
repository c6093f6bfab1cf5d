"""Vouchers, payments and counters against a plain model, under random verbs and passing time, on a real database.

The model knows stored value, one cap and the words of DESIGN, Money: nothing of the product's code. One tick is
250 s: a hold and the time to undo (600 s) end with the third, a voucher (900 s) with the fourth.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from campaigns.domain.errors import Refused
from campaigns.domain.terms.model import Cap, Terms
from campaigns.gate.valkey import open_gate
from campaigns.runtime.engines import Databases, Engines
from campaigns.services.capturing import Capture, capture, void
from campaigns.services.context import Context
from campaigns.services.paying import authorize, redeem
from campaigns.services.refunding import Refund, refund, undo
from campaigns.services.sweeping import sweep
from campaigns.store.pool import open_pool
from tests.support.payworld import STORED, PayWorld, asked, check_books

TICK_SECONDS = 250
HOLD_TICKS = 3
VOUCHER_SECONDS, VOUCHER_TICKS = 900, 4
CAP_USES, CAP_FEN = 5, 15_000
TERMS = Terms(benefit=STORED, caps=(Cap(scope="person", period="whole", uses=CAP_USES, amount_fen=CAP_FEN),))
T = TypeVar("T")


@dataclass
class ModelVoucher:
    id: UUID
    person: UUID
    face: int
    born: int
    balance: int
    held: int = 0
    captured: int = 0
    refunded: int = 0
    taken: int = 0
    uses: int = 0
    expired: bool = False


@dataclass
class ModelPayment:
    id: UUID
    person: UUID
    voucher: ModelVoucher
    available: int
    basket: int
    authorized: int
    born: int
    state: str = "held"
    captured_at: int = 0
    captured_basket: int = 0
    captured: int = 0
    returned: int = 0
    refunded: int = 0


@dataclass
class Model:
    ticks: int = 0
    vouchers: list[ModelVoucher] = field(default_factory=list)
    payments: list[ModelPayment] = field(default_factory=list)
    uses: dict[UUID, int] = field(default_factory=dict)
    fen: dict[UUID, int] = field(default_factory=dict)

    def over(self, voucher: ModelVoucher) -> bool:
        return self.ticks - voucher.born >= VOUCHER_TICKS

    def pick(self, person: UUID, basket: int) -> tuple[ModelVoucher, int, int] | None:
        """The voucher that pays, what it has for this payment, and what it gives."""
        room = CAP_FEN - self.fen.get(person, 0)
        if self.uses.get(person, 0) >= CAP_USES or room <= 0:
            return None
        offers = [
            (-min(basket, v.balance, room), v.born, v.id, v)
            for v in self.vouchers
            if v.person == person and v.balance > 0 and not v.expired and not self.over(v)
        ]
        if not offers:
            return None
        best = min(offers, key=lambda offer: offer[:3])
        return best[3], min(best[3].balance, room), -best[0]

    def count(self, person: UUID, uses: int, fen: int) -> None:
        self.uses[person] = self.uses.get(person, 0) + uses
        self.fen[person] = self.fen.get(person, 0) + fen

    def put_back(self, voucher: ModelVoucher, fen: int) -> None:
        if voucher.expired or self.over(voucher):
            voucher.taken += fen
        else:
            voucher.balance += fen

    def release(self, payment: ModelPayment, fen: int, uses: int) -> None:
        payment.voucher.held -= fen
        payment.voucher.uses -= uses
        self.put_back(payment.voucher, fen)
        self.count(payment.person, -uses, -fen)

    def give_back(self, payment: ModelPayment, fen: int) -> None:
        payment.refunded += fen
        payment.voucher.refunded += fen
        self.put_back(payment.voucher, fen)
        self.count(payment.person, 0, -fen)


class LedgerMachine(RuleBasedStateMachine):
    """Each verb is done by the service and by the model; what is refused leaves the model as it is."""

    runner: asyncio.Runner
    ctx: Context

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.runner.run(self._start())

    async def _start(self) -> None:
        self.world = await PayWorld(self.ctx).start()
        self.campaign = await self.world.campaign(TERMS)
        self.people = [await self.world.person() for _ in range(2)]
        self.shop = await self.world.merchant()
        self.till = self.world.till(self.shop)

    def act(self, work: Coroutine[Any, Any, T]) -> T | str:
        """The service's answer, or the code of its refusal."""
        try:
            return self.runner.run(work)
        except Refused as refused:
            return refused.code

    def payment(self, data: st.DataObject) -> ModelPayment:
        return self.model.payments[data.draw(st.integers(0, len(self.model.payments) - 1))]

    @rule(who=st.integers(0, 1), face=st.integers(1, 9_000))
    def grant(self, who: int, face: int) -> None:
        async def work() -> UUID:
            ends = await self.world.now() + timedelta(seconds=VOUCHER_SECONDS)
            return await self.world.voucher(self.campaign, self.people[who], face, ends)

        voucher_id = self.runner.run(work())
        self.model.vouchers.append(ModelVoucher(voucher_id, self.people[who], face, self.model.ticks, face))

    @rule(who=st.integers(0, 1), basket=st.integers(1, 6_000), at_once=st.booleans())
    def pay(self, who: int, basket: int, at_once: bool) -> None:
        person = self.people[who]

        async def work() -> Any:
            spend = await self.world.spend(person, basket)
            verb = redeem if at_once else authorize
            return await verb(self.ctx, self.till, asked(self.till, spend), spend)

        answer, picked = self.act(work()), self.model.pick(person, basket)
        if picked is None:
            assert isinstance(answer, str), answer
            return
        voucher, available, fen = picked
        assert not isinstance(answer, str), answer
        assert answer.subsidy_fen == fen
        payment = ModelPayment(answer.id, person, voucher, available, basket, fen, self.model.ticks)
        voucher.balance -= fen
        voucher.uses += 1
        self.model.count(person, 1, fen)
        if at_once:
            payment.state, payment.captured, payment.captured_basket = "captured", fen, basket
            payment.captured_at = self.model.ticks
            voucher.captured += fen
        else:
            voucher.held += fen
        self.model.payments.append(payment)

    @precondition(lambda self: self.model.payments)
    @rule(data=st.data(), part=st.integers(1, 100))
    def capture(self, data: st.DataObject, part: int) -> None:
        payment = self.payment(data)
        basket = max(1, payment.basket * part // 100)
        command = Capture(basket_fen=basket)
        answer = self.act(capture(self.ctx, self.till, asked(self.till, command), payment.id, command))
        if payment.state != "held":
            assert answer == "wrong_state"
        elif self.model.ticks - payment.born >= HOLD_TICKS:
            assert answer == "hold_expired"
        else:
            payment.state, payment.captured_basket, payment.captured_at = "captured", basket, self.model.ticks
            payment.captured = min(payment.authorized, basket)
            payment.voucher.held -= payment.captured
            payment.voucher.captured += payment.captured
            self.model.release(payment, payment.authorized - payment.captured, 0)

    @precondition(lambda self: self.model.payments)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        payment = self.payment(data)
        answer = self.act(void(self.ctx, self.till, asked(self.till, {}), payment.id))
        if payment.state != "held":
            assert answer == "wrong_state"
        else:
            payment.state = "voided"
            self.model.release(payment, payment.authorized, 1)

    @precondition(lambda self: self.model.payments)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        payment = self.payment(data)
        answer = self.act(undo(self.ctx, self.till, asked(self.till, {}), payment.id))
        if payment.state != "captured":
            assert answer == "wrong_state"
        elif self.model.ticks - payment.captured_at >= HOLD_TICKS:
            assert answer == "undo_over"
        elif payment.returned == payment.captured_basket:
            assert answer == "refund_too_large"
        else:
            self.model.give_back(payment, payment.captured - payment.refunded)
            payment.state, payment.returned = "undone", payment.captured_basket
            payment.voucher.uses -= 1
            self.model.count(payment.person, -1, 0)

    @precondition(lambda self: self.model.payments)
    @rule(data=st.data(), part=st.integers(1, 120))
    def refund(self, data: st.DataObject, part: int) -> None:
        payment = self.payment(data)
        goods = max(1, payment.basket * part // 100)
        command = Refund(returned_goods_fen=goods)
        answer = self.act(refund(self.ctx, self.till, asked(self.till, command), payment.id, command))
        if payment.state != "captured":
            assert answer == "wrong_state"
        elif goods > payment.captured_basket - payment.returned:
            assert answer == "refund_too_large"
        else:
            payment.returned += goods
            keeps = min(payment.captured_basket - payment.returned, payment.available)
            back = max(0, min(payment.captured - keeps, payment.returned) - payment.refunded)
            assert not isinstance(answer, str) and answer.back_fen == back
            self.model.give_back(payment, back)

    @rule(ticks=st.integers(1, 3))
    def time_passes(self, ticks: int) -> None:
        async def work() -> None:
            async with self.ctx.pool.acquire() as connection:
                await connection.execute(
                    "UPDATE clock SET shift = shift + make_interval(secs => $1)", float(ticks * TICK_SECONDS)
                )

        self.runner.run(work())
        self.model.ticks += ticks

    @rule()
    def sweep(self) -> None:
        self.runner.run(sweep(self.ctx))
        for payment in self.model.payments:
            if payment.state == "held" and self.model.ticks - payment.born >= HOLD_TICKS:
                payment.state = "expired"
                self.model.release(payment, payment.authorized, 1)
        for voucher in self.model.vouchers:
            if self.model.over(voucher) and not voucher.expired:
                voucher.expired = True
                voucher.taken += voucher.balance
                voucher.balance = 0

    @invariant()
    def rows_are_the_models(self) -> None:
        vouchers, payments, usage = self.runner.run(self._rows())
        assert vouchers == {
            v.id: (
                v.balance,
                v.held,
                v.captured,
                v.refunded,
                v.taken,
                v.uses,
                "expired" if v.expired else "live",
            )
            for v in self.model.vouchers
        }
        assert payments == {p.id: (p.state, p.captured, p.refunded, p.returned) for p in self.model.payments}
        assert usage == {p: (uses, self.model.fen[p]) for p, uses in self.model.uses.items()}

    async def _rows(self) -> tuple[dict[UUID, Any], dict[UUID, Any], dict[UUID, Any]]:
        async with self.ctx.pool.acquire() as connection:
            vouchers = await connection.fetch(
                "SELECT id, balance_fen, held_fen, captured_fen, refunded_fen, taken_back_fen, uses, state FROM voucher"
                " WHERE campaign_id = $1",
                self.campaign,
            )
            payments = await connection.fetch(
                "SELECT id, state, captured_fen, refunded_fen, returned_goods_fen FROM payment WHERE merchant_id = $1",
                self.shop,
            )
            usage = await connection.fetch(
                "SELECT person_id, uses, amount_fen FROM usage_counter WHERE campaign_id = $1", self.campaign
            )
        return tuple({row[0]: tuple(row)[1:] for row in rows} for rows in (vouchers, payments, usage))  # type: ignore[return-value]

    def teardown(self) -> None:
        self.runner.run(check_books(self.ctx))


@pytest.mark.timeout(180)
def test_the_books_agree_with_a_plain_model(database: Databases, engines: Engines) -> None:
    with asyncio.Runner() as runner:

        async def connect() -> Context:
            pool = await open_pool(database.app.dsn, size=4)
            return Context(pool=pool, gate=open_gate(engines.redis_url), hmac_key=bytes(32), mode="test")

        async def disconnect(ctx: Context) -> None:
            await ctx.gate.close()
            await ctx.pool.close()

        ctx = runner.run(connect())
        machine = type("BoundMachine", (LedgerMachine,), {"runner": runner, "ctx": ctx})
        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=60,
                    stateful_step_count=30,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(disconnect(ctx))
