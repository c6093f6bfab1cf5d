"""Issue by list: vouchers at once, all lines or none, never more than there is."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from campaigns.domain.errors import Denied, HongbaoError, Invalid, Refused, TryAgain
from campaigns.domain.roles import KIND_SCOPES
from campaigns.services.clock import shift_clock
from campaigns.services.context import Context
from campaigns.services.list_issue import Issued, IssueList, ListRow, issue_list
from campaigns.services.people import Proof
from campaigns.services.publishing import pause_campaign
from campaigns.store.people import lock_programme_proofs
from campaigns.store.unit_of_work import request
from tests.support.campaign_files import draw_file, list_file
from tests.support.office import Office, now_of, open_office, published
from tests.support.payworld import wait_for_campaign_lock


@pytest.fixture
async def office(ctx: Context) -> Office:
    return await open_office(ctx)


@pytest.fixture
async def campaign_id(ctx: Context, office: Office) -> UUID:
    return await published(ctx, office, list_file(await now_of(ctx)))


def line(number: int, tier: str = "gold", **members: Any) -> ListRow:
    return ListRow(tier=tier, proofs=(Proof(kind="phone", value=str(13800000000 + number)),), **members)


def lines(*rows: ListRow) -> IssueList:
    return IssueList(rows=rows)


async def counts(owner: asyncpg.Connection) -> tuple[int, ...]:
    tables = (
        "voucher",
        "turn",
        "person",
        "transfer WHERE kind = 'grant'",
        "allotment WHERE state = 'granted'",
    )
    return tuple([await owner.fetchval(f"SELECT count(*) FROM {table}") for table in tables])


def said(caught: pytest.ExceptionInfo[Invalid]) -> list[tuple[int, str]]:
    return [(p["line"], p["code"]) for p in msgspec.json.decode(str(caught.value.facts["problems"]))]


async def test_every_line_gets_its_voucher(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection
) -> None:
    command = lines(*(line(i) for i in range(4)), line(4, "luck"))
    asked = request(office.officer.id, "part-1", "list.issue", command)
    issued = await issue_list(ctx, office.officer, asked, campaign_id, command)
    assert await issue_list(ctx, office.officer, asked, campaign_id, command) == issued
    assert await counts(owner) == (5, 5, 5, 5, 5)
    total = await owner.fetchval("SELECT sum(amount_fen) FROM transfer WHERE kind = 'grant'")
    assert total == issued.amount_fen == await owner.fetchval("SELECT sum(balance_fen) FROM voucher")
    rows = await owner.fetch("SELECT id, person_id, expires_at - granted_at AS life FROM voucher")
    assert {row["id"]: row["person_id"] for row in rows} == dict(
        zip(issued.voucher_ids, issued.person_ids, strict=True)
    )
    assert all(timedelta(days=13) < row["life"] <= timedelta(days=14) for row in rows)


async def test_persons_may_be_named_by_id(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection
) -> None:
    first = await issue_list(ctx, office.officer, None, campaign_id, lines(line(0)))
    other = await published(ctx, office, list_file(await now_of(ctx), code="second"))
    row = ListRow(tier="gold", person_id=first.person_ids[0])
    second = await issue_list(ctx, office.officer, None, other, lines(row, line(1)))
    assert second.person_ids[0] == first.person_ids[0]
    with pytest.raises(Invalid) as caught:
        await issue_list(ctx, office.officer, None, other, lines(ListRow(tier="gold", person_id=uuid4())))
    assert said(caught) == [(1, "list_person_unknown")]


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        ((line(0), line(1), line(0), line(0)), [(3, "list_person_doubled"), (4, "list_person_doubled")]),
        ((line(0), line(1, "silver"), line(2, "bronze")), [(2, "tier_unknown"), (3, "tier_unknown")]),
        ((line(0), ListRow(tier="gold")), [(2, "list_row_subject")]),
        ((line(0), ListRow(tier="gold", proofs=(Proof(kind="phone", value="1"),))), [(2, "proof_invalid")]),
        ((line(0), line(1, person_id=uuid4())), [(2, "list_row_subject")]),
    ],
)
async def test_wrong_lines_are_named_and_nothing_is_issued(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection,
    rows: tuple[ListRow, ...], problems: list[tuple[int, str]],
) -> None:  # fmt: skip
    with pytest.raises(Invalid, match="list_rows_invalid") as caught:
        await issue_list(ctx, office.officer, None, campaign_id, lines(*rows))
    assert said(caught) == problems
    assert await counts(owner) == (0, 0, 0, 0, 0)


async def test_nobody_is_issued_twice(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection
) -> None:
    await issue_list(ctx, office.officer, None, campaign_id, lines(line(0)))
    with pytest.raises(Invalid) as caught:
        command = IssueList(rows=(line(1), line(0)), first_line=101)
        await issue_list(ctx, office.officer, None, campaign_id, command)
    assert said(caught) == [(102, "list_person_had")]
    assert await counts(owner) == (1, 1, 1, 1, 1)


async def test_per_person_allows_as_many_as_the_file_says(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    campaign_id = await published(ctx, office, list_file(await now_of(ctx), per_person=2))
    await issue_list(ctx, office.officer, None, campaign_id, lines(line(0), line(0, "luck")))
    with pytest.raises(Invalid, match="list_rows_invalid"):
        await issue_list(ctx, office.officer, None, campaign_id, lines(line(0)))
    assert await counts(owner) == (2, 2, 1, 2, 2)


async def test_the_plan_is_never_exceeded(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection
) -> None:
    with pytest.raises(Refused, match="allotments_exhausted") as caught:
        await issue_list(ctx, office.officer, None, campaign_id, lines(*(line(i) for i in range(11))))
    assert caught.value.facts == {"tier": "gold", "left": 10, "wanted": 11}
    assert await counts(owner) == (0, 0, 0, 0, 0)


async def test_what_another_list_may_yet_give_back_is_not_exhausted(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection
) -> None:
    command = lines(*(line(i) for i in range(10)))
    asked = request(office.officer.id, "part-1", "list.issue", command)
    async with owner.transaction():
        await owner.execute("SELECT FROM allotment WHERE tier = 1 LIMIT 1 FOR UPDATE")
        with pytest.raises(TryAgain, match="busy"):
            await issue_list(ctx, office.officer, asked, campaign_id, command)
    assert len((await issue_list(ctx, office.officer, asked, campaign_id, command)).voucher_ids) == 10


async def test_many_at_once_issue_exactly_what_there_is(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection
) -> None:
    async def one(number: int) -> Issued | HongbaoError:
        try:
            return await issue_list(ctx, office.officer, None, campaign_id, lines(line(number % 12)))
        except HongbaoError as error:
            return error

    answers = await asyncio.gather(*(one(number) for number in range(24)))
    issued = [answer for answer in answers if isinstance(answer, Issued)]
    assert len(issued) == 10
    assert len({answer.person_ids for answer in issued}) == 10
    codes = {answer.code for answer in answers if isinstance(answer, HongbaoError)}
    assert codes <= {"allotments_exhausted", "list_rows_invalid", "busy"}
    assert (await counts(owner))[0] == 10


async def test_one_key_at_once_is_one_issue_and_one_answer(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection
) -> None:
    command = lines(line(0), line(1))
    asked = request(office.officer.id, "part-1", "list.issue", command)
    answers = await asyncio.gather(
        *(issue_list(ctx, office.officer, asked, campaign_id, command) for _ in range(4)),
        return_exceptions=True,
    )
    assert answers == [answers[0]] * 4 and isinstance(answers[0], Issued)
    assert await counts(owner) == (2, 2, 2, 2, 2)


async def test_a_list_that_waited_past_its_end_is_over(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection
) -> None:
    async with ctx.pool.acquire() as connection, connection.transaction():
        await lock_programme_proofs(connection, office.programme_id)
        issuing = asyncio.ensure_future(issue_list(ctx, office.officer, None, campaign_id, lines(line(0))))
        await wait_for_campaign_lock(ctx, issuing)
        await owner.execute("UPDATE clock SET shift = shift + interval '9 days'")
    with pytest.raises(Refused, match="list_over"):
        await issuing
    assert await counts(owner) == (0, 0, 0, 0, 0)


async def test_a_list_is_not_issued_before_its_time(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    later = list_file(await now_of(ctx) + timedelta(days=1), code="later")
    campaign_id = await published(ctx, office, later)
    with pytest.raises(Refused, match="list_not_open"):
        await issue_list(ctx, office.officer, None, campaign_id, lines(line(0)))
    assert await counts(owner) == (0, 0, 0, 0, 0)


async def test_a_line_that_settles_nobody_is_named_by_its_own_number(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection
) -> None:
    known = (await issue_list(ctx, office.officer, None, campaign_id, lines(line(0)))).person_ids[0]
    other = await published(ctx, office, list_file(await now_of(ctx), code="second"))
    phones = tuple(Proof(kind="phone", value=value) for value in ("13800000007", "13800000008"))
    rows = (ListRow(tier="gold", person_id=known), line(3), ListRow(tier="gold", proofs=phones))
    with pytest.raises(Invalid, match="list_rows_invalid") as caught:
        await issue_list(ctx, office.officer, None, other, IssueList(rows=rows, first_line=101))
    assert said(caught) == [(103, "proofs_disagree")]
    assert await counts(owner) == (1, 1, 1, 1, 1)


async def test_wrong_state_wrong_time_wrong_method_wrong_person(
    ctx: Context, office: Office, campaign_id: UUID, owner: asyncpg.Connection
) -> None:
    with pytest.raises(Denied, match="scope_missing"):
        await issue_list(ctx, office.finance, None, campaign_id, lines(line(0)))
    drawn = await published(ctx, office, draw_file(await now_of(ctx)))
    with pytest.raises(Refused, match="not_a_list"):
        await issue_list(ctx, office.officer, None, drawn, lines(line(0)))
    await pause_campaign(ctx, office.officer, None, drawn)
    with pytest.raises(Refused, match="wrong_state"):
        await issue_list(ctx, office.officer, None, drawn, lines(line(0)))
    other = await open_office(ctx, "else")
    with pytest.raises(Refused, match="not_found"):
        await issue_list(ctx, other.officer, None, campaign_id, lines(line(0)))
    await shift_clock(ctx, timedelta(days=9))
    with pytest.raises(Refused, match="list_over"):
        await issue_list(ctx, office.officer, None, campaign_id, lines(line(0)))
    assert await counts(owner) == (0, 0, 0, 0, 0)
    assert "list.issue" not in KIND_SCOPES["channel"]
