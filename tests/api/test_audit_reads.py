"""Auditors read the log, the books and the audit of their own programme, and of no other."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest

from api.routes import audits
from campaigns.services import audit_runs
from campaigns.services.context import Context
from campaigns.services.paying import redeem
from tests.support.campaign_files import list_file
from tests.support.draw_world import open_draw
from tests.support.http import Served, make_key, serve
from tests.support.office import Office, now_of, open_office, published
from tests.support.payworld import PayWorld, asked
from tests.support.reader import Reader


@pytest.fixture
async def served(ctx: Context) -> AsyncIterator[Served]:
    async with serve(ctx, audits.ROUTES) as served:
        yield served


async def desk_of(served: Served, owner: asyncpg.Connection, programme_id: UUID, staff_id: UUID) -> Reader:
    await owner.execute("""UPDATE staff SET roles = roles || '["auditor"]' WHERE id = $1""", staff_id)
    return Reader(served, await make_key(owner, programme_id, "auditor", ["audit.read"], staff_id))


async def office_desk(served: Served, owner: asyncpg.Connection, office: Office) -> Reader:
    return await desk_of(served, owner, office.programme_id, office.admin.id)


async def test_the_log_tells_who_did_what_in_the_own_programme(
    ctx: Context, served: Served, owner: asyncpg.Connection
) -> None:
    office, other = await open_office(ctx), await open_office(ctx, "other")
    source = list_file(await now_of(ctx))
    mine = await published(ctx, office, source)
    theirs = await published(ctx, other, source.replace(": test", ": other"))
    desk, foreign = await office_desk(served, owner, office), await office_desk(served, owner, other)

    log = await desk.walk("/v1/audit-log")
    rows = await owner.fetch(
        "SELECT id FROM audit WHERE programme_id = $1 ORDER BY id DESC", office.programme_id
    )
    assert [act["id"] for act in log] == [row["id"] for row in rows]
    assert await desk.walk("/v1/audit-log", limit=2) == log
    approval = next(act for act in log if act["action"] == "campaign.approve")
    login = await owner.fetchval("SELECT login FROM staff WHERE id = $1", office.approver.id)
    assert approval["actor"] == {"kind": "staff", "id": str(office.approver.id), "login": login}
    assert (approval["campaign_id"], approval["subject_id"]) == (str(mine), str(mine))

    of_campaign = await desk.walk("/v1/audit-log", campaign_id=str(mine))
    assert of_campaign == [act for act in log if act["campaign_id"] == str(mine)] != log
    published_ = await desk.walk("/v1/audit-log", action="campaign.publish")
    assert [act["campaign_id"] for act in published_] == [str(mine)]

    their_log = await foreign.walk("/v1/audit-log")
    assert their_log and not {act["id"] for act in log} & {act["id"] for act in their_log}
    assert str(mine) not in str(their_log) and str(theirs) not in str(log)
    assert (await foreign.get("/v1/audit-log", campaign_id=str(mine)))[0] == 404


@pytest.mark.parametrize("cursor", ["nonsense", "LTE", "MTAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw", "IjEi"])
async def test_a_cursor_that_is_not_of_the_list_is_refused(
    ctx: Context, served: Served, owner: asyncpg.Connection, cursor: str
) -> None:
    desk = await office_desk(served, owner, await open_office(ctx))
    status, body = await desk.get("/v1/audit-log", cursor=cursor)
    assert (status, body["code"]) == (422, "query_invalid")


@dataclass
class Books:
    """A campaign of 10,000,000 fen with one voucher of 5,000 fen, of which 3,000 were spent."""

    world: PayWorld
    campaign_id: UUID
    shop: UUID
    desk: Reader


async def open_books(ctx: Context, served: Served, owner: asyncpg.Connection) -> Books:
    world = await PayWorld(ctx).start()
    campaign, person, shop = await world.campaign(), await world.person(), await world.merchant()
    await world.voucher(campaign, person, 5_000)
    till, spend = world.till(shop), await world.spend(person, 3_000)
    await redeem(ctx, till, asked(till, spend), spend)
    desk = await desk_of(served, owner, world.programme_id, world.author_id)
    return Books(world, campaign, shop, desk)


@pytest.fixture
async def books(ctx: Context, served: Served, owner: asyncpg.Connection) -> Books:
    return await open_books(ctx, served, owner)


async def test_the_ledger_is_read_line_by_line_and_account_by_account(books: Books) -> None:
    path = f"/v1/campaigns/{books.campaign_id}"
    lines = await books.desk.walk(f"{path}/transfers", limit=1)
    assert [(line["kind"], line["amount_fen"]) for line in lines] == [
        ("redeem", 3_000),
        ("grant", 5_000),
        ("fund", 10_000_000),
    ]
    merchant = (await books.world.row("merchant", books.shop))["code"]
    assert lines[0]["debit"]["kind"] == "outstanding" and lines[0]["debit"]["code"] == "bank"
    assert lines[0]["credit"] == {"kind": "payable", "holder_id": str(books.shop), "code": merchant}
    assert {line["operator"] for line in lines} == {"bank"}

    sheet = await books.desk.read(f"{path}/balances")
    assert [(one["kind"], one["name"]["en"], one["balance_fen"]) for one in sheet["accounts"]] == [
        ("funder", "Funder", -10_000_000),
        ("escrow", "Bank", 9_995_000),
        ("outstanding", "Bank", 2_000),
        ("payable", "M", 3_000),
    ]
    moved: dict[tuple[str, str], int] = {}
    for line in lines:
        for side, sign in (("debit", -1), ("credit", 1)):
            account = (line[side]["kind"], line[side]["holder_id"])
            moved[account] = moved.get(account, 0) + sign * line["amount_fen"]
    assert moved == {(one["kind"], one["holder_id"]): one["balance_fen"] for one in sheet["accounts"]}


async def test_books_of_another_programme_are_unknown(
    ctx: Context, books: Books, served: Served, owner: asyncpg.Connection
) -> None:
    other = await PayWorld(ctx).start()
    foreign = await desk_of(served, owner, other.programme_id, other.author_id)
    for part in ("transfers", "balances"):
        status, body = await foreign.get(f"/v1/campaigns/{books.campaign_id}/{part}")
        assert (status, body["code"]) == (404, "not_found")


async def test_the_audit_names_what_is_wrong_in_the_own_programme_alone(
    ctx: Context, books: Books, served: Served, owner: asyncpg.Connection
) -> None:
    other = await open_books(ctx, served, owner)
    for desk in (books.desk, other.desk):
        sound = await desk.read("/v1/audit")
        assert (sound["violations"], sound["findings"]) == (0, [])
        assert sound["invariants_checked"] == [1, 3, 4, 5, 6, 8, 9, 14, 15]
    await owner.execute("ALTER TABLE transfer DISABLE TRIGGER USER")
    await owner.execute("DELETE FROM transfer WHERE campaign_id = $1 AND kind = 'redeem'", books.campaign_id)
    await owner.execute(
        "UPDATE payment SET captured_at = hold_until + interval '1 second' WHERE merchant_id = $1", books.shop
    )
    found = await books.desk.read("/v1/audit")
    assert {"payment_in_books", "accounts_against_rows", "decided_in_time"} == {
        finding["check"] for finding in found["findings"]
    }
    assert (await other.desk.read("/v1/audit"))["violations"] == 0


async def test_a_draw_that_was_tampered_with_is_named_to_its_own_programme(
    ctx: Context, books: Books, served: Served, owner: asyncpg.Connection
) -> None:
    draw = await open_draw(ctx)
    await draw.enter(await draw.people(20), ticked=10)
    await draw.award()
    desk = await office_desk(served, owner, draw.office)
    assert (await desk.read("/v1/audit"))["violations"] == 0
    await owner.execute("UPDATE award SET rank = rank + 1 WHERE rank = 1")
    [finding] = (await desk.read("/v1/audit"))["findings"]
    assert (finding["invariant"], finding["check"], finding["campaign_id"]) == (
        8,
        "draw_again",
        str(draw.campaign_id),
    )
    assert (await books.desk.read("/v1/audit"))["violations"] == 0


async def test_one_audit_runs_at_a_time_and_one_whose_caller_left_ends(
    books: Books, owner: asyncpg.Connection
) -> None:
    async with owner.transaction():
        await owner.execute("LOCK TABLE voucher IN ACCESS EXCLUSIVE MODE")
        first = asyncio.create_task(books.desk.get("/v1/audit"))
        while not audit_runs._running:
            assert not first.done()
            await asyncio.sleep(0)
        status, body = await books.desk.get("/v1/audit")
        assert (status, body["code"]) == (503, "busy")
        [running] = audit_runs._running
        first.cancel()
        await asyncio.wait({running}, timeout=20)
        assert running.cancelled() and not audit_runs._running
    assert (await books.desk.read("/v1/audit"))["violations"] == 0


@pytest.mark.parametrize("path", ["/v1/audit-log", "/v1/audit"])
async def test_auditors_alone_read_it(
    books: Books, served: Served, owner: asyncpg.Connection, path: str
) -> None:
    for kind, scopes, subject in (
        ("staff", ["audit.read"], books.world.approver_id),  # no role of theirs is auditor
        ("merchant", ["merchant.read"], books.shop),
        ("operator", ["operator.read"], books.world.operator_id),
    ):
        key = await make_key(owner, books.world.programme_id, kind, scopes, subject)
        assert (await Reader(served, key).get(path))[0] == 403
