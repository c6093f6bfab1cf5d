"""`hongbao report CAMPAIGN`: a campaign's uptake in the terminal, as JSON or as a page to print."""

import asyncio
from pathlib import Path
from typing import cast

import click
from rich.console import Console

from api.report import render_page, show
from api.report.figures import reported
from api.report.texts import LANGUAGES, Language
from campaigns.domain.report import Report
from campaigns.runtime.settings import Settings
from campaigns.runtime.wiring import open_context
from campaigns.services.reporting import campaign_named, report


@click.command(name="report")
@click.argument("campaign")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON. 以 JSON 输出。")
@click.option(
    "--html",
    "html_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the report as a page into FILE; it needs no network. 写成网页文件。",
    metavar="FILE",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="zh or en [HONGBAO_LANGUAGE]. 语言。")
def report_command(campaign: str, as_json: bool, html_file: Path | None, language: str | None) -> None:
    """Report how CAMPAIGN (its code or id) was taken up and spent. 活动成效报告。"""
    if as_json and html_file is not None:
        raise click.UsageError(
            "--json 与 --html 只能选一个。 --json and --html are two different answers: choose one."
        )
    settings = Settings.from_env()
    spoken = cast(Language, language or settings.language)
    found = asyncio.run(_report(settings, campaign))
    if html_file is not None:
        html_file.write_text(render_page(found, spoken), encoding="utf-8")
        click.echo(str(html_file))
    elif as_json:
        click.echo(reported(found))
    else:
        show(found, spoken, Console())


async def _report(settings: Settings, campaign: str) -> Report:
    async with open_context(settings) as ctx:
        return await report(ctx, await campaign_named(ctx, campaign))


commands = (report_command,)
