"""Holders: paying with a store code, quotes, their own vouchers and payments; and the clock of test mode."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from campaigns.domain.errors import Refused
from campaigns.domain.principal import Principal
from campaigns.domain.terms.model import Cap, SpendAndSave, Step, Terms
from campaigns.services import payment_reads
from campaigns.services.capturing import Capture, capture, void
from campaigns.services.clock import shift_clock, void_codes
from campaigns.services.context import Context
from campaigns.services.own_vouchers import my_voucher, my_vouchers
from campaigns.services.paging import PageQuery
from campaigns.services.paying import authorize, redeem
from campaigns.services.payment_answers import PaymentAnswer
from campaigns.services.quoting import quote
from campaigns.services.refunding import ask_undo, undo
from tests.support.paychecks import refused_unchanged
from tests.support.payworld import STORED, PayWorld, asked, check_books

CAPS = (Cap(scope="person", period="day", uses=2), Cap(scope="campaign", period="whole", amount_fen=50_000))
STEPS = SpendAndSave(steps=(Step(spend_fen=5_000, save_fen=1_000), Step(spend_fen=10_000, save_fen=3_000)))


@pytest.fixture
async def world(ctx: Context) -> PayWorld:
    return await PayWorld(ctx).start()


async def held(
    world: PayWorld, basket_fen: int = 8_000, **terms: object
) -> tuple[PaymentAnswer, Principal, UUID, UUID]:
    """Hold with a fresh voucher of 10,000 fen; answers the payment, its till, the person and the voucher."""
    campaign = await world.campaign(Terms(**{"benefit": STORED, "caps": CAPS, **terms}))  # type: ignore[arg-type]
    person, till = await world.person(), world.till(await world.merchant())
    voucher = await world.voucher(campaign, person, 10_000)
    spend = await world.spend(person, basket_fen)
    return await authorize(world.ctx, till, asked(till, spend), spend), till, person, voucher


async def test_a_store_code_hold_waits_for_the_shops_yes(world: PayWorld) -> None:
    campaign, person, shop = await world.campaign(), await world.person(), await world.merchant()
    voucher = await world.voucher(campaign, person, 10_000)
    holder, till, spend = world.holder(person), world.till(shop), world.at_counter(shop, 4_000)
    payment = await authorize(world.ctx, holder, asked(holder, spend), spend)
    assert [line.voucher_id for line in payment.lines] == [voucher]
    pending = await payment_reads.authorizations(world.ctx, till, payment_reads.HoldsQuery())
    assert [one.id for one in pending.items] == [payment.id]
    assert all(line.voucher_id is None for one in pending.items for line in one.lines)
    assert (await capture(world.ctx, till, asked(till, 1), payment.id, Capture())).state == "captured"
    assert (await payment_reads.authorizations(world.ctx, till, payment_reads.HoldsQuery())).items == ()
    second = await authorize(world.ctx, holder, asked(holder, spend), spend)
    assert (await void(world.ctx, holder, asked(holder, 2), second.id)).state == "voided"
    mine = await payment_reads.payments(world.ctx, holder, PageQuery(limit=1))
    rest = await payment_reads.payments(world.ctx, holder, PageQuery(limit=1, cursor=mine.next_cursor))
    assert [one.id for one in (*mine.items, *rest.items)] == [payment.id, second.id]
    assert rest.next_cursor is None
    await check_books(world.ctx)


async def test_a_holder_redeems_what_the_shop_announced_once(world: PayWorld) -> None:
    campaign, person, shop = await world.campaign(), await world.person(), await world.merchant()
    await world.voucher(campaign, person, 10_000)
    holder, till, spend = world.holder(person), world.till(shop), world.at_counter(shop, 4_000)

    async def pay(basket_fen: int) -> tuple[str, int]:
        at_counter = world.at_counter(shop, basket_fen)
        return await refused_unchanged(
            world, redeem, world.ctx, holder, asked(holder, at_counter), at_counter
        )

    assert await pay(4_000) == ("nothing_announced", 409)
    announce = payment_reads.Announce(amount_fen=4_000)
    await payment_reads.announce_amount(world.ctx, till, asked(till, announce), announce)
    assert (await quote(world.ctx, holder, spend)).announced_fen == 4_000
    assert await pay(4_001) == ("above_announced", 409)
    outcomes = await asyncio.gather(
        *(redeem(world.ctx, holder, asked(holder, spend), spend) for _ in range(4)), return_exceptions=True
    )
    assert (
        sorted(getattr(one, "code", "captured") for one in outcomes)
        == ["captured"] + ["nothing_announced"] * 3
    )
    await payment_reads.announce_amount(world.ctx, till, asked(till, announce), announce)
    await shift_clock(world.ctx, timedelta(seconds=120))
    assert await pay(4_000) == ("nothing_announced", 409)
    unknown = world.at_counter(shop, 4_000)
    async with world.ctx.pool.acquire() as connection:
        await connection.execute("UPDATE terminal SET store_code = 'SAAAAAAAAAAAAAAAA'")
    refusal = await refused_unchanged(world, redeem, world.ctx, holder, asked(holder, unknown), unknown)
    assert refusal == ("store_code_unknown", 404)


async def test_an_announced_amount_is_paid_by_one_of_many_holders(world: PayWorld) -> None:
    campaign, shop = await world.campaign(), await world.merchant()
    people = [await world.person() for _ in range(6)]
    for person in people:
        await world.voucher(campaign, person, 10_000)
    till, spend, announce = (
        world.till(shop),
        world.at_counter(shop, 4_000),
        payment_reads.Announce(amount_fen=4_000),
    )
    await payment_reads.announce_amount(world.ctx, till, asked(till, announce), announce)
    outcomes = await asyncio.gather(
        *(redeem(world.ctx, world.holder(one), asked(world.holder(one), spend), spend) for one in people),
        return_exceptions=True,
    )
    assert sorted(getattr(one, "code", "captured") for one in outcomes) == [
        "captured",
        *["nothing_announced"] * 5,
    ]
    await check_books(world.ctx)


async def test_the_holders_wish_to_undo_needs_the_shops_yes(world: PayWorld) -> None:
    person, till = await world.person(), world.till(await world.merchant())
    voucher = await world.voucher(await world.campaign(), person, 10_000)
    holder, spend = world.holder(person), await world.spend(person, 4_000)
    payment = await redeem(world.ctx, till, asked(till, spend), spend)
    wished = await ask_undo(world.ctx, holder, asked(holder, 1), payment.id)
    assert (wished.state, wished.undo_asked_at is not None) == ("captured", True)
    assert (await world.row("voucher", voucher))["balance_fen"] == 6_000
    assert (await payment_reads.payment(world.ctx, till, payment.id)).undo_asked_at == wished.undo_asked_at
    await undo(world.ctx, till, asked(till, 2), payment.id)
    assert (await world.row("voucher", voucher))["balance_fen"] == 10_000
    await check_books(world.ctx)


async def test_a_quote_says_what_a_payment_does_and_changes_nothing(world: PayWorld) -> None:
    person, shop, poor = await world.person(), await world.merchant(), await world.person()
    first = await world.campaign(Terms(benefit=STORED, caps=CAPS))
    second = await world.campaign(Terms(benefit=STEPS, stacking_class="b"))
    vouchers = [await world.voucher(first, person, 2_000), await world.voucher(second, person, 9_000)]
    await world.voucher(await world.campaign(Terms(benefit=STORED, channels=("online",))), poor, 2_000)
    till, spend = world.till(shop), await world.spend(person, 9_000)
    tables = ("payment", "transfer", "usage_counter", "refusal", "idempotency")
    before = [await world.count(table) for table in tables]
    told = await quote(world.ctx, till, spend)
    assert (told.subsidy_fen, told.own_fen, told.vouchers, told.refusal) == (3_000, 6_000, (), None)
    seen = await quote(world.ctx, world.holder(person), world.at_counter(shop, 9_000))
    assert [(one.voucher_id, one.amount_fen) for one in seen.vouchers] == [
        (vouchers[0], 2_000),
        (vouchers[1], 1_000),
    ]
    hidden = await quote(world.ctx, till, await world.spend(await world.person(), 9_000))
    assert (hidden.subsidy_fen, hidden.refusal and hidden.refusal.code) == (0, "not_usable_here")
    no = await quote(world.ctx, world.holder(poor), world.at_counter(shop, 9_000))
    assert no.refusal and no.refusal.code == "channel_not_allowed"
    assert [await world.count(table) for table in tables] == before
    paid = await redeem(world.ctx, till, asked(till, spend), spend)
    assert paid.subsidy_fen == told.subsidy_fen
    with pytest.raises(Refused, match="code_already_used"):
        await quote(world.ctx, till, spend)


async def test_a_person_sees_their_own_vouchers_alone(world: PayWorld) -> None:
    campaign = await world.campaign(Terms(benefit=STORED, places=("370124",)))
    person, other = await world.person(), await world.person()
    mine, theirs = await world.voucher(campaign, person, 2_000), await world.voucher(campaign, other, 2_000)
    listed = await my_vouchers(world.ctx, world.holder(person), PageQuery())
    assert [one.id for one in listed.items] == [mine]
    one = await my_voucher(world.ctx, world.holder(person), mine)
    assert (
        one.contract is not None
        and one.contract.digest in one.contract.zh
        and one.contract.digest in one.contract.en
    )
    assert "平阴县" in one.contract.zh
    with pytest.raises(Refused, match="not_found"):
        await my_voucher(world.ctx, world.holder(person), theirs)


async def test_the_clock_moves_forward_only_and_not_over_holds_or_codes(world: PayWorld) -> None:
    payment, till, person, _ = await held(world)
    with pytest.raises(Refused, match="clock_in_use"):
        await shift_clock(world.ctx, timedelta(hours=1))
    await void(world.ctx, till, asked(till, 1), payment.id)
    before = await world.now()
    assert await shift_clock(world.ctx, timedelta(hours=1)) >= before + timedelta(hours=1)
    await world.code(person)
    with pytest.raises(Refused, match="clock_in_use"):
        await shift_clock(world.ctx, timedelta(hours=1))
    assert await void_codes(world.ctx) >= 1
    with pytest.raises(Refused, match="clock_not_adjustable"):
        await shift_clock(world.ctx, timedelta(seconds=-1))
    live = Context(pool=world.ctx.pool, gate=world.ctx.gate, hmac_key=world.ctx.hmac_key, mode="production")
    with pytest.raises(Refused, match="clock_not_adjustable"):
        await shift_clock(live, timedelta(seconds=1))
