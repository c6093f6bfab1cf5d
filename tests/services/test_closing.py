"""Closing and changing terms: what comes back is exactly what came and was not spent; terms only widen."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.errors import Broken, Denied, Invalid, Refused
from campaigns.domain.funders import funder_parts
from campaigns.domain.money import largest_remainder
from campaigns.domain.returns import returns_at_close
from campaigns.services.auditing import audit
from campaigns.services.campaign_source import CampaignSource
from campaigns.services.clock import shift_clock
from campaigns.services.closing import close_campaign
from campaigns.services.context import Context
from campaigns.services.draw_campaign import hold_campaign
from campaigns.services.funding import Fund, fund_campaign
from campaigns.services.list_issue import IssueList, ListRow, issue_list
from campaigns.services.people import Proof
from campaigns.services.publishing import publish_campaign
from campaigns.services.sweeping import sweep
from campaigns.services.terms_change import approve_terms, propose_terms, proposed_terms
from tests.support.campaign_files import draw_file, list_file
from tests.support.office import Office, approved, now_of, open_office, published

AFTER_ALL = timedelta(days=31)


@pytest.fixture
async def office(ctx: Context) -> Office:
    return await open_office(ctx)


@given(st.integers(1, 10**12), st.lists(st.integers(1, 9_999), min_size=1, max_size=6), st.data())
def test_what_goes_back_is_exact_by_funder_and_by_operator(
    budget: int, weights: list[int], data: st.DataObject
) -> None:
    shares = largest_remainder(10_000, weights)
    funded = largest_remainder(budget, shares)
    left = data.draw(st.integers(0, budget))
    escrow = largest_remainder(left, data.draw(st.lists(st.integers(1, 100), min_size=1, max_size=5)))
    rows = returns_at_close(funded, shares, escrow)
    assert [sum(row) for row in rows] == escrow
    assert all(part >= 0 for row in rows for part in row)
    back = [sum(column) for column in zip(*rows, strict=True)]
    paid = [have - part for have, part in zip(funded, back, strict=True)]
    assert min(paid) >= 0
    assert all(
        abs(part * 10_000 - share * (budget - left)) < 20_000
        for part, share in zip(paid, shares, strict=True)
    )


def test_a_funders_part_is_that_of_the_report() -> None:
    rows = returns_at_close([5_001, 3_000, 2_000], [5_001, 3_000, 1_999], [3_333, 4_000])
    back = [sum(column) for column in zip(*rows, strict=True)]
    assert [have - part for have, part in zip([5_001, 3_000, 2_000], back, strict=True)] == funder_parts(
        10_001 - 7_333, [5_001, 3_000, 1_999]
    )


async def test_all_that_came_goes_back_when_nothing_was_spent(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    campaign_id = await published(ctx, office, draw_file(await now_of(ctx)))
    with pytest.raises(Refused, match="close_too_early"):
        await close_campaign(ctx, office.officer, None, campaign_id)
    await shift_clock(ctx, AFTER_ALL)
    with pytest.raises(Denied, match="scope_missing"):
        await close_campaign(ctx, office.finance, None, campaign_id)
    answer = await close_campaign(ctx, office.officer, None, campaign_id)
    assert answer.returned_fen == 30_001
    assert len(answer.lines) == 4
    row = await owner.fetchrow("SELECT state, closed_at, entries_closed_at FROM campaign")
    assert row["state"] == "closed" and row["closed_at"] == row["entries_closed_at"] is not None
    rows = await owner.fetch(
        "SELECT (SELECT sum(amount_fen) FROM funding g WHERE g.funder_id = f.id) AS came,"
        " (SELECT sum(amount_fen) FROM transfer t WHERE t.credit_id = f.id AND t.kind = 'close') AS back FROM funder f"
    )
    assert [row["came"] for row in rows] == [row["back"] for row in rows]
    with pytest.raises(Refused, match="wrong_state"):
        await close_campaign(ctx, office.officer, None, campaign_id)


async def test_vouchers_keep_it_open_and_their_value_returns(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    campaign_id = await published(ctx, office, list_file(await now_of(ctx)))
    rows = tuple(
        ListRow(tier="gold", proofs=(Proof(kind="phone", value=str(13800000000 + i)),)) for i in range(10)
    )
    await issue_list(ctx, office.officer, None, campaign_id, IssueList(rows=rows))
    await shift_clock(ctx, AFTER_ALL)
    with pytest.raises(Refused, match="close_value_alive") as caught:
        await close_campaign(ctx, office.officer, None, campaign_id)
    assert caught.value.facts == {"awards": 0, "vouchers": 10, "holds": 0}
    assert await owner.fetchval("SELECT count(*) FROM transfer WHERE kind = 'close'") == 0
    await sweep(ctx)
    answer = await close_campaign(ctx, office.officer, None, campaign_id)
    assert answer.returned_fen == 30_001
    left = await owner.fetchval(
        "SELECT sum(amount_fen * ((credit_kind = 'escrow')::int - (debit_kind = 'escrow')::int)) FROM transfer"
    )
    assert left == 0
    assert (await audit(ctx)).findings == ()


async def test_a_frozen_draw_keeps_it_open(ctx: Context, office: Office, owner: asyncpg.Connection) -> None:
    campaign_id = await published(ctx, office, draw_file(await now_of(ctx)))
    await owner.execute("UPDATE draw SET state = 'frozen', committed_at = now()")
    await shift_clock(ctx, AFTER_ALL)
    with pytest.raises(Refused, match="close_draw_unfinished"):
        await close_campaign(ctx, office.officer, None, campaign_id)


async def test_a_draw_too_late_for_any_award_does_not_keep_it_open(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    campaign_id = await published(ctx, office, draw_file(await now_of(ctx)))
    await owner.execute("UPDATE draw SET state = 'drawn', committed_at = now(), drawn_at = now(), seed = 'x'")
    await shift_clock(ctx, AFTER_ALL)
    assert (await close_campaign(ctx, office.officer, None, campaign_id)).returned_fen == 30_001


async def test_money_of_a_campaign_that_never_opened_goes_back_at_any_time(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    campaign_id = await approved(ctx, office, draw_file(await now_of(ctx)))
    part = Fund(funder="county", operator="bank-a", amount_fen=150)
    await fund_campaign(ctx, office.finance, None, campaign_id, part)
    answer = await close_campaign(ctx, office.officer, None, campaign_id)
    assert [(line.funder, line.operator, line.returned_fen) for line in answer.lines] == [
        ("county", "bank-a", 150)
    ]
    for act in (publish_campaign, close_campaign):
        with pytest.raises(Refused, match="wrong_state"):
            await act(ctx, office.officer, None, campaign_id)
    with pytest.raises(Refused, match="wrong_state"):
        await fund_campaign(ctx, office.finance, None, campaign_id, part)
    async with ctx.pool.acquire() as connection:
        with pytest.raises(Refused, match="not_found"):
            await hold_campaign(connection, office.programme_id, campaign_id, alone=False)
    assert (await audit(ctx)).findings == ()


async def test_another_programmes_campaign_is_not_closed(ctx: Context, office: Office) -> None:
    campaign_id = await published(ctx, office, draw_file(await now_of(ctx)))
    other = await open_office(ctx, "else")
    await shift_clock(ctx, AFTER_ALL)
    with pytest.raises(Refused, match="not_found"):
        await close_campaign(ctx, other.officer, None, campaign_id)


async def test_books_that_hold_more_than_vouchers_stop_the_campaign(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    campaign_id = await published(ctx, office, draw_file(await now_of(ctx)))
    await owner.execute(
        "INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind,"
        " credit_id, amount_fen, at) SELECT gen_random_uuid(), 'grant', 1, campaign_id, operator_id, 'escrow',"
        " operator_id, 'outstanding', operator_id, 1, now() FROM transfer LIMIT 1"
    )
    await shift_clock(ctx, AFTER_ALL)
    with pytest.raises(Broken, match="invariant"):
        await close_campaign(ctx, office.officer, None, campaign_id)
    assert await owner.fetchval("SELECT state FROM campaign") == "suspended"
    assert await owner.fetchval("SELECT count(*) FROM transfer WHERE kind = 'close'") == 0


async def changed_file(ctx: Context, old: str, new: str) -> CampaignSource:
    source = list_file(await now_of(ctx))
    assert old in source
    return CampaignSource(source=source.replace(old, new))


@pytest.fixture
async def campaign_id(ctx: Context, office: Office) -> UUID:
    return await published(ctx, office, list_file(await now_of(ctx)))


async def test_terms_widen_by_a_second_person(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection
) -> None:
    wider = await changed_file(ctx, "valid_days: 14", "valid_days: 20")
    change = await propose_terms(ctx, office.officer, None, campaign_id, wider)
    assert (change.version, change.approver_id) == (None, None)
    proposed = await proposed_terms(ctx, office.approver, campaign_id, change.id)
    assert (proposed.change, proposed.source) == (change, wider.source)
    assert "20 天内有效" in proposed.zh and "valid for 20 days" in proposed.en
    assert all(proposed.change.digest in text for text in (proposed.zh, proposed.en))
    with pytest.raises(Refused, match="not_found"):
        await proposed_terms(ctx, office.approver, campaign_id, uuid4())
    author = replace(office.officer, scopes=frozenset({"campaign.approve"}))
    with pytest.raises(Refused, match="author_cannot_approve"):
        await approve_terms(ctx, author, None, campaign_id, change.id)
    with pytest.raises(asyncpg.CheckViolationError, match="terms_change_four_eyes"):
        await owner.execute(
            "UPDATE terms_change SET approver_id = author_id, version = 2, approved_at = now()"
        )
    approved = await approve_terms(ctx, office.approver, None, campaign_id, change.id)
    assert (approved.version, approved.digest) == (2, change.digest)
    assert (await proposed_terms(ctx, office.officer, campaign_id, change.id)).change == approved
    rows = (ListRow(tier="gold", proofs=(Proof(kind="phone", value="13800000000"),)),)
    await issue_list(ctx, office.officer, None, campaign_id, IssueList(rows=rows))
    life = await owner.fetchval("SELECT expires_at - granted_at FROM voucher")
    assert timedelta(days=19) < life <= timedelta(days=20)
    with pytest.raises(Refused, match="wrong_state"):
        await approve_terms(ctx, office.approver, None, campaign_id, change.id)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("valid_days: 14", "valid_days: 13", "terms_narrowed"),
        ("{tags: [test]}", '{tags: [test], mcc: ["5411"]}', "terms_narrowed"),
        ("valid_days: 14", "valid_days: 14\n  hold_seconds: 600", "terms_unchanged"),
        ("budget_fen: 30001", "budget_fen: 30002", "terms_change_other"),
        ("valid_days: 14", "valid_days: x", "definition_invalid"),
    ],
)
async def test_other_changes_are_not_taken(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection, old: str, new: str, code: str
) -> None:
    with pytest.raises((Refused, Invalid), match=code):
        await propose_terms(ctx, office.officer, None, campaign_id, await changed_file(ctx, old, new))
    assert await owner.fetchval("SELECT count(*) FROM terms_change") == 0
