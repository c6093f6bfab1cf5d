"""Holds: authorize, capture whole and part, void, expiry, and the ways a holder pays with a store code."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from campaigns.domain.errors import Invalid, Refused
from campaigns.domain.ids import new_id
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
from campaigns.services.spending import ItemPart
from campaigns.services.sweeping import sweep
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


async def used(world: PayWorld) -> list[tuple[int, int]]:
    async with world.ctx.pool.acquire() as connection:
        rows = await connection.fetch(
            "SELECT uses, amount_fen FROM usage_counter WHERE cap < 100 ORDER BY cap"
        )
    return [tuple(row) for row in rows]


async def let_pass(world: PayWorld, by: timedelta) -> None:
    """Let campaign time pass over open holds, as real time does."""
    async with world.ctx.pool.acquire() as connection:
        await connection.execute("UPDATE clock SET shift = shift + $1", by)


async def refused_unchanged(world: PayWorld, verb: object, *args: object) -> tuple[str, int]:
    """Call a verb that is refused and leaves the books as they are; answers code and status."""
    before = await world.count("transfer")
    with pytest.raises(Refused) as refused:
        await verb(*args)  # type: ignore[operator]
    assert await world.count("transfer") == before
    await check_books(world.ctx)
    return refused.value.code, refused.value.status


async def test_a_hold_captured_whole(world: PayWorld) -> None:
    payment, till, _, voucher = await held(world)
    assert (payment.state, payment.captured_basket_fen) == ("held", None)
    assert payment.hold_until - payment.authorized_at == timedelta(seconds=600)
    row = await world.row("voucher", voucher)
    assert (row["balance_fen"], row["held_fen"]) == (2_000, 8_000)
    await check_books(world.ctx)
    answer = await capture(world.ctx, till, asked(till, {}), payment.id, Capture())
    assert (answer.state, answer.captured_fen, answer.own_fen) == ("captured", 8_000, 0)
    row = await world.row("voucher", voucher)
    assert (row["balance_fen"], row["held_fen"], row["captured_fen"]) == (2_000, 0, 8_000)
    assert await used(world) == [(1, 8_000), (1, 8_000)]
    await check_books(world.ctx)


async def test_a_part_captured_returns_the_rest_and_its_part_of_the_caps(world: PayWorld) -> None:
    payment, till, _, voucher = await held(world)
    answer = await capture(world.ctx, till, asked(till, {}), payment.id, Capture(basket_fen=3_000))
    assert (answer.captured_fen, answer.captured_basket_fen, answer.own_fen) == (3_000, 3_000, 0)
    row = await world.row("voucher", voucher)
    assert (row["balance_fen"], row["held_fen"], row["captured_fen"], row["uses"]) == (7_000, 0, 3_000, 1)
    assert await used(world) == [(1, 3_000), (1, 3_000)]
    await check_books(world.ctx)


async def test_a_basket_below_the_threshold_captures_the_lower_step(world: PayWorld) -> None:
    payment, till, _, _ = await held(world, 12_000, benefit=STEPS)
    assert payment.subsidy_fen == 3_000
    answer = await capture(world.ctx, till, asked(till, {}), payment.id, Capture(basket_fen=9_000))
    assert (answer.captured_fen, answer.own_fen) == (1_000, 8_000)
    await check_books(world.ctx)


async def test_goods_of_excluded_categories_may_leave_without_loss(world: PayWorld) -> None:
    person, till = await world.person(), world.till(await world.merchant())
    await world.voucher(await world.campaign(), person, 10_000)
    tobacco = (ItemPart(category="tobacco", amount_fen=4_000),)
    spend = await world.spend(person, 10_000, items=tobacco)
    payment = await authorize(world.ctx, till, asked(till, spend), spend)
    assert payment.subsidy_fen == 6_000
    too_many = Capture(basket_fen=6_000, gone_items=(ItemPart(category="tobacco", amount_fen=4_001),))
    refusal = await refused_unchanged(world, capture, world.ctx, till, asked(till, 1), payment.id, too_many)
    assert refusal == ("items_invalid", 409)
    part = Capture(basket_fen=6_000, gone_items=tobacco)
    assert (await capture(world.ctx, till, asked(till, {}), payment.id, part)).captured_fen == 6_000
    await check_books(world.ctx)


async def test_a_void_gives_everything_back(world: PayWorld) -> None:
    payment, till, _, voucher = await held(world)
    answer = await void(world.ctx, till, asked(till, {}), payment.id)
    assert (answer.state, answer.captured_fen) == ("voided", 0)
    row = await world.row("voucher", voucher)
    assert (row["balance_fen"], row["held_fen"], row["uses"]) == (10_000, 0, 0)
    assert await used(world) == [(0, 0), (0, 0)]
    await check_books(world.ctx)


async def test_the_sweep_ends_a_hold_whose_time_is_over_and_no_other(world: PayWorld) -> None:
    payment, till, _, voucher = await held(world)
    await let_pass(world, timedelta(seconds=599))
    assert (await sweep(world.ctx)).holds == 0
    await let_pass(world, timedelta(seconds=1))
    refusal = await refused_unchanged(world, capture, world.ctx, till, asked(till, 1), payment.id, Capture())
    assert refusal == ("hold_expired", 410)
    swept = await sweep(world.ctx)
    assert (swept.holds, swept.vouchers) == (1, 0)
    assert (await world.row("payment", payment.id))["state"] == "expired"
    row = await world.row("voucher", voucher)
    assert (row["balance_fen"], row["held_fen"], row["uses"]) == (10_000, 0, 0)
    assert await used(world) == [(0, 0), (0, 0)]
    assert (await sweep(world.ctx)).holds == 0
    await check_books(world.ctx)


async def test_what_returns_to_an_expired_voucher_goes_to_escrow(world: PayWorld) -> None:
    campaign = await world.campaign(Terms(benefit=STORED, hold_seconds=86_400))
    person, till = await world.person(), world.till(await world.merchant())
    now = await world.now()
    vouchers = [await world.voucher(campaign, person, 10_000, now + timedelta(hours=1)) for _ in range(3)]
    payments = []
    for _ in vouchers:
        spend = await world.spend(person, 9_000)
        payments.append(await authorize(world.ctx, till, asked(till, spend), spend))
    await let_pass(world, timedelta(hours=2))
    assert (await sweep(world.ctx)).vouchers == 3
    await check_books(world.ctx)
    for voucher in vouchers:
        row = await world.row("voucher", voucher)
        assert (row["state"], row["balance_fen"], row["held_fen"], row["taken_back_fen"]) == (
            "expired", 0, 9_000, 1_000,
        )  # fmt: skip
    await capture(world.ctx, till, asked(till, 1), payments[0].id, Capture(basket_fen=4_000))
    await void(world.ctx, till, asked(till, 2), payments[1].id)
    await check_books(world.ctx)
    await let_pass(world, timedelta(days=1))
    assert (await sweep(world.ctx)).holds == 1
    taken = [(await world.row("voucher", voucher))["taken_back_fen"] for voucher in vouchers]
    assert sorted(taken) == [6_000, 10_000, 10_000]
    await check_books(world.ctx)


async def test_a_hold_lives_beyond_the_window(world: PayWorld) -> None:
    campaign = await world.campaign(Terms(benefit=STORED, hold_seconds=86_400), days=1)
    person, till = await world.person(), world.till(await world.merchant())
    await world.voucher(campaign, person, 10_000)
    await let_pass(world, timedelta(hours=23))
    spend = await world.spend(person, 9_000)
    payment = await authorize(world.ctx, till, asked(till, spend), spend)
    await let_pass(world, timedelta(hours=2))
    assert (await capture(world.ctx, till, asked(till, 1), payment.id, Capture())).captured_fen == 9_000
    await check_books(world.ctx)


@pytest.mark.parametrize("end", ["capture", "void", "expire"])
async def test_a_hold_ends_once(world: PayWorld, end: str) -> None:
    payment, till, _, _ = await held(world)
    if end == "capture":
        await capture(world.ctx, till, asked(till, 1), payment.id, Capture())
    elif end == "void":
        await void(world.ctx, till, asked(till, 1), payment.id)
    else:
        await let_pass(world, timedelta(seconds=600))
        await sweep(world.ctx)
    captured = refused_unchanged(world, capture, world.ctx, till, asked(till, 2), payment.id, Capture())
    assert await captured == ("wrong_state", 409)
    assert await refused_unchanged(world, void, world.ctx, till, asked(till, 3), payment.id) == (
        "wrong_state",
        409,
    )


async def test_more_than_was_authorized_is_never_captured(world: PayWorld) -> None:
    payment, till, _, _ = await held(world)
    more = Capture(basket_fen=8_001)
    refusal = await refused_unchanged(world, capture, world.ctx, till, asked(till, 1), payment.id, more)
    assert refusal == ("capture_too_large", 409)


async def test_a_foreign_payment_is_an_unknown_one(world: PayWorld) -> None:
    payment, _, person, _ = await held(world)
    other = world.till(await world.merchant())
    stranger, holder = world.holder(await world.person()), world.holder(person)
    for caller in (other, stranger):
        for verb in (void, undo):
            got = refused_unchanged(world, verb, world.ctx, caller, asked(caller, 1), payment.id)
            assert await got == ("not_found", 404)
        assert await refused_unchanged(world, payment_reads.payment, world.ctx, caller, payment.id) == (
            "not_found",
            404,
        )
    for caller in (other, stranger, holder):  # the holder never says yes for the shop, nor ends a till's hold
        got = refused_unchanged(world, capture, world.ctx, caller, asked(caller, 2), payment.id, Capture())
        assert await got == ("not_found", 404)
    got = refused_unchanged(world, void, world.ctx, holder, asked(holder, 3), payment.id)
    assert await got == ("not_found", 404)
    unknown = refused_unchanged(world, void, world.ctx, other, asked(other, 3), new_id())
    assert await unknown == ("not_found", 404)


async def test_capture_is_repeated_under_its_key_and_no_other_body(world: PayWorld) -> None:
    payment, till, _, _ = await held(world)
    request = asked(till, 3_000)
    part = Capture(basket_fen=3_000)
    answers = await asyncio.gather(*(capture(world.ctx, till, request, payment.id, part) for _ in range(6)))
    assert all(answer == answers[0] for answer in answers)
    with pytest.raises(Invalid, match="idempotency_key_reused"):
        await capture(world.ctx, till, asked(till, 2_000, request.key), payment.id, Capture(basket_fen=2_000))
    await check_books(world.ctx)


async def test_capture_void_and_expiry_in_parallel_leave_exactly_one(world: PayWorld) -> None:
    for number in range(5):
        payment, till, _, _ = await held(world)
        if number % 2:
            await let_pass(world, timedelta(seconds=600))

        async def attempt(verb: object, *args: object) -> str:
            try:
                return str((await verb(*args)).state)  # type: ignore[operator]
            except Refused as refused:
                return refused.code

        await asyncio.gather(
            attempt(capture, world.ctx, till, asked(till, 1), payment.id, Capture(basket_fen=5_000)),
            attempt(capture, world.ctx, till, asked(till, 2), payment.id, Capture()),
            attempt(void, world.ctx, till, asked(till, 3), payment.id),
            sweep(world.ctx),
            sweep(world.ctx),
        )
        async with world.ctx.pool.acquire() as connection:
            kinds = await connection.fetch(
                "SELECT DISTINCT kind::text FROM transfer WHERE cause_id = $1 AND kind IN ('capture', 'void', 'hold_expiry')",
                payment.id,
            )
        assert len(kinds) == 1
        await check_books(world.ctx)


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
