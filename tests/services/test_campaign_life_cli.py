"""The office's desk on the command line: a programme from nothing to a published list campaign, and its refusals."""

import asyncio
import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner, Result

from api.cli import main
from campaigns.domain.errors import HongbaoError
from campaigns.runtime.engines import Databases
from campaigns.services.clock import shift_clock
from campaigns.services.context import Context
from campaigns.services.sweeping import sweep
from tests.support.bearer import authenticate
from tests.support.campaign_files import list_file
from tests.support.office import now_of

HEAD = "商户编号,商户名称,统一社会信用代码,收单机构,商户类别码,门店编号,门店名称,地区代码,场景,终端编号,标签"
SHOP = "m-1,榆山超市,91110000600037341L,bank-a,5411,s-1,一店,370124,retail,t-1,test"


@pytest.fixture
def folder(environment: Path, database: Databases, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings that lead the commands to the test's engines and key."""
    monkeypatch.setenv("DATABASE_OWNER_URL", database.owner.dsn)
    return environment


async def run(*arguments: object) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, [str(argument) for argument in arguments])


async def done(*arguments: object) -> Any:
    result = await run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


async def refused(code: str, *arguments: object) -> str:
    result = await run(*arguments)
    assert result.exit_code == 1 and f"[{code}]" in result.output, (result.output, result.exception)
    assert not isinstance(result.exception, HongbaoError)
    return result.output


async def make_office() -> None:
    await done(
        "programme", "init", "test", "--zh", "测试", "--en", "Test", "--login", "boss", "--name", "Boss"
    )
    for login, role in (("writer", "officer"), ("reader", "approver"), ("cash", "finance")):
        await done("staff", "add", login, "--name", login, "--role", role, "--programme", "test")


async def test_from_nothing_to_the_closed_books(
    ctx: Context, owner: asyncpg.Connection, folder: Path
) -> None:
    await make_office()
    await refused(
        "code_taken", "programme", "init", "test", "--zh", "x", "--en", "x", "--login", "b", "--name", "B"
    )
    file = folder / "campaign.yaml"
    file.write_text(list_file(await now_of(ctx)), encoding="utf-8")
    await done("campaign", "create", file, "--as", "writer")
    await done("campaign", "submit", "test-list", "--as", "writer")
    await refused("scope_missing", "campaign", "approve", "test-list", "--as", "writer")
    await done("campaign", "approve", "test-list", "--as", "reader")
    await refused("not_fully_funded", "campaign", "publish", "test-list", "--as", "writer")
    one = ("--funder", "county", "--operator", "bank-a", "--yuan", "1.50")
    assert (await done("campaign", "fund", "test-list", *one, "--as", "cash"))["funded_fen"] == 150
    await done("campaign", "fund", "test-list", "--whole-plan", "--as", "cash")
    assert (await done("campaign", "publish", "test-list", "--as", "writer"))["state"] == "published"
    people = folder / "people.csv"
    people.write_bytes("档次,手机号\ngold,１３８００００００００\ngold,13800000001\n".encode("gb18030"))
    for _ in range(2):  # run again, it answers the same and issues nothing more
        answer = await done("campaign", "issue-list", "test-list", people, "--as", "writer")
        assert answer == {"vouchers": 2, "amount_fen": 4_000}
    assert await owner.fetchval("SELECT count(*) FROM voucher") == 2
    people.write_text("tier,phone\ngold,13800000001\nsilver,13800000002\n")
    output = await refused(
        "list_rows_invalid", "campaign", "issue-list", "test-list", people, "--as", "writer"
    )
    assert "3: " in output and "[tier_unknown]" in output
    await shift_clock(ctx, timedelta(days=31))
    await sweep(ctx)
    assert (await done("campaign", "close", "test-list", "--as", "writer"))["returned_fen"] == 30_001
    [shown] = (await done("campaign", "list", "--as", "writer"))["items"]
    assert shown["state"] == "closed"


async def test_a_bad_file_says_every_problem(ctx: Context, owner: asyncpg.Connection, folder: Path) -> None:
    await make_office()
    file = folder / "campaign.yaml"
    file.write_text(
        list_file(await now_of(ctx)).replace("7000", "6000").replace("scenario: retail", "scenario: x")
    )
    output = await refused("definition_invalid", "campaign", "create", file, "--as", "writer")
    assert "[file_shares_sum]" in output and "[file_scenario_unknown]" in output
    assert await owner.fetchval("SELECT count(*) FROM campaign") == 0


async def test_merchants_and_their_keys(ctx: Context, owner: asyncpg.Connection, folder: Path) -> None:
    await make_office()
    await done("operator", "add", "bank-a", "--zh", "甲", "--en", "A", "--programme", "test")
    table, keys = folder / "shops.csv", folder / "keys.csv"
    table.write_bytes(f"{HEAD}\n{SHOP}\n{SHOP.replace('5411', '54')}\n".encode("gb18030"))
    output = await refused("import_invalid", "merchant", "import", table, "--keys", keys, "--as", "writer")
    assert "3: " in output and "[mcc_invalid]" in output
    assert not keys.exists() and await owner.fetchval("SELECT count(*) FROM merchant") == 0
    table.write_bytes(f"{HEAD}\n{SHOP}\n".encode("utf-8-sig"))
    answer = await done("merchant", "import", table, "--keys", keys, "--as", "writer")
    assert answer == {"merchants": 1, "stores": 1, "terminals": 1}
    assert keys.stat().st_mode & 0o777 == 0o600
    [row] = csv.DictReader(keys.read_text().splitlines())
    assert (await authenticate(ctx, row["key"])).kind == "terminal"


async def test_keys_are_made_and_revoked(ctx: Context, folder: Path) -> None:
    await make_office()
    made = await done("key", "make", "staff", "--label", "desk", "--subject", "writer", "--programme", "test")
    caller = await authenticate(ctx, made["key"])
    assert caller.kind == "staff" and "campaign.write" in caller.scopes
    assert not {"campaign.approve", "funds.write"} & caller.scopes
    channel = await done(
        "key", "make", "channel", "--label", "bot", "--scope", "people.write", "--programme", "test"
    )
    assert (await authenticate(ctx, channel["key"])).scopes == {"people.write"}
    for arguments in (
        ("channel", "--scope", "pay"),
        ("terminal", "--subject", "x"),
        ("staff", "--subject", "nobody"),
    ):
        result = await run("key", "make", arguments[0], "--label", "x", *arguments[1:], "--programme", "test")
        assert result.exit_code == 1 and result.exception is not None
    await done("key", "revoke", made["id"], "--programme", "test")
    with pytest.raises(HongbaoError, match="key_unknown"):
        await authenticate(ctx, made["key"])
    assert len((await done("key", "list", "--programme", "test"))["items"]) == 2
    result = await run("staff", "add", "x", "--name", "x", "--role", "officer", "--programme", "none")
    assert result.exit_code == 1 and "programme init" in result.output


async def test_who_may_not_act_is_told_whose_act_it_is(ctx: Context, folder: Path) -> None:
    await make_office()
    file = folder / "campaign.yaml"
    file.write_text(list_file(await now_of(ctx)), encoding="utf-8")
    output = await refused("not_found", "campaign", "create", file, "--as", "ghost")
    assert output.count("ghost") == 2 and "hongbao staff add" in output
    output = await refused("scope_missing", "campaign", "create", file, "--as", "cash")
    assert "campaign.write" in output and output.count("officer") == 2 and "key" not in output
    output = await refused("not_found", "draw", "status", "test-list", "--as", "ghost")
    assert "hongbao staff add" in output


async def test_a_file_that_cannot_be_written_is_said_plainly(ctx: Context, folder: Path) -> None:
    await make_office()
    file = folder / "campaign.yaml"
    file.write_text(list_file(await now_of(ctx)), encoding="utf-8")
    await done("campaign", "create", file, "--as", "writer")
    result = await run("report", "test-list", "--html", folder / "nowhere" / "report.html")
    assert result.exit_code == 1 and "report.html: No such file or directory" in result.output
    assert not isinstance(result.exception, OSError)
