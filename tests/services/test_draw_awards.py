"""Publication: winners get awards as published, once, whenever a run is cut off; ticks are accepted at once."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from campaigns.domain.errors import Refused
from campaigns.runtime.engines import Databases
from campaigns.services import awarding
from campaigns.services.accepting import grant_chunk, grant_ticked
from campaigns.services.awarding import award_draw
from campaigns.services.ceremony import make_draw, rehearse_beacon
from campaigns.services.clock import set_clock
from campaigns.services.context import Context
from campaigns.services.draw_answer import read_draw_file
from campaigns.services.exporting import export_draw
from campaigns.services.lapsing import lapse_awards, sweep_awards
from campaigns.store.pool import open_pool
from campaigns.store.unit_of_work import request
from lottery.verification import verify_directory
from tests.support.draw_checks import awards, check_books, states
from tests.support.draw_world import DrawWorld, open_draw


@pytest.fixture
async def world(ctx: Context) -> DrawWorld:
    return await open_draw(ctx)


async def test_winners_get_awards_as_published(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    await world.enter(await world.people(60))
    draw_id = await world.award()
    folder = await export_draw(ctx, draw_id, tmp_path)
    assert verify_directory(folder, allow_rehearsal=True) == []
    published = [line.split(",") for line in (folder / "winners.csv").read_text().splitlines()]
    rows = await owner.fetch(
        "SELECT a.rank, e.code, e.stratum, a.tier, l.face_fen, l.state FROM award a"
        " JOIN entry e ON e.id = a.entry_id JOIN allotment l ON l.id = a.allotment_id ORDER BY a.rank"
    )
    assert [[str(row["rank"]), row["stratum"], row["code"]] for row in rows] == [
        [rank, stratum, code] for rank, _, stratum, code, _ in published
    ]
    tiers = {"gold": {"370124": 1, "370102": 2}, "luck": {"370124": 3, "370102": 3}}
    assert [row["tier"] for row in rows] == [tiers[name][stratum] for _, name, stratum, _, _ in published]
    assert [sum(row["tier"] == tier for row in rows) for tier in (1, 2, 3)] == [6, 4, 5]
    assert sum(row["face_fen"] for row in rows if row["tier"] == 3) == 5_000
    assert {row["face_fen"] for row in rows if row["tier"] != 3} == {2_000}
    assert {row["state"] for row in rows} == {"awarded"}
    assert await states(owner, "draw") == {"awarded": 1}
    assert await owner.fetchval("SELECT count(*) FROM waitlist WHERE taken_at IS NULL") == 10
    await check_books(ctx, owner)


async def test_who_ticked_has_the_voucher_at_once(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    people = await world.people(15)
    await world.enter(people, ticked=9)
    await world.award()
    ticked = await owner.fetchval(
        "SELECT count(*) FROM award a JOIN entry e ON e.id = a.entry_id WHERE e.accept_if_won"
    )
    assert 0 < ticked < 15
    assert await states(owner, "award") == {"granted": ticked, "live": await awards(owner) - ticked}
    assert await owner.fetchval("SELECT count(*) FROM voucher") == ticked
    await check_books(ctx, owner)


async def test_a_draw_is_awarded_once(ctx: Context, world: DrawWorld, owner: asyncpg.Connection) -> None:
    await world.enter(await world.people(40))
    draw_id = await world.draw()
    answers = await asyncio.gather(
        *(award_draw(ctx, world.office.drawer, None, draw_id) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(a, Refused) and a.code == "wrong_state" for a in answers) == 3
    assert await awards(owner) == 15
    await check_books(ctx, owner)


async def test_a_run_cut_off_goes_on(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.enter(await world.people(30), ticked=30)
    draw_id = await world.draw()

    async def killed(*_: object) -> int:
        raise ConnectionError("killed after the awards")

    asked = request(world.office.drawer.id, "award-1", "award", None)
    monkeypatch.setattr(awarding, "grant_ticked", killed)
    with pytest.raises(ConnectionError):
        await award_draw(ctx, world.office.drawer, asked, draw_id)
    assert await states(owner, "award") == {"live": 15}
    programme_id = world.office.programme_id
    assert await grant_chunk(ctx, programme_id, world.campaign_id, 6) == 6
    assert await states(owner, "award") == {"granted": 6, "live": 9}
    await check_books(ctx, owner)
    monkeypatch.setattr(awarding, "grant_ticked", grant_ticked)
    await award_draw(ctx, world.office.drawer, asked, draw_id)
    assert await states(owner, "award") == {"granted": 15}
    assert await owner.fetchval("SELECT count(*) FROM voucher") == 15
    assert await sweep_awards(ctx) == 0
    await check_books(ctx, owner)


async def test_awards_stand_when_the_acceptances_after_them_must_wait(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection, database: Databases
) -> None:
    await world.enter(await world.people(30), ticked=30)
    draw_id = await world.draw()
    hasty = await open_pool(database.app.dsn, size=4, lock_timeout_ms=200)
    async with owner.transaction():
        await owner.execute("LOCK TABLE voucher IN EXCLUSIVE MODE")
        answer = await award_draw(replace(ctx, pool=hasty), world.office.drawer, None, draw_id)
    assert answer.state == "awarded"
    assert await states(owner, "award") == {"live": 15}
    assert await sweep_awards(ctx) == 15
    await hasty.close()
    await check_books(ctx, owner)


async def test_the_sweep_takes_up_ticks_left_over(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.enter(await world.people(30), ticked=30)
    draw_id = await world.draw()

    async def nothing(*_: object) -> int:
        return 0

    monkeypatch.setattr(awarding, "grant_ticked", nothing)
    await award_draw(ctx, world.office.drawer, None, draw_id)
    await set_clock(ctx, world.times[3] + timedelta(hours=1))
    assert await lapse_awards(ctx, world.office.programme_id, world.campaign_id) == 0
    moved = await asyncio.gather(*(sweep_awards(ctx) for _ in range(3)))
    assert sum(moved) == 15
    assert await states(owner, "award") == {"granted": 15}
    await check_books(ctx, owner)


async def test_who_lost_eligibility_is_passed_over(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    await world.enter(await world.people(60))
    draw_id = await world.draw()
    winners = [
        line.split(",") for line in (await read_draw_file(ctx, draw_id, "winners.csv")).decode().splitlines()
    ]
    waiting = [
        line.split(",") for line in (await read_draw_file(ctx, draw_id, "waitlist.csv")).decode().splitlines()
    ]
    lost = next(row for row in winners if row[1] == "gold" and row[2] == "370124")
    own = [row for row in waiting if row[1] == "370124"]
    assert len(own) >= 2
    await owner.execute(
        "DELETE FROM person_proof USING entry WHERE entry.person_id = person_proof.person_id"
        " AND entry.code = ANY ($1)",
        [lost[3], own[0][2]],
    )
    await award_draw(ctx, world.office.drawer, None, draw_id)
    skips = [
        line.split(",")[:3]
        for line in (await read_draw_file(ctx, draw_id, "skips.csv")).decode().splitlines()
    ]
    assert sorted(skips) == sorted(
        [[lost[0], lost[3], "not_eligible"], [own[0][0], own[0][2], "not_eligible"]]
    )
    taker = await owner.fetchval(
        "SELECT a.tier FROM award a JOIN entry e ON e.id = a.entry_id WHERE e.code = $1", own[1][2]
    )
    assert taker == 1 and await awards(owner) == 15
    assert verify_directory(await export_draw(ctx, draw_id, tmp_path), allow_rehearsal=True) == []
    await check_books(ctx, owner)


async def test_a_turn_is_unique(ctx: Context, world: DrawWorld, owner: asyncpg.Connection) -> None:
    await world.enter(await world.people(20))
    await world.award()
    with pytest.raises(asyncpg.UniqueViolationError):
        await owner.execute("INSERT INTO turn SELECT * FROM turn LIMIT 1")
    with pytest.raises(asyncpg.UniqueViolationError):
        await owner.execute(
            "INSERT INTO award SELECT gen_random_uuid(), campaign_id, window_id, person_id, entry_id, gen_random_uuid(),"
            " tier, rank, state, accept_until, awarded_at, ended_at FROM award LIMIT 1"
        )


async def test_a_draw_after_the_acceptance_window_awards_nothing(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    await world.enter(await world.people(20))
    draw_id = await world.freeze()
    await set_clock(ctx, world.times[3])
    await rehearse_beacon(ctx, world.office.drawer, None, draw_id)
    await make_draw(ctx, world.office.drawer, None, draw_id)
    with pytest.raises(Refused, match="acceptance_over"):
        await award_draw(ctx, world.office.drawer, None, draw_id)
    assert await awards(owner) == 0


async def test_three_thousand_winners(ctx: Context, owner: asyncpg.Connection) -> None:
    world = await open_draw(ctx, gold=3_000, quota=1_800, waitlist=500)
    await world.enter(await world.people(30_000), ticked=20_000)
    draw_id = await world.draw()
    started = time.perf_counter()
    await award_draw(ctx, world.office.drawer, None, draw_id)
    awarded = time.perf_counter()
    await set_clock(ctx, await owner.fetchval("SELECT min(accept_until) FROM award WHERE state = 'live'"))
    swept = time.perf_counter()
    moved = 1
    while moved:
        moved = await sweep_awards(ctx)
    print(f"3,005 winners: awarded {awarded - started:.2f} s, lapsed {time.perf_counter() - swept:.2f} s")
    assert (await states(owner, "award"))["granted"] > 1_900
    await check_books(ctx, owner)
