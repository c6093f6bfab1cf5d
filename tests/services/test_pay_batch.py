"""Many payments in one batch: they see each other, refusals leave no trace, limits are exact, and the books balance."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from campaigns.domain.errors import Broken, HongbaoError, Refused
from campaigns.domain.ids import new_id
from campaigns.domain.payments import Books
from campaigns.domain.terms.model import Cap, Terms
from campaigns.gate.valkey import open_gate
from campaigns.runtime.engines import Databases, Engines
from campaigns.services.capturing import Capture, capture, void
from campaigns.services.context import Context
from campaigns.services.paying import authorize, redeem
from campaigns.services.payment_batch import PaymentBatch
from campaigns.services.payment_plans import Pay
from campaigns.services.refunding import Refund, refund, undo
from campaigns.services.refusing import attempt_of
from campaigns.store.group_batch import Failed, Overtaken
from campaigns.store.pool import open_pool
from tests.support.payworld import STORED, PayWorld, asked, check_books

CAPPED = Terms(benefit=STORED, caps=(Cap(scope="merchant", period="day", uses=120),))


@pytest.fixture
async def world(ctx: Context) -> PayWorld:
    return await PayWorld(ctx).start()


@pytest.fixture
async def second(database: Databases, engines: Engines, world: PayWorld) -> AsyncIterator[Context]:
    """A server of its own on the same database."""
    pool, gate = await open_pool(database.app.dsn, size=8), open_gate(engines.redis_url)
    yield Context(pool=pool, gate=gate, hmac_key=world.ctx.hmac_key, mode="test")
    await gate.close()
    await pool.close()


async def outcomes(*work: Any) -> Counter[str]:
    """How the requests ended, all begun at once: state or code."""
    ends = await asyncio.gather(*work, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, HongbaoError):
            raise end
    return Counter(str(getattr(end, "code", None) or getattr(end, "state", "done")) for end in ends)


async def holders(world: PayWorld, campaign: UUID, count: int, face_fen: int = 5_000) -> list[UUID]:
    people = [await world.person() for _ in range(count)]
    for person in people:
        await world.voucher(campaign, person, face_fen)
    return people


async def hold(world: PayWorld, person: UUID, shop: UUID, basket_fen: int) -> UUID:
    holder, spend = world.holder(person), world.at_counter(shop, basket_fen)
    return (await authorize(world.ctx, holder, asked(holder, spend), spend)).id


async def test_payments_on_one_voucher_in_one_batch_see_each_other(world: PayWorld) -> None:
    person, shops = await world.person(), [await world.merchant() for _ in range(5)]
    voucher = await world.voucher(await world.campaign(), person, 7_500)
    holder = world.holder(person)

    def one(number: int) -> Any:
        spend = world.at_counter(shops[number % 5], 1_000)
        return authorize(world.ctx, holder, asked(holder, spend), spend)

    ends = await asyncio.gather(*(one(number) for number in range(40)), return_exceptions=True)
    held = [end.lines[0].authorized_fen for end in ends if not isinstance(end, BaseException)]
    assert sorted(held) == [500] + [1_000] * 7
    assert {end.code for end in ends if isinstance(end, Refused)} == {"balance_too_small"}
    row = await world.row("voucher", voucher)
    assert (row["balance_fen"], row["held_fen"], row["uses"]) == (0, 7_500, 8)
    await check_books(world.ctx)


async def test_a_batch_of_many_payments_takes_few_transactions(world: PayWorld) -> None:
    shops = [await world.merchant() for _ in range(6)]
    people = await holders(world, await world.campaign(), 120)
    spends = [await world.spend(person, 1_000) for person in people]
    async with world.ctx.pool.acquire() as connection:
        before = await connection.fetchval("SELECT pg_current_xact_id()::text::bigint")
        tills = [world.till(shops[number % 6]) for number in range(120)]
        ends = await outcomes(
            *(redeem(world.ctx, t, asked(t, s), s) for t, s in zip(tills, spends, strict=True))
        )
        after = await connection.fetchval("SELECT pg_current_xact_id()::text::bigint")
    assert ends == {"captured": 120} and after - before <= 10
    await check_books(world.ctx)


@pytest.mark.parametrize("scope", ["merchant", "campaign"])
async def test_a_cap_is_exact_with_200_at_once_at_two_servers(
    world: PayWorld, second: Context, scope: Any
) -> None:
    caps = (Cap(scope=scope, period="day", uses=120), Cap(scope=scope, period="whole", amount_fen=100_500))
    shop = await world.merchant()
    people = await holders(world, await world.campaign(Terms(benefit=STORED, caps=caps)), 200)
    spends = [await world.spend(person, 1_000) for person in people]
    till = world.till(shop)
    ends = await outcomes(
        *(redeem((world.ctx, second)[n % 2], till, asked(till, s), s) for n, s in enumerate(spends))
    )
    assert ends == {"captured": 101, f"cap_reached_{scope}_whole": 99}
    async with world.ctx.pool.acquire() as connection:
        paid = await connection.fetchval("SELECT sum(captured_fen) FROM payment")
        assert paid == 100_500
        assert await connection.fetchval("SELECT count(*) FROM refusal") == 99
    await check_books(world.ctx)


async def test_control_without_copies_or_order_the_cap_would_not_hold(
    world: PayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each payment decided over the counters as they were read: the invariant, not an error, tells."""
    monkeypatch.setattr(Books, "take", _take_without_counters)
    shop = await world.merchant()
    people = await holders(world, await world.campaign(CAPPED), 130)
    spends = [await world.spend(person, 1_000) for person in people]
    till = world.till(shop)
    assert await outcomes(*(redeem(world.ctx, till, asked(till, s), s) for s in spends)) == {"captured": 130}
    with pytest.raises(AssertionError):
        await check_books(world.ctx)


def _take_without_counters(books: Books, part: Books) -> None:
    books.vouchers.update(part.vouchers)
    books.new_payments += part.new_payments
    books.transfers += part.transfers


async def test_100_equal_keys_have_one_effect_and_one_answer(world: PayWorld, second: Context) -> None:
    shop = await world.merchant()
    (person,) = await holders(world, await world.campaign(), 1)
    till, spend = world.till(shop), await world.spend(person, 1_000)
    request = asked(till, spend)
    answers = await asyncio.gather(
        *(redeem((world.ctx, second)[n % 2], till, request, spend) for n in range(100))
    )
    assert all(answer == answers[0] for answer in answers)
    assert await world.count("payment") == 1
    await check_books(world.ctx)


async def test_one_code_at_100_tills_of_two_servers_pays_once(world: PayWorld, second: Context) -> None:
    shops = [await world.merchant() for _ in range(20)]
    (person,) = await holders(world, await world.campaign(), 1)
    spend = await world.spend(person, 100)
    ends = await outcomes(
        *(
            redeem(
                (world.ctx, second)[n % 2],
                world.till(shops[n % 20]),
                asked(world.till(shops[n % 20]), n),
                spend,
            )
            for n in range(100)
        )
    )
    assert ends == {"captured": 1, "code_already_used": 99}
    await check_books(world.ctx)


async def test_refusals_of_all_kinds_leave_the_others_of_their_batch_alone(world: PayWorld) -> None:
    shop, closed_shop = await world.merchant(), await world.merchant()
    campaign = await world.campaign(Terms(benefit=STORED, min_spend_fen=500))
    people = await holders(world, campaign, 30)
    async with world.ctx.pool.acquire() as connection:
        await connection.execute("UPDATE merchant SET active = false WHERE id = $1", closed_shop)
    till, closed = world.till(shop), world.till(closed_shop)
    good = [await world.spend(person, 1_000) for person in people[:20]]
    small = [await world.spend(person, 400) for person in people[:5]]
    elsewhere = [await world.spend(person, 1_000) for person in people[20:25]]
    strangers = [await world.spend(await world.person(), 1_000) for _ in range(5)]
    unknown = [type(good[0])(basket_fen=1_000, payment_code="775555555555555555") for _ in range(3)]
    work = [
        redeem(world.ctx, till, asked(till, spend), spend) for spend in (*good, *small, *strangers, *unknown)
    ]
    work += [redeem(world.ctx, closed, asked(closed, spend), spend) for spend in elsewhere]
    work += [capture(world.ctx, till, asked(till, n), new_id(), Capture()) for n in range(4)]
    random.Random(3).shuffle(work)
    ends = await outcomes(*work)
    assert ends == {
        "captured": 20, "below_minimum_spend": 5, "not_usable_here": 5, "code_unknown": 3, "store_not_active": 5,
        "not_found": 4,
    }  # fmt: skip
    assert await world.count("refusal") == 22
    assert await world.count("payment") == 20
    await check_books(world.ctx)


async def test_a_capture_a_void_and_an_undo_of_one_payment_in_one_batch(world: PayWorld) -> None:
    shop = await world.merchant()
    people = await holders(world, await world.campaign(CAPPED), 12)
    till = world.till(shop)
    for person in people:
        payment = await hold(world, person, shop, 2_000)
        work = [
            capture(world.ctx, till, asked(till, 1), payment, Capture(basket_fen=1_500)),
            void(world.ctx, till, asked(till, 2), payment),
            capture(world.ctx, till, asked(till, 3), payment, Capture()),
            undo(world.ctx, till, asked(till, 4), payment),
        ]
        ends = await outcomes(*work)
        row = await world.row("payment", payment)
        assert ends["wrong_state"] in (2, 3) and row["state"] in ("undone", "voided", "captured")
    await check_books(world.ctx)


async def test_refunds_of_one_payment_in_one_batch_never_give_more_than_was_paid(world: PayWorld) -> None:
    shop = await world.merchant()
    (person,) = await holders(world, await world.campaign(CAPPED), 1)
    till, spend = world.till(shop), await world.spend(person, 3_000)
    payment = (await redeem(world.ctx, till, asked(till, spend), spend)).id
    one = Refund(returned_goods_fen=400)
    ends = await outcomes(*(refund(world.ctx, till, asked(till, n), payment, one) for n in range(20)))
    assert ends == {"done": 7, "refund_too_large": 13}
    row = await world.row("payment", payment)
    assert (row["refunded_fen"], row["returned_goods_fen"]) == (2_800, 2_800)
    await check_books(world.ctx)


async def test_payments_captures_and_refunds_of_many_mix_in_a_batch(world: PayWorld, second: Context) -> None:
    shops = [await world.merchant() for _ in range(4)]
    campaigns = [await world.campaign(Terms(benefit=STORED, stacking_class=name)) for name in ("a", "b")]
    people = await holders(world, campaigns[0], 10, 50_000)
    for person in people:
        await world.voucher(campaigns[1], person, 1_000)
    choice = random.Random(11)
    payments: list[tuple[UUID, UUID]] = []
    for _ in range(40):
        shop = choice.choice(shops)
        payments.append((await hold(world, choice.choice(people), shop, choice.randint(1, 2_000)), shop))

    async def one(number: int) -> Any:
        ctx = (world.ctx, second)[number % 2]
        payment, shop = choice.choice(payments)
        till = world.till(shop)
        match number % 5:
            case 0:
                spend = await world.spend(choice.choice(people), choice.randint(1, 2_000))
                return await redeem(ctx, till, asked(till, spend), spend)
            case 1:
                return await capture(ctx, till, asked(till, 1), payment, Capture())
            case 2:
                return await void(ctx, till, asked(till, 1), payment)
            case 3:
                return await refund(ctx, till, asked(till, 1), payment, Refund(returned_goods_fen=100))
            case _:
                return await undo(ctx, till, asked(till, 1), payment)

    ends = await outcomes(*(one(number) for number in range(300)))
    assert ends["captured"] > 20 and ends["voided"] > 2 and ends["wrong_state"] > 20 and "busy" not in ends
    await check_books(world.ctx)


async def test_a_voucher_whose_row_is_broken_stops_its_campaign_and_no_other_payment(world: PayWorld) -> None:
    shop, campaign = await world.merchant(), await world.campaign()
    people = await holders(world, campaign, 6)
    payments = [await hold(world, person, shop, 1_000) for person in people]
    async with world.ctx.pool.acquire() as connection:  # the line says more than its voucher holds
        await connection.execute(
            "UPDATE voucher SET held_fen = 500, balance_fen = 4500 WHERE person_id = $1", people[2]
        )
    till = world.till(shop)
    ends = await asyncio.gather(
        *(void(world.ctx, till, asked(till, n), one) for n, one in enumerate(payments)),
        return_exceptions=True,
    )
    assert [isinstance(end, Broken) for end in ends] == [n == 2 for n in range(6)]
    assert [getattr(end, "state", "") for end in ends].count("voided") == 5
    assert (await world.row("campaign", campaign))["state"] == "suspended"
    assert (await world.row("payment", payments[2]))["state"] == "held"


async def test_a_run_that_was_rolled_back_leaves_no_reason_behind(world: PayWorld) -> None:
    """A payment is refused, its batch is overtaken, and it runs again and pays: no refusal is on record."""
    campaign, shop = await world.campaign(), await world.merchant()
    person = await world.person()
    till, spend = world.till(shop), await world.spend(person, 1_000)
    plan = Pay(principal=till, spend=spend, at_once=True, attempt=attempt_of("redeem", till))
    batch = PaymentBatch(world.ctx.gate, world.ctx.terms)
    async with world.ctx.pool.acquire() as connection:
        rolled_back = connection.transaction()
        await rolled_back.__aenter__()
        (end,) = await batch(connection, [plan])
        assert isinstance(end, Failed) and plan.attempt.denial is not None
        await rolled_back.__aexit__(Overtaken, Overtaken(), None)
        await world.voucher(campaign, person, 5_000)
        async with connection.transaction():
            (end,) = await batch(connection, [plan])
    assert not isinstance(end, Failed) and plan.attempt.denial is None
    assert await world.count("refusal") == 0
    await check_books(world.ctx)
