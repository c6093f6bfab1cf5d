"""The sweep: bounded batches that pass by what is locked, run in parallel, and the end of stored answers."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from campaigns.domain.errors import Broken
from campaigns.domain.ids import new_id
from campaigns.domain.terms.model import Cap, Terms
from campaigns.runtime.engines import Databases
from campaigns.services import sweeping
from campaigns.services.capturing import Capture, capture, void
from campaigns.services.context import Context
from campaigns.services.paying import authorize
from campaigns.services.sweeping import retain_keys, sweep
from tests.support.paychecks import let_pass
from tests.support.payworld import STORED, PayWorld, asked, check_books

CAPPED = Terms(benefit=STORED, caps=(Cap(scope="campaign", period="day", uses=1_000),))


@pytest.fixture
async def world(ctx: Context) -> PayWorld:
    return await PayWorld(ctx).start()


async def hold_many(world: PayWorld, count: int) -> list[UUID]:
    campaign, till = await world.campaign(CAPPED), world.till(await world.merchant())
    ids = []
    for _ in range(count):
        person = await world.person()
        await world.voucher(campaign, person, 1_000)
        spend = await world.spend(person, 600)
        ids.append((await authorize(world.ctx, till, asked(till, spend), spend)).id)
    return ids


async def test_sweeps_in_parallel_end_each_hold_and_voucher_once_in_several_batches(
    world: PayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "HOLDS_PER_BATCH", 4)
    monkeypatch.setattr(sweeping, "VOUCHERS_PER_BATCH", 4)
    await hold_many(world, 11)
    await let_pass(world, timedelta(days=31))
    swept = await asyncio.gather(*(sweep(world.ctx) for _ in range(4)))
    again = await sweep(world.ctx)  # what one sweep passed by because another held it
    assert sum(one.holds for one in swept) + again.holds == 11
    assert sum(one.vouchers for one in swept) + again.vouchers == 11
    async with world.ctx.pool.acquire() as connection:
        rows = await connection.fetch(
            "SELECT DISTINCT state, balance_fen, held_fen, taken_back_fen, uses FROM voucher"
        )
        assert [tuple(row) for row in rows] == [("expired", 0, 0, 1_000, 0)]
    await check_books(world.ctx)


async def test_a_sweep_passes_by_what_somebody_holds(world: PayWorld) -> None:
    first, second = await hold_many(world, 2)
    await let_pass(world, timedelta(seconds=600))
    async with world.ctx.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM payment WHERE id = $1 FOR UPDATE", first)
        assert (await sweep(world.ctx)).holds == 1
        assert (await world.row("payment", second))["state"] == "expired"
        assert (await world.row("payment", first))["state"] == "held"
    async with world.ctx.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM voucher FOR UPDATE")
        assert (await sweep(world.ctx)).holds == 0
    assert (await sweep(world.ctx)).holds == 1
    await check_books(world.ctx)


@pytest.mark.parametrize("verb", ["capture", "void", "sweep"])
async def test_a_voucher_that_holds_less_than_its_payment_stops_the_campaign(
    world: PayWorld, owner: asyncpg.Connection, verb: str
) -> None:
    [payment_id] = await hold_many(world, 1)
    [other_id] = await hold_many(world, 1)
    till = world.till((await world.row("payment", payment_id))["merchant_id"])
    await owner.execute(
        "UPDATE voucher SET held_fen = held_fen - 1, balance_fen = balance_fen + 1"
        " WHERE id = (SELECT voucher_id FROM payment_line WHERE payment_id = $1)",
        payment_id,
    )
    before = await world.count("transfer")
    if verb == "sweep":
        await let_pass(world, timedelta(seconds=600))
    with pytest.raises(Broken, match="invariant"):
        if verb == "capture":
            await capture(world.ctx, till, asked(till, 1), payment_id, Capture())
        elif verb == "void":
            await void(world.ctx, till, asked(till, 1), payment_id)
        else:
            await sweep(world.ctx)
    assert await world.count("transfer") == before
    query = (
        "SELECT state FROM campaign WHERE id = (SELECT campaign_id FROM payment_line WHERE payment_id = $1)"
    )
    assert await owner.fetchval(query, payment_id) == "suspended"
    assert await owner.fetchval(query, other_id) == "published"
    if verb == "sweep":  # it leaves a suspended campaign to the people who look, and goes on with the others
        assert (await sweep(world.ctx)).holds == 1
    await let_pass(world, timedelta(days=31))
    await sweep(world.ctx)
    assert (await world.row("payment", payment_id))["state"] == "held"
    assert (await world.row("payment", other_id))["state"] == "expired"


async def test_stored_answers_end_after_400_days_or_72_hours(
    world: PayWorld, database: Databases, owner: asyncpg.Connection
) -> None:
    ages = {(True, 399): True, (True, 401): False, (False, 2): True, (False, 4): False}
    for effect, days in ages:
        await owner.execute(
            "INSERT INTO idempotency (principal_id, key_digest, fingerprint, status, body, effect, at)"
            " VALUES ($1, $2, $2, 200, '', $3, clock_timestamp() - make_interval(days => $4))",
            new_id(), new_id().bytes, effect, days,
        )  # fmt: skip
    sweeper = await asyncpg.connect(database.sweeper.dsn)
    try:
        assert await retain_keys(sweeper) == 2
        assert await retain_keys(sweeper) == 0
    finally:
        await sweeper.close()
    left = await owner.fetch(
        "SELECT effect, round(extract(epoch FROM clock_timestamp() - at) / 86400)::int FROM idempotency"
    )
    assert {tuple(row) for row in left} == {key for key, kept in ages.items() if kept}
