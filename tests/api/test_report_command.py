"""`hongbao report` as an office runs it, on the test's own database."""

import asyncio
from pathlib import Path

import asyncpg
import msgspec
from click.testing import CliRunner, Result

from api.cli.report import report_command
from campaigns.domain.report import Report
from campaigns.services.context import Context
from campaigns.services.reporting import report
from tests.support.report_world import counted_campaign, spend_known_sums


async def _run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, report_command, list(arguments))


async def test_tables_json_and_page_of_one_campaign(
    environment: Path, ctx: Context, owner: asyncpg.Connection
) -> None:
    counted = await counted_campaign(ctx, owner)
    await spend_known_sums(counted)
    expected = await report(ctx, counted.campaign_id)

    told = await _run(expected.code, "--json")
    assert told.exit_code == 0, told.output
    found = msgspec.json.decode(told.stdout, type=Report)
    assert msgspec.structs.replace(found, made_at=expected.made_at) == expected

    for language, words in (("zh", "净补贴支出"), ("en", "Net subsidy spent")):
        told = await _run(str(counted.campaign_id), "--language", language)
        assert told.exit_code == 0 and words in told.stdout and "¥130.00" in told.stdout

    file = environment / "report.html"
    told = await _run(expected.code, "--html", str(file), "--language", "en")
    assert told.exit_code == 0 and told.stdout.strip() == str(file)
    page = file.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and "Pingyin Autumn Packets" in page and "¥130.00" in page


async def test_a_campaign_that_is_not_there(environment: Path, ctx: Context) -> None:
    told = await _run("nothing")
    assert told.exit_code != 0 and getattr(told.exception, "code", None) == "not_found"


async def test_two_kinds_of_answer_at_once_are_refused(environment: Path) -> None:
    told = await _run("x", "--json", "--html", "page.html")
    assert told.exit_code == 2 and "choose one" in told.output
