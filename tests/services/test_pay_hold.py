"""Holds: authorize, capture whole and part, void and expiry."""

import asyncio
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from campaigns.domain.errors import Invalid, Refused
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.terms.model import Cap, SpendAndSave, Step, Terms
from campaigns.services import payment_reads
from campaigns.services.capturing import Capture, capture, void
from campaigns.services.clock import set_clock
from campaigns.services.context import Context
from campaigns.services.paying import authorize
from campaigns.services.payment_answers import PaymentAnswer
from campaigns.services.refunding import Refund, refund, undo
from campaigns.services.spending import ItemPart
from campaigns.services.sweeping import sweep
from tests.support.paychecks import let_pass, refused_unchanged
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


async def test_a_basket_below_every_threshold_captures_nothing_and_may_come_back(world: PayWorld) -> None:
    payment, till, _person, voucher = await held(world, 6_000, benefit=STEPS)
    answer = await capture(world.ctx, till, asked(till, 1), payment.id, Capture(basket_fen=1_000))
    assert (answer.state, answer.captured_fen, answer.own_fen) == ("captured", 0, 1_000)
    row = await world.row("voucher", voucher)
    assert (row["balance_fen"], row["held_fen"], row["captured_fen"], row["uses"]) == (10_000, 0, 0, 1)
    assert await used(world) == [(1, 0), (1, 0)]
    await check_books(world.ctx)
    back = Refund(returned_goods_fen=400)
    assert (await refund(world.ctx, till, asked(till, back), payment.id, back)).back_fen == 0
    assert (await undo(world.ctx, till, asked(till, 2), payment.id)).back_fen == 0
    assert await used(world) == [(0, 0), (0, 0)]
    await check_books(world.ctx)


async def test_what_returns_after_midnight_returns_to_the_day_of_the_authorization(world: PayWorld) -> None:
    midnight = (await world.now()).astimezone(ZoneInfo("Asia/Shanghai")).replace(
        hour=0, minute=0, second=0, microsecond=0
    ) + timedelta(days=1)
    await set_clock(world.ctx, midnight - timedelta(seconds=60))
    payment, till, person, _ = await held(world, caps=(Cap(scope="person", period="day", uses=1),))
    await let_pass(world, timedelta(seconds=120))
    spend = await world.spend(person, 500)
    today = await authorize(world.ctx, till, asked(till, spend), spend)
    await void(world.ctx, till, asked(till, 1), payment.id)
    async with world.ctx.pool.acquire() as connection:
        rows = await connection.fetch("SELECT bucket, uses, amount_fen FROM usage_counter ORDER BY bucket")
    yesterday = (midnight - timedelta(days=1)).date()
    assert [tuple(row) for row in rows] == [(yesterday, 0, 0), (midnight.date(), 1, 500)]
    spend = await world.spend(person, 500)
    refusal = await refused_unchanged(world, authorize, world.ctx, till, asked(till, spend), spend)
    assert refusal == ("not_usable_here", 409)
    await void(world.ctx, till, asked(till, 2), today.id)
    await check_books(world.ctx)


@pytest.mark.parametrize("state", ["paused", "suspended"])
async def test_a_hold_of_two_campaigns_ends_though_one_stopped(world: PayWorld, state: str) -> None:
    person, till = await world.person(), world.till(await world.merchant())
    campaigns = [await world.campaign(Terms(benefit=STORED, caps=CAPS, stacking_class=c)) for c in "ab"]
    for campaign in campaigns:
        await world.voucher(campaign, person, 3_000)
    spend = await world.spend(person, 5_000)
    payment = await authorize(world.ctx, till, asked(till, spend), spend)
    assert [line.authorized_fen for line in payment.lines] == [3_000, 2_000]
    async with world.ctx.pool.acquire() as connection:
        await connection.execute("UPDATE campaign SET state = $2 WHERE id = $1", campaigns[1], state)
    answer = await capture(world.ctx, till, asked(till, 1), payment.id, Capture(basket_fen=4_000))
    assert [line.captured_fen for line in answer.lines] == [3_000, 1_000]
    spend = await world.spend(person, 5_000)
    refusal = await refused_unchanged(world, authorize, world.ctx, till, asked(till, spend), spend)
    assert refusal == ("not_usable_here", 409)
    assert (await undo(world.ctx, till, asked(till, 2), payment.id)).back_fen == 4_000
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
