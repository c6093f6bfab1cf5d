"""Redeeming with a payment code: what is paid, what is refused, and that a code and a key work once."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from campaigns.domain.codes import CODES
from campaigns.domain.errors import Invalid, Refused, TryAgain
from campaigns.domain.ids import new_id
from campaigns.domain.terms.model import Cap, SpendAndSave, Step, Terms
from campaigns.gate.valkey import Gate, open_gate
from campaigns.services.clock import shift_clock
from campaigns.services.context import Context
from campaigns.services.paying import redeem
from campaigns.services.spending import ItemPart, TillSpend
from campaigns.store.locks import lock_campaign
from tests.support.payworld import STORED, PayWorld, asked, check_books, wait_for_campaign_lock

STEPS = SpendAndSave(steps=(Step(spend_fen=5_000, save_fen=1_000), Step(spend_fen=10_000, save_fen=3_000)))


@pytest.fixture
async def world(ctx: Context) -> PayWorld:
    return await PayWorld(ctx).start()


async def refusal_of(world: PayWorld, shop: UUID, spend: TillSpend) -> str:
    """Redeem, be refused, and leave no trace but the refusal; answers its code."""
    till = world.till(shop)
    before = [await world.count(table) for table in ("payment", "transfer", "usage_counter", "refusal")]
    with pytest.raises(Refused) as refused:
        await redeem(world.ctx, till, asked(till, spend), spend)
    after = [await world.count(table) for table in ("payment", "transfer", "usage_counter", "refusal")]
    assert after == [*before[:3], before[3] + 1]
    return refused.value.code


async def last_refusal(world: PayWorld) -> tuple[str, UUID | None]:
    async with world.ctx.pool.acquire() as connection:
        row = await connection.fetchrow("SELECT code, campaign_id FROM refusal ORDER BY id DESC LIMIT 1")
    return row["code"], row["campaign_id"]


async def test_a_redemption_pays_the_merchant_and_is_shown_without_the_voucher(world: PayWorld) -> None:
    campaign, person, shop = await world.campaign(), await world.person(), await world.merchant()
    voucher = await world.voucher(campaign, person, 5_000)
    till, spend = world.till(shop), await world.spend(person, 8_000)
    answer = await redeem(world.ctx, till, asked(till, spend), spend)
    assert (answer.state, answer.subsidy_fen, answer.own_fen, answer.captured_fen) == (
        "captured", 5_000, 3_000, 5_000,
    )  # fmt: skip
    assert [line.voucher_id for line in answer.lines] == [None]
    row = await world.row("voucher", voucher)
    assert (row["balance_fen"], row["captured_fen"], row["uses"]) == (0, 5_000, 1)
    async with world.ctx.pool.acquire() as connection:
        moves = await connection.fetch(
            "SELECT kind, debit_kind, credit_kind, credit_id, amount_fen FROM transfer WHERE cause_id = $1",
            answer.id,
        )
    assert [tuple(move) for move in moves] == [("redeem", "outstanding", "payable", shop, 5_000)]
    await check_books(world.ctx)


async def test_three_classes_stack_best_first_and_are_cut_at_the_basket_from_the_last(
    world: PayWorld,
) -> None:
    person, shop = await world.person(), await world.merchant()
    for name, face_fen in (("a", 4_000), ("b", 3_000), ("c", 2_000), ("d", 1_000)):
        campaign = await world.campaign(Terms(benefit=STORED, stacking_class=name))
        await world.voucher(campaign, person, face_fen)
        await world.voucher(campaign, person, face_fen - 500)
    till, spend = world.till(shop), await world.spend(person, 8_000)
    answer = await redeem(world.ctx, till, asked(till, spend), spend)
    assert [line.captured_fen for line in answer.lines] == [4_000, 3_000, 1_000]
    assert answer.own_fen == 0
    await check_books(world.ctx)


async def test_the_till_hears_no_fact_about_the_holder_but_the_true_reason_is_kept(world: PayWorld) -> None:
    shop, stranger, person = await world.merchant(), await world.person(), await world.person()
    campaign = await world.campaign(Terms(benefit=STORED, max_uses=1))
    await world.voucher(campaign, person, 5_000)
    assert await refusal_of(world, shop, await world.spend(stranger, 1_000)) == "not_usable_here"
    assert await last_refusal(world) == ("no_voucher", None)
    till, first = world.till(shop), await world.spend(person, 1_000)
    await redeem(world.ctx, till, asked(till, first), first)
    assert await refusal_of(world, shop, await world.spend(person, 1_000)) == "not_usable_here"
    assert await last_refusal(world) == ("uses_exhausted", campaign)
    assert CODES["not_usable_here"].public
    await check_books(world.ctx)


async def test_the_refusal_told_is_that_of_the_voucher_that_came_furthest(world: PayWorld) -> None:
    person, shop = await world.person(), await world.merchant()
    online = await world.campaign(Terms(benefit=STORED, channels=("online",), stacking_class="b"))
    steps = await world.campaign(Terms(benefit=STEPS))
    await world.voucher(online, person, 5_000)
    await world.voucher(steps, person, 5_000)
    assert await refusal_of(world, shop, await world.spend(person, 4_999)) == "below_minimum_spend"
    assert await last_refusal(world) == ("below_minimum_spend", steps)


async def test_items_of_excluded_categories_do_not_count(world: PayWorld) -> None:
    person, shop = await world.person(), await world.merchant()
    await world.voucher(await world.campaign(), person, 50_000)
    tobacco = (ItemPart(category="tobacco", amount_fen=7_000),)
    till, spend = world.till(shop), await world.spend(person, 10_000, items=tobacco)
    assert (await redeem(world.ctx, till, asked(till, spend), spend)).captured_fen == 3_000
    await check_books(world.ctx)


@pytest.mark.parametrize("state", ["paused", "suspended"])
async def test_a_campaign_that_is_not_open_pays_nothing(world: PayWorld, state: str) -> None:
    campaign, person, shop = await world.campaign(), await world.person(), await world.merchant()
    await world.voucher(campaign, person, 5_000)
    async with world.ctx.pool.acquire() as connection:
        await connection.execute("UPDATE campaign SET state = $2 WHERE id = $1", campaign, state)
    assert await refusal_of(world, shop, await world.spend(person, 1_000)) == "campaign_not_open"


async def test_a_switched_off_store_pays_nothing(world: PayWorld) -> None:
    person, shop = await world.person(), await world.merchant()
    await world.voucher(await world.campaign(), person, 5_000)
    async with world.ctx.pool.acquire() as connection:
        await connection.execute("UPDATE merchant SET active = false WHERE id = $1", shop)
    assert await refusal_of(world, shop, await world.spend(person, 1_000)) == "store_not_active"


async def test_unknown_foreign_and_expired_codes_get_one_answer(world: PayWorld) -> None:
    person, shop = await world.person(), await world.merchant()
    await world.voucher(await world.campaign(), person, 5_000)
    other = await PayWorld(world.ctx).start()
    foreign = await other.code(await other.person())
    late = await world.code(person)
    answers = []
    async with (
        world.ctx.pool.acquire() as connection
    ):  # past the code's minute and grace, whatever Valkey still says
        await connection.execute("UPDATE clock SET shift = shift + interval '75 seconds'")
    for code in ("775555555555555555", "not a code", foreign, late):
        till, spend = world.till(shop), TillSpend(basket_fen=1_000, payment_code=code)
        with pytest.raises(Refused) as refused:
            await redeem(world.ctx, till, asked(till, spend), spend)
        answers.append((refused.value.code, refused.value.status, refused.value.facts))
    assert answers == [("code_unknown", 404, {})] * 4


async def test_a_code_lives_through_its_grace(world: PayWorld) -> None:
    person, shop = await world.person(), await world.merchant()
    await world.voucher(await world.campaign(), person, 5_000)
    till, spend = world.till(shop), await world.spend(person, 1_000)
    async with world.ctx.pool.acquire() as connection:
        await connection.execute("UPDATE clock SET shift = shift + interval '70 seconds'")
    assert (await redeem(world.ctx, till, asked(till, spend), spend)).captured_fen == 1_000


async def test_only_the_newest_three_codes_of_a_person_live(world: PayWorld) -> None:
    person, shop = await world.person(), await world.merchant()
    await world.voucher(await world.campaign(), person, 5_000)
    codes = [await world.code(person) for _ in range(4)]
    till = world.till(shop)
    oldest = TillSpend(basket_fen=100, payment_code=codes[0])
    assert await refusal_of(world, shop, oldest) == "code_unknown"
    for code in codes[1:]:
        spend = TillSpend(basket_fen=100, payment_code=code)
        await redeem(world.ctx, till, asked(till, spend), spend)


async def test_a_code_pays_once_at_any_till(world: PayWorld) -> None:
    person, shops = await world.person(), [await world.merchant() for _ in range(8)]
    await world.voucher(await world.campaign(), person, 50_000)
    spend = await world.spend(person, 1_000)

    async def one(shop: UUID) -> str:
        till = world.till(shop)
        try:
            return (await redeem(world.ctx, till, asked(till, spend), spend)).state
        except Refused as refused:
            return refused.code

    outcomes = await asyncio.gather(*(one(shop) for shop in shops))
    assert sorted(outcomes) == ["captured", *["code_already_used"] * 7]
    await check_books(world.ctx)


async def test_a_used_code_is_told_as_used_even_when_nothing_is_left_to_spend(world: PayWorld) -> None:
    person, shop = await world.person(), await world.merchant()
    await world.voucher(await world.campaign(), person, 1_000)
    till, spend = world.till(shop), await world.spend(person, 1_000)
    await redeem(world.ctx, till, asked(till, spend), spend)
    assert await refusal_of(world, shop, spend) == "code_already_used"


async def test_a_payment_waits_for_a_campaign_that_is_being_paused(world: PayWorld) -> None:
    campaign, person, shop = await world.campaign(), await world.person(), await world.merchant()
    await world.voucher(campaign, person, 5_000)
    seq, spend = (await world.row("campaign", campaign))["seq"], await world.spend(person, 1_000)
    async with world.ctx.pool.acquire() as other, other.transaction():
        await lock_campaign(other, seq)
        waiting = asyncio.create_task(refusal_of(world, shop, spend))
        await wait_for_campaign_lock(world.ctx, waiting)
        await other.execute("UPDATE campaign SET state = 'paused' WHERE id = $1", campaign)
    assert await waiting == "campaign_not_open"


async def test_the_same_request_in_parallel_has_one_effect_and_one_answer(world: PayWorld) -> None:
    person, shop = await world.person(), await world.merchant()
    voucher = await world.voucher(await world.campaign(), person, 50_000)
    till, spend = world.till(shop), await world.spend(person, 1_000)
    request = asked(till, spend)
    answers = await asyncio.gather(*(redeem(world.ctx, till, request, spend) for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert (await world.row("voucher", voucher))["captured_fen"] == 1_000
    await shift_clock(world.ctx, timedelta(hours=1))  # the code is long over; the stored answer still stands
    assert await redeem(world.ctx, till, request, spend) == answers[0]
    other = TillSpend(basket_fen=1_001, payment_code=spend.payment_code)
    with pytest.raises(Invalid) as invalid:
        await redeem(world.ctx, till, asked(till, other, request.key), other)
    assert (invalid.value.code, invalid.value.status) == ("idempotency_key_reused", 422)
    await check_books(world.ctx)


async def test_a_refusal_is_repeated_under_its_key(world: PayWorld) -> None:
    person, shop = await world.person(), await world.merchant()
    till, spend = world.till(shop), await world.spend(person, 1_000)
    request = asked(till, spend)
    for _ in range(2):
        with pytest.raises(Refused, match="not_usable_here"):
            await redeem(world.ctx, till, request, spend)
        await world.voucher(await world.campaign(), person, 5_000)
    assert await world.count("refusal") == 1


async def test_one_voucher_at_many_tills_is_never_overspent(world: PayWorld) -> None:
    person, shops = await world.person(), [await world.merchant() for _ in range(12)]
    voucher = await world.voucher(await world.campaign(), person, 5_000)
    codes = [await world.spend(person, 1_000) for _ in range(3)]

    async def one(number: int) -> int:
        till, spend = world.till(shops[number]), codes[number % 3]
        try:
            return (await redeem(world.ctx, till, asked(till, spend), spend)).captured_fen
        except Refused:
            return 0

    paid = await asyncio.gather(*(one(number) for number in range(12)))
    assert sum(paid) == 3_000
    assert (await world.row("voucher", voucher))["balance_fen"] == 2_000
    await check_books(world.ctx)


@pytest.mark.parametrize(
    "cap",
    [
        Cap(scope="campaign", period="day", uses=3),
        Cap(scope="merchant", period="week", uses=3),
        Cap(scope="merchant", period="whole", amount_fen=3_000),
        Cap(scope="campaign", period="month", amount_fen=3_000),
    ],
)
async def test_a_cap_holds_at_its_boundary_in_parallel(world: PayWorld, cap: Cap) -> None:
    shop, campaign = await world.merchant(), await world.campaign(Terms(benefit=STORED, caps=(cap,)))
    people = [await world.person() for _ in range(10)]
    for person in people:
        await world.voucher(campaign, person, 5_000)
    spends = [await world.spend(person, 1_000) for person in people]
    till = world.till(shop)

    async def one(spend: TillSpend) -> str:
        try:
            return (await redeem(world.ctx, till, asked(till, spend), spend)).state
        except Refused as refused:
            return refused.code

    outcomes = await asyncio.gather(*(one(spend) for spend in spends))
    assert outcomes.count("captured") == 3
    assert outcomes.count(f"cap_reached_{cap.scope}_{cap.period}") == 7
    await check_books(world.ctx)


async def test_a_first_purchase_at_a_merchant_is_one(world: PayWorld) -> None:
    person, shop, second = await world.person(), await world.merchant(), await world.merchant()
    campaign = await world.campaign(Terms(benefit=STORED, first_purchase=True))
    await world.voucher(campaign, person, 5_000)
    till, spend = world.till(shop), await world.spend(person, 1_000)
    await redeem(world.ctx, till, asked(till, spend), spend)
    assert await refusal_of(world, shop, await world.spend(person, 1_000)) == "not_usable_here"
    assert await last_refusal(world) == ("first_purchase_only", campaign)
    till, spend = world.till(second), await world.spend(person, 1_000)
    assert (await redeem(world.ctx, till, asked(till, spend), spend)).captured_fen == 1_000
    await check_books(world.ctx)


async def test_the_holders_wallet_is_asked_for_where_terms_name_an_operator(world: PayWorld) -> None:
    person, shop = await world.person(), await world.merchant()
    campaign = await world.campaign(Terms(benefit=STORED, wallet_operators=("bank",)))
    await world.voucher(campaign, person, 5_000)
    assert await refusal_of(world, shop, await world.spend(person, 1_000)) == "not_usable_here"
    async with world.ctx.pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO wallet (id, person_id, operator_id, newly_opened, bound_at) VALUES ($1, $2, $3, true, now())",
            new_id(), person, world.operator_id,
        )  # fmt: skip
    till, spend = world.till(shop), await world.spend(person, 1_000)
    assert (await redeem(world.ctx, till, asked(till, spend), spend)).captured_fen == 1_000


async def test_without_valkey_nothing_happens_and_the_caller_may_try_again(world: PayWorld) -> None:
    person, shop = await world.person(), await world.merchant()
    await world.voucher(await world.campaign(), person, 5_000)
    spend, till = await world.spend(person, 1_000), world.till(shop)
    away: Gate = open_gate("redis://127.0.0.1:1/0")
    ctx = Context(pool=world.ctx.pool, gate=away, hmac_key=world.ctx.hmac_key, mode="test")
    request = asked(till, spend)
    with pytest.raises(TryAgain):
        await redeem(ctx, till, request, spend)
    assert (await redeem(world.ctx, till, request, spend)).captured_fen == 1_000
    assert (
        await redeem(ctx, till, request, spend)
    ).captured_fen == 1_000  # the stored answer comes before the code
    await away.close()


async def test_only_campaigns_that_may_pay_have_counters(world: PayWorld) -> None:
    person, shop = await world.person(), await world.merchant()
    capped = Terms(benefit=STORED, caps=(Cap(scope="campaign", period="day", uses=9),))
    live, paused = await world.campaign(capped), await world.campaign(capped)
    await world.voucher(live, person, 5_000)
    await world.voucher(paused, person, 9_000)
    async with world.ctx.pool.acquire() as connection:
        await connection.execute("UPDATE campaign SET state = 'paused' WHERE id = $1", paused)
    till, spend = world.till(shop), await world.spend(person, 1_000)
    await redeem(world.ctx, till, asked(till, spend), spend)
    async with world.ctx.pool.acquire() as connection:
        assert [row[0] for row in await connection.fetch("SELECT campaign_id FROM usage_counter")] == [live]
    await check_books(world.ctx)
