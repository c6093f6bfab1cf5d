"""Many acceptances in one batch: they see each other, refusals leave no trace, each award ends once, the books balance."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from campaigns.domain.errors import Broken, HongbaoError
from campaigns.domain.ids import new_id
from campaigns.gate.valkey import open_gate
from campaigns.runtime.engines import Databases, Engines
from campaigns.services.accept_batch import Accepted
from campaigns.services.accepting import accept_award
from campaigns.services.clock import set_clock
from campaigns.services.context import Context
from campaigns.services.lapsing import decline_award, lapse_awards
from campaigns.store.locks import lock_campaign
from campaigns.store.pool import open_pool
from campaigns.store.unit_of_work import request
from tests.support.draw_checks import check_books, open_acceptance, states
from tests.support.draw_world import DrawWorld, open_draw
from tests.support.payworld import wait_for_campaign_lock

Row = tuple[UUID, UUID]  # an award and its winner


@pytest.fixture
async def world(ctx: Context) -> DrawWorld:
    world = await open_draw(ctx, gold=40, quota=20, waitlist=40)
    await world.enter(await world.people(110))
    await world.award()
    await open_acceptance(ctx, world)
    return world


@pytest.fixture
async def second(ctx: Context, database: Databases, engines: Engines) -> AsyncIterator[Context]:
    """A server of its own on the same database."""
    pool, gate = await open_pool(database.app.dsn, size=8), open_gate(engines.redis_url)
    yield Context(pool=pool, gate=gate, hmac_key=ctx.hmac_key, mode="test")
    await gate.close()
    await pool.close()


async def live(owner: asyncpg.Connection, campaign_id: UUID | None = None) -> list[Row]:
    rows = await owner.fetch(
        "SELECT id, person_id FROM award WHERE state = 'live' AND ($1::uuid IS NULL OR campaign_id = $1)"
        " ORDER BY rank",
        campaign_id,
    )
    return [(row["id"], row["person_id"]) for row in rows]


def accept(ctx: Context, world: DrawWorld, row: Row, key: str = "") -> Any:
    award_id, person_id = row
    asked = request(person_id, key or str(new_id()), "accept", str(award_id))
    return accept_award(ctx, world.channel(person_id), asked, award_id)


def tally(ends: Sequence[Any]) -> Counter[str]:
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, HongbaoError):
            raise end
    return Counter(getattr(end, "code", None) or getattr(end, "state", "granted") for end in ends)


async def all_ends(*work: Any) -> list[Any]:
    return await asyncio.gather(*work, return_exceptions=True)


async def test_a_burst_takes_few_transactions_and_each_winner_has_one_voucher(
    ctx: Context, second: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    rows = await live(owner)
    before = await owner.fetchval("SELECT pg_current_xact_id()::text::bigint")
    ends = await all_ends(*(accept((ctx, second)[n % 2], world, row) for n, row in enumerate(rows * 3)))
    transactions = await owner.fetchval("SELECT pg_current_xact_id()::text::bigint") - before
    assert tally(ends) == {"granted": 45, "award_ended": 90} and transactions <= 16
    vouchers = {row["id"]: row for row in await owner.fetch("SELECT * FROM voucher")}
    granted = [end for end in ends if isinstance(end, Accepted)]
    assert {end.voucher_id for end in granted} == set(vouchers)
    for end in granted:
        row = vouchers[end.voucher_id]
        assert (row["face_fen"], row["granted_at"], row["expires_at"]) == (
            end.face_fen,
            end.granted_at,
            end.expires_at,
        )
        assert (end.award_id, row["person_id"]) in rows
    assert await owner.fetchval("SELECT count(*) FROM idempotency WHERE status = 409") == 90
    await check_books(ctx, owner)


async def test_equal_keys_at_two_servers_have_one_answer(
    ctx: Context, second: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    row = (await live(owner))[0]
    ends = await all_ends(*(accept((ctx, second)[n % 2], world, row, "k") for n in range(60)))
    assert len({end.voucher_id for end in ends}) == 1
    assert await owner.fetchval("SELECT count(*) FROM voucher") == 1


async def test_refusals_of_all_kinds_leave_the_others_of_their_batch_alone(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    other = await open_draw(
        ctx, code="other-draw", office=world.office, gold=4, quota=2, waitlist=0
    )  # its acceptance has not begun
    await other.enter(await other.people(12))
    await owner.execute("UPDATE campaign SET acceptance_start = NULL WHERE id = $1", world.campaign_id)
    await other.award()
    rows, early = await live(owner, world.campaign_id), await live(owner, other.campaign_id)
    await owner.execute("UPDATE award SET accept_until = campaign_now() WHERE id = $1", rows[0][0])
    await decline_award(ctx, world.channel(rows[1][1]), None, rows[1][0])
    stranger = (rows[2][0], rows[3][1])
    ends = await all_ends(
        *(accept(ctx, world, row) for row in rows[:20]),
        *(accept(ctx, other, row) for row in early),
        accept(ctx, world, stranger),
        accept(ctx, world, (new_id(), rows[3][1])),
    )
    assert tally(ends) == {
        "granted": 18, "acceptance_over": 1, "award_ended": 1, "acceptance_not_open": 9, "not_found": 2,
    }  # fmt: skip
    await check_books(ctx, owner)


async def test_an_award_that_lapsed_and_the_one_that_follows_it_in_one_batch(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    row = (await live(owner))[0]
    await decline_award(ctx, world.channel(row[1]), None, row[0])
    allotment = await owner.fetchval("SELECT allotment_id FROM award WHERE id = $1", row[0])
    both = await owner.fetch("SELECT id, person_id FROM award WHERE allotment_id = $1", allotment)
    ends = await all_ends(*(accept(ctx, world, (one["id"], one["person_id"])) for one in both))
    assert tally(ends) == {"granted": 1, "award_ended": 1}
    await check_books(ctx, owner)


@pytest.mark.parametrize("broken", ["granted allotment", "second voucher"])
async def test_an_over_issue_fails_alone_and_stops_its_campaign_only(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection, broken: str
) -> None:
    other = await open_draw(ctx, code="other-draw", office=world.office, gold=4, quota=2, waitlist=0)
    await other.enter(await other.people(12))
    await other.award()
    await open_acceptance(ctx, other)
    await owner.execute(
        "UPDATE campaign SET acceptance_end = $1, state = 'published'", other.times[3] + timedelta(days=1)
    )
    await owner.execute("UPDATE award SET accept_until = $1", other.times[3])
    rows, good = await live(owner, world.campaign_id), await live(owner, other.campaign_id)
    (bad,) = rows[:1]
    if broken == "granted allotment":
        await owner.execute(
            "UPDATE allotment SET state = 'granted' WHERE id = (SELECT allotment_id FROM award WHERE id = $1)", bad[0]
        )  # fmt: skip
    else:
        await accept(ctx, world, rows[1])
        await owner.execute("ALTER TABLE voucher DISABLE TRIGGER USER")
        await owner.execute(
            "UPDATE voucher SET allotment_id = (SELECT allotment_id FROM award WHERE id = $1)", bad[0]
        )
    ends = await all_ends(accept(ctx, world, bad), *(accept(ctx, other, row) for row in good))
    assert isinstance(ends[0], Broken)
    assert ends[0].facts == {"invariant": 1, "campaign_id": str(world.campaign_id)}
    assert tally(ends[1:]) == {"granted": 9}
    assert dict(await owner.fetch("SELECT id, state FROM campaign")) == {
        world.campaign_id: "suspended",
        other.campaign_id: "published",
    }
    assert await owner.fetchval("SELECT state FROM award WHERE id = $1", bad[0]) == "live"


async def test_acceptances_declines_and_lapses_at_two_servers_end_each_award_once(
    ctx: Context, second: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    rows = await live(owner)
    due = [award for award, _ in rows[::3]]
    await owner.execute("UPDATE award SET accept_until = campaign_now() WHERE id = ANY ($1)", due[:8])
    await owner.execute(
        "UPDATE award SET accept_until = campaign_now() + interval '20 ms' WHERE id = ANY ($1)", due[8:]
    )
    programme_id = world.office.programme_id
    acts: list[Any] = []
    for number, row in enumerate(rows):
        one, two = (ctx, second) if number % 2 else (second, ctx)
        acts += [accept(one, world, row), accept(two, world, row)]
        if number % 5 == 0:
            acts.append(decline_award(two, world.channel(row[1]), None, row[0]))
        if number % 7 == 0:
            acts.append(lapse_awards(one, programme_id, world.campaign_id, 4))
    ends = await all_ends(*acts)
    made = tally([end for end in ends if not isinstance(end, int)])
    lapsed = sum(end for end in ends if isinstance(end, int))
    assert set(made) <= {"granted", "declined", "award_ended", "acceptance_over"}
    now = await states(owner, "award")
    assert (now.get("granted", 0), now.get("declined", 0), now.get("lapsed", 0)) == (
        made["granted"],
        made["declined"],
        lapsed,
    )
    assert made["granted"] >= 20 and now["live"] >= 1, "and who waited has the places given up"
    assert await owner.fetchval("SELECT count(*) FROM voucher") == made["granted"]
    await check_books(ctx, owner)


async def test_a_campaign_held_alone_stops_its_own_acceptances_and_no_others(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    other = await open_draw(ctx, code="other-draw", office=world.office, gold=4, quota=2, waitlist=0)
    await other.enter(await other.people(12))
    await other.award()
    await set_clock(ctx, other.times[2])
    await owner.execute("UPDATE award SET accept_until = $1", other.times[3])
    async with owner.transaction():
        seq = await owner.fetchval("SELECT seq FROM campaign WHERE id = $1", world.campaign_id)
        await lock_campaign(owner, seq)
        late = [asyncio.create_task(accept(ctx, world, row)) for row in await live(owner, world.campaign_id)]
        await wait_for_campaign_lock(ctx, late[0])
        ends = await all_ends(*(accept(ctx, other, row) for row in await live(owner, other.campaign_id)))
        assert tally(ends) == {"granted": 9} and not any(task.done() for task in late)
    assert tally(await asyncio.gather(*late)) == {"granted": 45}
    await check_books(ctx, owner)
