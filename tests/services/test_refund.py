"""Refund and undo: cumulated arithmetic, where the value goes, and that nothing comes back twice."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from campaigns.domain.errors import Invalid, Refused
from campaigns.domain.principal import Principal
from campaigns.domain.terms.model import Cap, SpendAndSave, Step, Terms
from campaigns.services.capturing import Capture, capture
from campaigns.services.clock import void_codes
from campaigns.services.context import Context
from campaigns.services.paying import authorize, redeem
from campaigns.services.payment_answers import PaymentAnswer
from campaigns.services.refunding import Refund, ask_undo, refund, undo
from campaigns.services.spending import ItemPart
from campaigns.services.sweeping import sweep
from campaigns.store.locks import share_campaigns
from tests.support.paychecks import let_pass, refused_unchanged
from tests.support.payworld import STORED, PayWorld, asked, check_books, wait_for_campaign_lock

STEPS = SpendAndSave(steps=(Step(spend_fen=5_000, save_fen=1_000), Step(spend_fen=10_000, save_fen=3_000)))
DAILY = (Cap(scope="person", period="day", uses=2, amount_fen=20_000),)


@pytest.fixture
async def world(ctx: Context) -> PayWorld:
    return await PayWorld(ctx).start()


async def paid(
    world: PayWorld, basket_fen: int, *, campaign: UUID | None = None, **terms: object
) -> tuple[PaymentAnswer, Principal, UUID]:
    """Redeem with a fresh voucher of 10,000 fen; answers the payment, its till and the voucher."""
    if campaign is None:
        campaign = await world.campaign(Terms(**{"benefit": STORED, "caps": DAILY, **terms}))  # type: ignore[arg-type]
    person, till = await world.person(), world.till(await world.merchant())
    voucher = await world.voucher(campaign, person, 10_000)
    spend = await world.spend(person, basket_fen)
    return await redeem(world.ctx, till, asked(till, spend), spend), till, voucher


async def give_back(world: PayWorld, till: Principal, payment: PaymentAnswer, goods_fen: int) -> int:
    command = Refund(returned_goods_fen=goods_fen)
    return (await refund(world.ctx, till, asked(till, command), payment.id, command)).back_fen


async def test_a_whole_refund_fills_the_voucher_and_gives_back_fen_but_no_use(world: PayWorld) -> None:
    payment, till, voucher = await paid(world, 12_000)
    command = Refund(returned_goods_fen=12_000)
    answer = await refund(world.ctx, till, asked(till, command), payment.id, command)
    assert (answer.back_fen, answer.own_fen, answer.payment.state) == (10_000, 2_000, "captured")
    row = await world.row("voucher", voucher)
    assert (row["balance_fen"], row["refunded_fen"], row["uses"]) == (10_000, 10_000, 1)
    async with world.ctx.pool.acquire() as connection:
        assert tuple(await connection.fetchrow("SELECT uses, amount_fen FROM usage_counter")) == (1, 0)
    await check_books(world.ctx)


async def test_returning_to_below_a_threshold_loses_the_subsidy_and_splitting_changes_nothing(
    world: PayWorld,
) -> None:
    once, till, _ = await paid(world, 12_000, benefit=STEPS)
    assert once.captured_fen == 3_000
    assert await give_back(world, till, once, 4_000) == 2_000
    split, till, _ = await paid(world, 12_000, benefit=STEPS)
    assert [await give_back(world, till, split, 1_000) for _ in range(4)] == [0, 0, 2_000, 0]
    assert await give_back(world, till, split, 8_000) == 1_000
    await check_books(world.ctx)


async def test_goods_of_excluded_categories_come_back_without_subsidy(world: PayWorld) -> None:
    person, till = await world.person(), world.till(await world.merchant())
    await world.voucher(await world.campaign(), person, 10_000)
    tobacco = (ItemPart(category="tobacco", amount_fen=4_000),)
    spend = await world.spend(person, 10_000, items=tobacco)
    payment = await redeem(world.ctx, till, asked(till, spend), spend)
    command = Refund(returned_goods_fen=4_000, gone_items=tobacco)
    assert (await refund(world.ctx, till, asked(till, 1), payment.id, command)).back_fen == 0
    refusal = await refused_unchanged(world, refund, world.ctx, till, asked(till, 2), payment.id, command)
    assert refusal == ("items_invalid", 409)
    assert await give_back(world, till, payment, 6_000) == 6_000
    await check_books(world.ctx)


async def test_more_goods_than_were_bought_never_come_back(world: PayWorld) -> None:
    payment, till, _ = await paid(world, 8_000)
    assert await give_back(world, till, payment, 5_000) == 5_000
    more = Refund(returned_goods_fen=3_001)
    refusal = await refused_unchanged(world, refund, world.ctx, till, asked(till, more), payment.id, more)
    assert refusal == ("refund_too_large", 409)


async def test_refunds_in_parallel_go_to_the_last_fen_and_no_further(world: PayWorld) -> None:
    payment, till, voucher = await paid(world, 10_000)
    command = Refund(returned_goods_fen=1_700)

    async def one() -> int:
        try:
            return (await refund(world.ctx, till, asked(till, command), payment.id, command)).back_fen
        except Refused as refused:
            assert refused.code == "refund_too_large"
            return 0

    assert sorted(await asyncio.gather(*(one() for _ in range(8)))) == [0, 0, 0, *[1_700] * 5]
    assert await give_back(world, till, payment, 1_500) == 1_500
    row = await world.row("voucher", voucher)
    assert (row["balance_fen"], row["refunded_fen"]) == (10_000, 10_000)
    await check_books(world.ctx)


async def test_a_refund_repeated_under_its_key_gives_back_once(world: PayWorld) -> None:
    payment, till, _ = await paid(world, 10_000)
    command = Refund(returned_goods_fen=1_000)
    request = asked(till, command)
    answers = await asyncio.gather(*(refund(world.ctx, till, request, payment.id, command) for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert await world.count("refund") == 1
    other = Refund(returned_goods_fen=1_001)
    with pytest.raises(Invalid, match="idempotency_key_reused"):
        await refund(world.ctx, till, asked(till, other, request.key), payment.id, other)
    await check_books(world.ctx)


async def test_a_capture_is_refunded_by_what_it_took(world: PayWorld) -> None:
    campaign = await world.campaign(Terms(benefit=STEPS, caps=DAILY))
    person, till = await world.person(), world.till(await world.merchant())
    await world.voucher(campaign, person, 10_000)
    spend = await world.spend(person, 15_000)
    payment = await authorize(world.ctx, till, asked(till, spend), spend)
    held = refused_unchanged(world, give_back, world, till, payment, 1_000)
    assert await held == ("wrong_state", 409)
    await capture(world.ctx, till, asked(till, 1), payment.id, Capture(basket_fen=11_000))
    assert await give_back(world, till, payment, 1_500) == 2_000 - 500
    assert await give_back(world, till, payment, 500) == 500
    await check_books(world.ctx)


async def test_stacked_lines_give_back_the_last_first(world: PayWorld) -> None:
    person, till = await world.person(), world.till(await world.merchant())
    for name, face_fen in (("a", 4_000), ("b", 3_000)):
        await world.voucher(
            await world.campaign(Terms(benefit=STORED, stacking_class=name)), person, face_fen
        )
    spend = await world.spend(person, 7_000)
    payment = await redeem(world.ctx, till, asked(till, spend), spend)
    command = Refund(returned_goods_fen=3_500)
    answer = await refund(world.ctx, till, asked(till, command), payment.id, command)
    assert sum(line.refunded_fen for line in answer.payment.lines) == answer.back_fen
    assert answer.payment.lines[1].refunded_fen >= answer.payment.lines[0].refunded_fen
    await check_books(world.ctx)


async def test_after_expiry_a_refund_goes_to_escrow(world: PayWorld) -> None:
    payment, till, voucher = await paid(world, 6_000)
    await void_codes(world.ctx)
    await let_pass(world, timedelta(days=40))
    assert await give_back(world, till, payment, 1_000) == 1_000  # before the sweep has come
    assert (await world.row("voucher", voucher))["taken_back_fen"] == 1_000
    assert (await sweep(world.ctx)).vouchers == 1
    assert await give_back(world, till, payment, 2_000) == 2_000
    row = await world.row("voucher", voucher)
    assert (row["state"], row["balance_fen"], row["taken_back_fen"]) == ("expired", 0, 4_000 + 3_000)
    await check_books(world.ctx)


async def test_after_the_close_refunds_go_to_the_funders_until_refund_days_are_over(world: PayWorld) -> None:
    campaign = await world.campaign(budget_fen=100_000, shares=(5_000, 3_000, 2_000), refund_days=30)
    bought = [await paid(world, 9_000, campaign=campaign) for _ in range(3)]
    await let_pass(world, timedelta(days=31))
    await sweep(world.ctx)
    await world.close(campaign)
    await check_books(world.ctx)

    async def one(number: int, goods_fen: int) -> int:
        payment, till, _ = bought[number]
        return await give_back(world, till, payment, goods_fen)

    assert sum(await asyncio.gather(*(one(number % 3, 997) for number in range(9)))) == 9 * 997
    await check_books(world.ctx)
    assert [await one(number, 9_000 - 3 * 997) for number in range(3)] == [9_000 - 3 * 997] * 3
    async with world.ctx.pool.acquire() as connection:
        returned = await connection.fetch(
            "SELECT sum(amount_fen)::bigint FROM transfer WHERE credit_kind = 'returned' GROUP BY credit_id ORDER BY 1"
        )
    assert [row[0] for row in returned] == [
        20_000,
        30_000,
        50_000,
    ]  # nothing stayed spent: each has its own back
    await check_books(world.ctx)


async def test_refunds_after_the_close_hold_the_campaign_alone(world: PayWorld) -> None:
    campaign = await world.campaign()
    payment, till, _ = await paid(world, 9_000, campaign=campaign)
    await let_pass(world, timedelta(days=31))
    await sweep(world.ctx)
    await world.close(campaign)
    seq = (await world.row("campaign", campaign))["seq"]
    async with world.ctx.pool.acquire() as other, other.transaction():
        await share_campaigns(other, [seq])
        waiting = asyncio.create_task(give_back(world, till, payment, 1_000))
        await wait_for_campaign_lock(world.ctx, waiting)
    assert await waiting == 1_000
    await check_books(world.ctx)


async def test_refunds_end_with_refund_days(world: PayWorld) -> None:
    campaign = await world.campaign(refund_days=3)
    payment, till, _ = await paid(world, 9_000, campaign=campaign)
    await let_pass(world, timedelta(days=31))
    await sweep(world.ctx)
    await world.close(campaign)
    await let_pass(world, timedelta(days=3))
    assert await refused_unchanged(world, give_back, world, till, payment, 1_000) == ("refund_over", 410)


async def test_an_undo_gives_back_uses_too_within_its_time(world: PayWorld) -> None:
    payment, till, voucher = await paid(world, 8_000)
    await let_pass(world, timedelta(seconds=599))
    answer = await undo(world.ctx, till, asked(till, 1), payment.id)
    assert (answer.back_fen, answer.own_fen, answer.payment.state) == (8_000, 0, "undone")
    row = await world.row("voucher", voucher)
    assert (row["balance_fen"], row["uses"]) == (10_000, 0)
    async with world.ctx.pool.acquire() as connection:
        assert tuple(await connection.fetchrow("SELECT uses, amount_fen FROM usage_counter")) == (0, 0)
    await check_books(world.ctx)
    for verb in (undo, ask_undo):
        caller = till if verb is undo else world.holder((await world.row("payment", payment.id))["person_id"])
        refusal = refused_unchanged(world, verb, world.ctx, caller, asked(caller, 2), payment.id)
        assert await refusal == ("wrong_state", 409)
    assert await refused_unchanged(world, give_back, world, till, payment, 1) == ("wrong_state", 409)


async def test_an_undo_after_its_time_is_over(world: PayWorld) -> None:
    payment, till, _ = await paid(world, 8_000)
    await let_pass(world, timedelta(seconds=600))
    refusal = await refused_unchanged(world, undo, world.ctx, till, asked(till, 1), payment.id)
    assert refusal == ("undo_over", 410)


async def test_an_undo_after_a_refund_gives_back_the_rest(world: PayWorld) -> None:
    payment, till, voucher = await paid(world, 8_000)
    assert await give_back(world, till, payment, 3_000) == 3_000
    answer = await undo(world.ctx, till, asked(till, 1), payment.id)
    assert (answer.returned_goods_fen, answer.back_fen) == (5_000, 5_000)
    assert (await world.row("voucher", voucher))["balance_fen"] == 10_000
    await check_books(world.ctx)


async def test_undo_and_refund_in_parallel_give_back_once(world: PayWorld) -> None:
    for _ in range(4):
        payment, till, voucher = await paid(world, 8_000)
        command = Refund(returned_goods_fen=8_000)
        await asyncio.gather(
            undo(world.ctx, till, asked(till, 1), payment.id),
            undo(world.ctx, till, asked(till, 2), payment.id),
            refund(world.ctx, till, asked(till, 3), payment.id, command),
            return_exceptions=True,
        )
        assert (await world.row("voucher", voucher))["balance_fen"] == 10_000
        assert await world.count("refund") == await _payments(world)
        await check_books(world.ctx)


async def _payments(world: PayWorld) -> int:
    return await world.count("payment")


async def test_a_foreign_shop_refunds_nothing(world: PayWorld) -> None:
    payment, _, _ = await paid(world, 8_000)
    other = world.till(await world.merchant())
    assert await refused_unchanged(world, give_back, world, other, payment, 1_000) == ("not_found", 404)
