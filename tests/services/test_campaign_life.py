"""A campaign from a file to publication: each act, its wrong states, wrong people, and what it leaves unchanged."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from campaigns.domain.errors import Denied, Invalid, Refused
from campaigns.services.campaign_source import CampaignSource
from campaigns.services.campaign_views import campaign_details
from campaigns.services.campaigns import (
    approve_campaign,
    create_campaign,
    revise_campaign,
    submit_campaign,
    withdraw_campaign,
)
from campaigns.services.clock import shift_clock
from campaigns.services.context import Context
from campaigns.services.funding import Fund, campaign_funding, fund_campaign, fund_whole_plan
from campaigns.services.publishing import pause_campaign, publish_campaign, resume_campaign
from campaigns.services.suspending import suspend
from campaigns.store.unit_of_work import request
from tests.support.campaign_files import draw_file, list_file, rush_file
from tests.support.office import Office, approved, now_of, open_office, published

COUNTED = (
    "campaign",
    "funder",
    "operator",
    "terms_version",
    "funding",
    "transfer",
    "issue_window",
    "allotment",
    "draw",
)


@pytest.fixture
async def office(ctx: Context) -> Office:
    return await open_office(ctx)


async def counts(owner: asyncpg.Connection) -> dict[str, int]:
    return {table: await owner.fetchval(f"SELECT count(*) FROM {table}") for table in COUNTED}


async def draft(ctx: Context, office: Office) -> UUID:
    source = CampaignSource(source=draw_file(await now_of(ctx)))
    return (await create_campaign(ctx, office.officer, None, source)).id


async def test_a_draw_is_published(ctx: Context, office: Office, owner: asyncpg.Connection) -> None:
    campaign_id = await published(ctx, office, draw_file(await now_of(ctx)))
    answer = await campaign_details(ctx, office.officer, campaign_id)
    assert (answer.state, answer.planned_fen, answer.vouchers) == ("published", 25_000, 15)
    rows = await owner.fetch("SELECT tier, count(*), sum(face_fen) FROM allotment GROUP BY tier")
    assert [tuple(row) for row in rows] == [(1, 10, 20_000)], "a split waits for the draw's seed"
    draw = await owner.fetchrow("SELECT * FROM draw JOIN draw_source ON draw_id = draw.id")
    assert (draw["name"], draw["state"], draw["round"], draw["kind"]) == (
        "test-draw-r1",
        "open",
        1,
        "rehearsal",
    )
    round_number = int(draw["spec"].split(":")[1])
    assert 0 <= draw["due"].timestamp() - (1577836800 + 3 * (round_number - 1)) < 3
    acts = await owner.fetch("SELECT action FROM audit WHERE campaign_id = $1 ORDER BY id", campaign_id)
    assert [row["action"] for row in acts] == [
        "campaign.create", "campaign.submit", "campaign.approve", *["campaign.fund"] * 4, "campaign.publish",
    ]  # fmt: skip


async def test_escrow_covers_the_plan_at_every_operator(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    await published(ctx, office, list_file(await now_of(ctx)))
    rows = await owner.fetch(
        "SELECT o.code, (SELECT sum(amount_fen) FROM transfer t WHERE t.operator_id = o.id) AS funded,"
        " (SELECT sum(face_fen) FROM allotment a WHERE a.operator_id = o.id) AS planned FROM operator o ORDER BY code"
    )
    assert [row["code"] for row in rows] == ["bank-a", "bank-b"]
    assert sum(row["funded"] for row in rows) == 30_001
    assert sum(row["planned"] for row in rows) == 25_000
    assert all(row["planned"] <= row["funded"] for row in rows)


async def test_a_lists_split_amounts_follow_from_its_file(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    await published(ctx, office, list_file(await now_of(ctx)))
    faces = await owner.fetch("SELECT face_fen FROM allotment WHERE tier = 2")
    assert sum(row["face_fen"] for row in faces) == 5_000
    assert all(500 <= row["face_fen"] <= 2_000 for row in faces)


async def test_a_file_with_problems_makes_no_draft(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    source = draw_file(await now_of(ctx)).replace("share_bp: 7000", "share_bp: 6000")
    source = source.replace('places: ["370124"]', 'places: ["999999"]')
    with pytest.raises(Invalid, match="definition_invalid") as caught:
        await create_campaign(ctx, office.officer, None, CampaignSource(source=source))
    problems = msgspec.json.decode(str(caught.value.facts["problems"]))
    assert caught.value.facts["count"] == len(problems) >= 2
    assert {"file_place_unknown", "file_shares_sum"} <= {problem["code"] for problem in problems}
    assert all(problem["line"] > 1 and problem["zh"] and problem["en"] for problem in problems)
    assert (await counts(owner))["campaign"] == 0


async def test_a_file_of_another_programme_or_with_a_taken_code(ctx: Context, office: Office) -> None:
    now = await now_of(ctx)
    with pytest.raises(Invalid, match="other_programme"):
        source = draw_file(now).replace("programme: test", "programme: else")
        await create_campaign(ctx, office.officer, None, CampaignSource(source=source))
    await draft(ctx, office)
    with pytest.raises(Refused, match="code_taken"):
        await draft(ctx, office)
    other = await open_office(ctx, "else")
    with pytest.raises(Refused, match="code_taken"):
        source = draw_file(now).replace("programme: test", "programme: else")
        await create_campaign(ctx, other.officer, None, CampaignSource(source=source))


async def test_a_repeated_create_is_one_campaign(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    command = CampaignSource(source=draw_file(await now_of(ctx)))
    asked = request(office.officer.id, "k", "create", command)
    first = await create_campaign(ctx, office.officer, asked, command)
    assert await create_campaign(ctx, office.officer, asked, command) == first
    assert (await counts(owner))["campaign"] == 1


async def test_a_draft_is_revised_and_a_submission_withdrawn(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    campaign_id = await draft(ctx, office)
    revised = CampaignSource(source=draw_file(await now_of(ctx), code="other-code", budget_fen=40_000))
    answer = await revise_campaign(ctx, office.officer, None, campaign_id, revised)
    assert (answer.code, answer.budget_fen) == ("other-code", 40_000)
    await submit_campaign(ctx, office.officer, None, campaign_id)
    with pytest.raises(Refused, match="wrong_state"):
        await revise_campaign(ctx, office.officer, None, campaign_id, revised)
    assert (await withdraw_campaign(ctx, office.officer, None, campaign_id)).state == "draft"
    assert (await counts(owner))["terms_version"] == 0
    await submit_campaign(ctx, office.officer, None, campaign_id)
    await approve_campaign(ctx, office.approver, None, campaign_id)
    found = await counts(owner)
    assert (found["terms_version"], found["funder"], found["operator"]) == (1, 2, 2)


async def test_the_author_does_not_approve_in_service_or_data(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    campaign_id = await draft(ctx, office)
    await submit_campaign(ctx, office.officer, None, campaign_id)
    author = replace(office.officer, scopes=frozenset({"campaign.approve"}))
    with pytest.raises(Refused, match="author_cannot_approve"):
        await approve_campaign(ctx, author, None, campaign_id)
    with pytest.raises(asyncpg.CheckViolationError, match="campaign_four_eyes"):
        await owner.execute("UPDATE campaign SET approver_id = author_id, state = 'approved'")
    with pytest.raises(asyncpg.CheckViolationError, match="campaign_approved"):
        await owner.execute("UPDATE campaign SET state = 'published'")
    assert (await campaign_details(ctx, office.officer, campaign_id)).state == "submitted"


async def test_who_lacks_the_role_is_denied(ctx: Context, office: Office, owner: asyncpg.Connection) -> None:
    source = CampaignSource(source=draw_file(await now_of(ctx)))
    with pytest.raises(Denied, match="scope_missing"):
        await create_campaign(ctx, office.approver, None, source)
    campaign_id = await draft(ctx, office)
    await submit_campaign(ctx, office.officer, None, campaign_id)
    with pytest.raises(Denied, match="scope_missing"):
        await approve_campaign(ctx, office.officer, None, campaign_id)
    with pytest.raises(Denied, match="scope_missing"):
        await fund_whole_plan(ctx, office.officer, None, campaign_id)
    with pytest.raises(Denied, match="scope_missing"):
        await publish_campaign(ctx, office.finance, None, campaign_id)
    assert (await counts(owner))["campaign"] == 1


async def test_another_programmes_campaign_is_not_found(ctx: Context, office: Office) -> None:
    campaign_id = await draft(ctx, office)
    other = await open_office(ctx, "else")
    for unknown in (campaign_id, uuid4()):
        with pytest.raises(Refused, match="not_found") as caught:
            await submit_campaign(ctx, other.officer, None, unknown)
        assert (caught.value.status, caught.value.facts) == (404, {"subject": "campaign"})


async def test_money_only_as_planned(ctx: Context, office: Office, owner: asyncpg.Connection) -> None:
    campaign_id = await draft(ctx, office)
    line = Fund(funder="county", operator="bank-a", amount_fen=1)
    with pytest.raises(Refused, match="wrong_state"):
        await fund_campaign(ctx, office.finance, None, campaign_id, line)
    await submit_campaign(ctx, office.officer, None, campaign_id)
    await approve_campaign(ctx, office.approver, None, campaign_id)
    standing = await campaign_funding(ctx, office.finance, campaign_id)
    assert (standing.planned_fen, standing.funded_fen) == (30_001, 0)
    planned = standing.lines[0].planned_fen
    assert (standing.lines[0].funder, standing.lines[0].operator) == ("county", "bank-a")
    await fund_campaign(ctx, office.finance, None, campaign_id, line)
    too_much = Fund(funder="county", operator="bank-a", amount_fen=planned)
    with pytest.raises(Refused, match="funding_over_plan"):
        await fund_campaign(ctx, office.finance, None, campaign_id, too_much)
    with pytest.raises(Refused, match="funding_not_planned"):
        stranger = Fund(funder="stranger", operator="bank-a", amount_fen=1)
        await fund_campaign(ctx, office.finance, None, campaign_id, stranger)
    assert (await counts(owner))["funding"] == 1
    with pytest.raises(Refused, match="not_fully_funded"):
        await publish_campaign(ctx, office.officer, None, campaign_id)
    found = await counts(owner)
    assert (found["allotment"], found["issue_window"], found["draw"]) == (0, 0, 0)
    await fund_whole_plan(ctx, office.finance, None, campaign_id)
    assert (await publish_campaign(ctx, office.officer, None, campaign_id)).state == "published"
    with pytest.raises(Refused, match="wrong_state"):
        await fund_whole_plan(ctx, office.finance, None, campaign_id)


async def test_a_rush_is_not_published(ctx: Context, office: Office) -> None:
    campaign_id = await approved(ctx, office, rush_file(await now_of(ctx)))
    await fund_whole_plan(ctx, office.finance, None, campaign_id)
    with pytest.raises(Refused, match="rush_not_available"):
        await publish_campaign(ctx, office.officer, None, campaign_id)


async def test_the_rehearsal_beacon_is_not_for_production(ctx: Context, office: Office) -> None:
    campaign_id = await approved(ctx, office, draw_file(await now_of(ctx)))
    await fund_whole_plan(ctx, office.finance, None, campaign_id)
    in_earnest = Context(pool=ctx.pool, gate=ctx.gate, hmac_key=ctx.hmac_key, mode="production")
    with pytest.raises(Refused, match="rehearsal_not_allowed"):
        await publish_campaign(in_earnest, office.officer, None, campaign_id)


async def test_what_could_never_be_published_is_not_handed_in(ctx: Context, office: Office) -> None:
    source = CampaignSource(source=draw_file(await now_of(ctx)))
    campaign_id = (await create_campaign(ctx, office.officer, None, source)).id
    in_earnest = Context(pool=ctx.pool, gate=ctx.gate, hmac_key=ctx.hmac_key, mode="production")
    with pytest.raises(Refused, match="rehearsal_not_allowed"):
        await submit_campaign(in_earnest, office.officer, None, campaign_id)
    await shift_clock(ctx, timedelta(days=1))
    with pytest.raises(Refused, match="too_late_to_publish"):
        await submit_campaign(ctx, office.officer, None, campaign_id)
    assert (await campaign_details(ctx, office.officer, campaign_id)).state == "draft"


async def test_nothing_is_published_after_registration(ctx: Context, office: Office) -> None:
    campaign_id = await approved(ctx, office, draw_file(await now_of(ctx)))
    await fund_whole_plan(ctx, office.finance, None, campaign_id)
    await shift_clock(ctx, timedelta(days=1))
    with pytest.raises(Refused, match="too_late_to_publish"):
        await publish_campaign(ctx, office.officer, None, campaign_id)


async def test_pause_resume_and_suspension(ctx: Context, office: Office, owner: asyncpg.Connection) -> None:
    campaign_id = await approved(ctx, office, draw_file(await now_of(ctx)))
    with pytest.raises(Refused, match="wrong_state"):
        await pause_campaign(ctx, office.officer, None, campaign_id)
    assert not await suspend(ctx, campaign_id, "invariant 4")
    await fund_whole_plan(ctx, office.finance, None, campaign_id)
    await publish_campaign(ctx, office.officer, None, campaign_id)
    assert (await pause_campaign(ctx, office.officer, None, campaign_id)).state == "paused"
    assert (await resume_campaign(ctx, office.officer, None, campaign_id)).state == "published"
    assert await suspend(ctx, campaign_id, "invariant 4")
    assert (await campaign_details(ctx, office.officer, campaign_id)).state == "suspended"
    last = await owner.fetchrow("SELECT actor_kind, action, facts FROM audit ORDER BY id DESC LIMIT 1")
    assert (last["actor_kind"], last["action"]) == ("system", "campaign.suspend")
    assert "invariant 4" in last["facts"]
    assert (await resume_campaign(ctx, office.officer, None, campaign_id)).state == "published"
