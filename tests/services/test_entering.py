"""Entering: in the window, once, with what the campaign asks; the log's order has no gaps."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from campaigns.domain.errors import Denied, Invalid, Refused
from campaigns.domain.principal import Principal
from campaigns.services.clock import set_clock
from campaigns.services.context import Context
from campaigns.services.entering import Enter, Entered, enter, withdraw
from campaigns.services.freezing import FreezeDraw, freeze_draw
from campaigns.store.unit_of_work import request
from tests.support.draw_world import CHANNEL, COUNTY, OTHER, DrawWorld, open_draw

IN_COUNTY = Enter(place=COUNTY, accept_if_won=True)


@pytest.fixture
async def world(ctx: Context) -> DrawWorld:
    return await open_draw(ctx)


async def one(world: DrawWorld) -> Principal:
    [person] = await world.people(1)
    return world.channel(person)


async def entries(owner: asyncpg.Connection) -> int:
    return await owner.fetchval("SELECT count(*) FROM entry")


async def test_entries_are_numbered_in_order_of_arrival(ctx: Context, world: DrawWorld) -> None:
    first = await enter(ctx, await one(world), None, world.campaign_id, IN_COUNTY)
    second = await enter(ctx, await one(world), None, world.campaign_id, Enter(place=f"{OTHER}001000"))
    assert (first.log_index, second.log_index) == (0, 1)
    assert (first.stratum, second.stratum) == (COUNTY, OTHER)
    assert first.accept_if_won and not second.accept_if_won
    assert first.entry != second.entry and len(first.entry) == 17


async def test_thirty_at_once_leave_no_gap(ctx: Context, world: DrawWorld, owner: asyncpg.Connection) -> None:
    people = await world.people(30)
    await asyncio.gather(
        *(enter(ctx, world.channel(person), None, world.campaign_id, IN_COUNTY) for person in people)
    )
    rows = await owner.fetch("SELECT log_index, entered_at FROM entry ORDER BY log_index")
    assert [row["log_index"] for row in rows] == list(range(30))
    assert [row["entered_at"] for row in rows] == sorted(row["entered_at"] for row in rows)


async def test_one_person_in_parallel_enters_once(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    caller = await one(world)
    answers = await asyncio.gather(
        *(enter(ctx, caller, None, world.campaign_id, IN_COUNTY) for _ in range(12)), return_exceptions=True
    )
    assert sum(isinstance(answer, Entered) for answer in answers) == 1
    refused = [answer.code for answer in answers if isinstance(answer, Refused)]
    assert refused == ["already_entered"] * 11
    assert await entries(owner) == 1


async def test_the_same_key_gives_the_same_entry(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    caller = await one(world)
    assert caller.person_id is not None
    asked = request(caller.person_id, "key-1", "enter", IN_COUNTY)
    answers = await asyncio.gather(
        *(enter(ctx, caller, asked, world.campaign_id, IN_COUNTY) for _ in range(8))
    )
    assert len(set(answers)) == 1
    assert await entries(owner) == 1


async def test_the_window_is_half_open(ctx: Context, owner: asyncpg.Connection) -> None:
    world = await open_draw(ctx)
    await owner.execute("UPDATE campaign SET registration_start = campaign_now() + interval '1 hour'")
    with pytest.raises(Refused, match="registration_not_open"):
        await enter(ctx, await one(world), None, world.campaign_id, IN_COUNTY)
    await set_clock(ctx, world.times[1])
    with pytest.raises(Refused, match="registration_over"):
        await enter(ctx, await one(world), None, world.campaign_id, IN_COUNTY)
    with pytest.raises(Refused, match="registration_over"):
        await world.enter(await world.people(2))
    assert await entries(owner) == 0


async def test_after_the_freeze_nobody_enters(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    caller = await one(world)
    await enter(ctx, caller, None, world.campaign_id, IN_COUNTY)
    await set_clock(ctx, world.times[1])
    await freeze_draw(ctx, world.office.drawer, None, world.campaign_id, FreezeDraw())
    await owner.execute("UPDATE campaign SET registration_end = campaign_now() + interval '1 hour'")
    with pytest.raises(Refused, match="entries_closed"):
        await enter(ctx, await one(world), None, world.campaign_id, IN_COUNTY)
    with pytest.raises(Refused, match="entries_closed"):
        await withdraw(ctx, caller, None, world.campaign_id)
    assert await entries(owner) == 1


@pytest.mark.parametrize("place", ["370103", "11", "3701", "999999"])
async def test_a_place_outside_is_refused(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection, place: str
) -> None:
    with pytest.raises(Refused, match="place_not_eligible"):
        await enter(ctx, await one(world), None, world.campaign_id, Enter(place=place))
    assert await entries(owner) == 0


async def test_the_identifying_proof_is_needed(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    caller = await one(world)
    await owner.execute("DELETE FROM person_proof")
    with pytest.raises(Refused, match="identity_required") as refused:
        await enter(ctx, caller, None, world.campaign_id, IN_COUNTY)
    assert refused.value.facts == {"kind": "phone"}


async def test_a_wallet_is_needed_where_the_campaign_says_so(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "UPDATE campaign SET definition = jsonb_set(definition, '{registration,wallet_operators}', '[\"bank-a\"]')"
    )
    caller = await one(world)
    with pytest.raises(Refused, match="wallet_operator_required"):
        await enter(ctx, caller, None, world.campaign_id, IN_COUNTY)
    await owner.execute(
        "INSERT INTO wallet (id, person_id, operator_id, newly_opened, bound_at)"
        " SELECT gen_random_uuid(), $1, id, true, now() FROM operator WHERE code = 'bank-a'",
        caller.person_id,
    )
    await enter(ctx, caller, None, world.campaign_id, IN_COUNTY)
    assert await entries(owner) == 1


async def test_a_full_draw_takes_nobody(ctx: Context, world: DrawWorld, owner: asyncpg.Connection) -> None:
    await owner.execute(
        "UPDATE campaign SET definition = jsonb_set(definition, '{issuing,max_entries}', '2')"
    )
    answer = await world.enter(await world.people(3))
    assert (answer.entered, [(r.line, r.code) for r in answer.refusals]) == (2, [(3, "entries_full")])
    with pytest.raises(Refused, match="entries_full"):
        await enter(ctx, await one(world), None, world.campaign_id, IN_COUNTY)


async def test_many_are_entered_in_their_order_and_the_rest_is_told(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    people = await world.people(4)
    answer = await world.enter([people[0], uuid4(), people[1], people[0], people[2], people[3]], ticked=1)
    assert answer.entered == 4
    assert [(r.line, r.code) for r in answer.refusals] == [(2, "not_found"), (4, "already_entered")]
    rows = await owner.fetch("SELECT person_id, accept_if_won FROM entry ORDER BY log_index")
    assert [row["person_id"] for row in rows] == people
    assert [row["accept_if_won"] for row in rows] == [True, False, False, False]
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE action = 'entries.enter_many'") == 1


async def test_a_withdrawn_entry_is_struck_for_good(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    caller = await one(world)
    with pytest.raises(Refused, match="not_found"):
        await withdraw(ctx, caller, None, world.campaign_id)
    await enter(ctx, caller, None, world.campaign_id, IN_COUNTY)
    assert (await withdraw(ctx, caller, None, world.campaign_id)).withdrawn
    with pytest.raises(Refused, match="entry_withdrawn"):
        await enter(ctx, caller, None, world.campaign_id, IN_COUNTY)
    with pytest.raises(Refused, match="entry_withdrawn"):
        await withdraw(ctx, caller, None, world.campaign_id)
    assert await owner.fetchval("SELECT struck_reason FROM entry") == "withdrawn"


async def test_foreign_people_and_campaigns_do_not_exist(ctx: Context, world: DrawWorld) -> None:
    other = await open_draw(ctx, programme="other", code="other-draw")
    [person] = await world.people(1)
    stranger = other.channel(person)
    for campaign_id in (world.campaign_id, uuid4(), other.campaign_id):
        with pytest.raises(Refused, match="not_found") as refused:
            await enter(ctx, stranger, None, campaign_id, IN_COUNTY)
        assert refused.value.status == 404


async def test_scope_and_person_are_needed(ctx: Context, world: DrawWorld) -> None:
    caller = await one(world)
    bare = Principal("channel", caller.id, caller.programme_id, frozenset(), person_id=caller.person_id)
    with pytest.raises(Denied, match="scope_missing"):
        await enter(ctx, bare, None, world.campaign_id, IN_COUNTY)
    with pytest.raises(Invalid, match="person_missing"):
        nobody = Principal("channel", caller.id, caller.programme_id, CHANNEL)
        await enter(ctx, nobody, None, world.campaign_id, IN_COUNTY)


async def test_a_paused_campaign_takes_no_entries(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE campaign SET state = 'paused'")
    with pytest.raises(Refused, match="campaign_not_running"):
        await enter(ctx, await one(world), None, world.campaign_id, IN_COUNTY)
