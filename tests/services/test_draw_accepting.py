"""Accept, decline and lapse: an award ends once, whoever races; places given up go to those who wait."""

import asyncio
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from campaigns.domain.errors import Broken, Refused
from campaigns.services import awarding
from campaigns.services.accept_batch import Accepted
from campaigns.services.accepting import accept_award, list_awards
from campaigns.services.clock import set_clock
from campaigns.services.context import Context
from campaigns.services.draw_answer import read_draw_file
from campaigns.services.exporting import export_draw
from campaigns.services.lapsing import decline_award, lapse_awards, sweep_awards
from campaigns.services.paging import PageQuery
from campaigns.store.unit_of_work import request
from lottery.verification import verify_directory
from tests.support.draw_checks import check_books, live_award, open_acceptance, states
from tests.support.draw_world import DrawWorld, open_draw


@pytest.fixture
async def world(ctx: Context) -> DrawWorld:
    return await open_draw(ctx)


async def test_accepting_in_parallel_makes_one_voucher(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    await world.enter(await world.people(40))
    await world.award()
    award_id, person_id = await live_award(owner, world)
    caller = world.channel(person_id)
    with pytest.raises(Refused, match="acceptance_not_open"):
        await accept_award(ctx, caller, None, award_id)
    await open_acceptance(ctx, world)
    answers = await asyncio.gather(
        *(accept_award(ctx, caller, None, award_id) for _ in range(10)), return_exceptions=True
    )
    [accepted] = [answer for answer in answers if isinstance(answer, Accepted)]
    assert [a.code for a in answers if isinstance(a, Refused)] == ["award_ended"] * 9
    row = await owner.fetchrow("SELECT * FROM voucher")
    assert (row["id"], row["person_id"], row["face_fen"]) == (
        accepted.voucher_id,
        person_id,
        accepted.face_fen,
    )
    page = await list_awards(ctx, caller, PageQuery())
    assert [(a.state, a.voucher_id) for a in page.items] == [("granted", accepted.voucher_id)]
    await check_books(ctx, owner)


@pytest.mark.parametrize("ticked", [0, 40])
async def test_an_allotment_that_is_granted_already_stops_the_campaign(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, ticked: int
) -> None:
    async def later(*_: object) -> int:
        return 0

    monkeypatch.setattr(awarding, "grant_ticked", later)
    await world.enter(await world.people(40), ticked=ticked)
    await world.award()
    await open_acceptance(ctx, world)
    await owner.execute("UPDATE allotment SET state = 'granted'")
    award_id, person_id = await live_award(owner, world)
    with pytest.raises(Broken, match="invariant"):
        if ticked:
            await sweep_awards(ctx)
        else:
            await accept_award(ctx, world.channel(person_id), None, award_id)
    assert await owner.fetchval("SELECT state FROM campaign") == "suspended"
    assert await owner.fetchval("SELECT count(*) FROM voucher") == 0
    assert await sweep_awards(ctx) == 0


async def test_the_same_key_accepts_once(ctx: Context, world: DrawWorld, owner: asyncpg.Connection) -> None:
    await world.enter(await world.people(40))
    await world.award()
    await open_acceptance(ctx, world)
    award_id, person_id = await live_award(owner, world)
    asked = request(person_id, "accept-1", "accept", str(award_id))
    answers = await asyncio.gather(
        *(accept_award(ctx, world.channel(person_id), asked, award_id) for _ in range(8))
    )
    assert len(set(answers)) == 1
    assert await owner.fetchval("SELECT count(*) FROM voucher") == 1


async def test_another_person_sees_no_award(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    people = await world.people(40)
    await world.enter(people)
    await world.award()
    await open_acceptance(ctx, world)
    award_id, person_id = await live_award(owner, world)
    other = world.channel(next(person for person in people if person != person_id))
    for act in (accept_award, decline_award):
        with pytest.raises(Refused, match="not_found"):
            await act(ctx, other, None, award_id)
        with pytest.raises(Refused, match="not_found"):
            await act(ctx, other, None, uuid4())
    assert await owner.fetchval("SELECT count(*) FROM voucher") == 0


async def test_a_declined_place_goes_to_who_waits(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    await world.enter(await world.people(60))
    draw_id = await world.award()
    await open_acceptance(ctx, world)
    row = await owner.fetchrow("SELECT * FROM award WHERE tier = 2 ORDER BY rank LIMIT 1")
    expected = await owner.fetchrow(
        "SELECT rank, person_id FROM waitlist WHERE stratum = '370102' ORDER BY rank LIMIT 1"
    )
    answer = await decline_award(ctx, world.channel(row["person_id"]), None, row["id"])
    assert answer.state == "declined"
    taken = await owner.fetchrow(
        "SELECT * FROM award WHERE allotment_id = $1 AND state = 'live'", row["allotment_id"]
    )
    assert (taken["rank"], taken["person_id"], taken["tier"]) == (expected["rank"], expected["person_id"], 2)
    assert taken["accept_until"] == world.times[3] > row["accept_until"]
    skips = (await read_draw_file(ctx, draw_id, "skips.csv")).decode().splitlines()
    assert len(skips) == 1 and skips[0].split(",")[::2] == [str(row["rank"]), "withdrawn"]
    with pytest.raises(Refused, match="award_ended"):
        await accept_award(ctx, world.channel(row["person_id"]), None, row["id"])
    await check_books(ctx, owner)


async def test_lapsed_places_are_filled_until_the_window_ends(
    ctx: Context, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    world = await open_draw(ctx, waitlist=40)
    await world.enter(await world.people(60))
    draw_id = await world.award()
    middle = await owner.fetchval("SELECT DISTINCT accept_until FROM award")
    assert middle == world.times[2] + (world.times[3] - world.times[2]) / 2
    assert await sweep_awards(ctx) == 0
    await set_clock(ctx, middle)
    award_id, person_id = await live_award(owner, world)
    with pytest.raises(Refused, match="acceptance_over"):
        await accept_award(ctx, world.channel(person_id), None, award_id)
    programme_id = world.office.programme_id
    moved = await asyncio.gather(
        *(lapse_awards(ctx, programme_id, world.campaign_id, 4) for _ in range(3)), sweep_awards(ctx)
    )
    assert sum(moved) == 15
    assert await states(owner, "award") == {"lapsed": 15, "live": 15}
    strata = await owner.fetch(
        "SELECT a.tier, e.stratum FROM award a JOIN entry e ON e.id = a.entry_id WHERE a.state = 'live'"
    )
    assert {(r["tier"], r["stratum"]) for r in strata if r["tier"] != 3} == {(1, "370124"), (2, "370102")}
    await check_books(ctx, owner)
    await set_clock(ctx, world.times[3])
    assert await sweep_awards(ctx) == 15
    assert await states(owner, "award") == {"lapsed": 30}
    assert await states(owner, "allotment") == {"free": 15}
    assert await owner.fetchval("SELECT count(*) FROM waitlist WHERE taken_at IS NULL") == 25
    folder = await export_draw(ctx, draw_id, tmp_path)
    assert verify_directory(folder, allow_rehearsal=True) == []
    assert len((folder / "skips.csv").read_text().splitlines()) == 15
    await check_books(ctx, owner)


async def test_substitutes_who_ticked_have_the_voucher_at_once(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    await world.enter(await world.people(60))
    await owner.execute("UPDATE entry SET accept_if_won = true WHERE log_index >= 30")
    await world.award()
    live = (await states(owner, "award"))["live"]
    await set_clock(ctx, await owner.fetchval("SELECT min(accept_until) FROM award WHERE state = 'live'"))
    programme_id = world.office.programme_id
    assert await lapse_awards(ctx, programme_id, world.campaign_id, 3) == 3
    assert await lapse_awards(ctx, programme_id, world.campaign_id) == live - 3
    assert await owner.fetchval(
        "SELECT count(*) FROM award a JOIN entry e ON e.id = a.entry_id WHERE a.state = 'live' AND e.accept_if_won"
    ) == 0  # fmt: skip
    assert await owner.fetchval("SELECT count(*) FROM waitlist WHERE taken_at IS NOT NULL") > 0
    await check_books(ctx, owner)


@pytest.mark.parametrize("turn", range(4))
async def test_accept_and_lapse_end_an_award_once(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection, turn: int
) -> None:
    await world.enter(await world.people(40))
    await world.award()
    await open_acceptance(ctx, world)
    award_id, person_id = await live_award(owner, world)
    await owner.execute(
        f"UPDATE award SET accept_until = campaign_now() + interval '{turn * 4} milliseconds' WHERE id = $1",
        award_id,
    )
    programme_id = world.office.programme_id
    results = await asyncio.gather(
        *(lapse_awards(ctx, programme_id, world.campaign_id) for _ in range(3)),
        *(accept_award(ctx, world.channel(person_id), None, award_id) for _ in range(3)),
        *(lapse_awards(ctx, programme_id, world.campaign_id) for _ in range(3)),
        return_exceptions=True,
    )
    accepted = sum(isinstance(result, Accepted) for result in results)
    lapsed = sum(result for result in results if isinstance(result, int))
    state = await owner.fetchval("SELECT state FROM award WHERE id = $1", award_id)
    assert (accepted, lapsed) == {"granted": (1, 0), "lapsed": (0, 1), "live": (0, 0)}[state]
    assert await owner.fetchval("SELECT count(*) FROM voucher WHERE person_id = $1", person_id) == accepted
    await check_books(ctx, owner)


async def test_without_a_waitlist_the_whole_window_is_the_winners(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    world = await open_draw(ctx, waitlist=0)
    await world.enter(await world.people(30))
    await world.award()
    assert await owner.fetchval("SELECT DISTINCT accept_until FROM award") == world.times[3]
    await set_clock(ctx, world.times[3])
    assert await sweep_awards(ctx) == 15
    assert await states(owner, "allotment") == {"free": 15}
