"""A crowd of tills, holders and sweeps on few vouchers and shared caps: nobody deadlocks and the books balance."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from uuid import UUID

from campaigns.domain.errors import Refused
from campaigns.domain.terms.model import Cap, Terms
from campaigns.services.capturing import Capture, capture, void
from campaigns.services.context import Context
from campaigns.services.paying import authorize, redeem
from campaigns.services.refunding import Refund, refund, undo
from campaigns.services.sweeping import sweep
from tests.support.payworld import STORED, PayWorld, asked, check_books

WORKERS = 14
ROUNDS = 25
CAPS = (
    Cap(scope="campaign", period="day", amount_fen=150_000),
    Cap(scope="merchant", period="week", uses=500),
    Cap(scope="person_merchant", period="whole", uses=60),
)


async def test_a_crowd_of_verbs_on_few_vouchers(ctx: Context) -> None:
    world = await PayWorld(ctx).start()
    campaigns = [
        await world.campaign(Terms(benefit=STORED, caps=CAPS, stacking_class=name, hold_seconds=60))
        for name in ("a", "b", "c")
    ]
    people, shops = [await world.person() for _ in range(3)], [await world.merchant() for _ in range(2)]
    ends = await world.now() + timedelta(seconds=300)
    for person in people:
        for campaign in campaigns:
            await world.voucher(campaign, person, 40_000)
            await world.voucher(campaign, person, 3_000, ends)
    payments: list[tuple[UUID, UUID]] = []
    outcomes: Counter[str] = Counter()

    async def one(choice: random.Random) -> None:
        shop = choice.choice(shops)
        till, verb = (
            world.till(shop),
            choice.choice(("redeem", "authorize", "capture", "void", "undo", "refund", "sweep")),
        )
        if verb == "sweep":
            if choice.random() < 0.3:
                async with ctx.pool.acquire() as connection:
                    await connection.execute("UPDATE clock SET shift = shift + interval '10 seconds'")
            await sweep(ctx)
        elif verb in ("redeem", "authorize") or not payments:
            spend = await world.spend(choice.choice(people), choice.randint(1, 9_000))
            pay = redeem if verb == "redeem" else authorize
            payments.append(((await pay(ctx, till, asked(till, spend), spend)).id, shop))
        else:
            payment_id, shop = choice.choice(payments[-12:])
            till = world.till(shop)
            if verb == "capture":
                await capture(
                    ctx, till, asked(till, 1), payment_id, Capture(basket_fen=choice.randint(1, 3_000))
                )
            elif verb == "refund":
                await refund(
                    ctx, till, asked(till, 1), payment_id, Refund(returned_goods_fen=choice.randint(1, 2_000))
                )
            else:
                await (void if verb == "void" else undo)(ctx, till, asked(till, 1), payment_id)
        outcomes[verb] += 1

    async def worker(number: int) -> None:
        choice = random.Random(number)
        for _ in range(ROUNDS):
            try:
                await one(choice)
            except Refused as refused:  # TryAgain, the answer to a deadlock, would fail the test
                outcomes[refused.code] += 1

    await asyncio.gather(*(worker(number) for number in range(WORKERS)))
    assert all(outcomes[verb] > 5 for verb in ("redeem", "authorize", "capture", "void", "undo", "refund")), (
        outcomes
    )
    await check_books(ctx)
