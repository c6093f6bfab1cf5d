"""`hongbao audit`: check the books and the draws; exits 1 when anything is wrong and names the rows."""

import asyncio
import sys

import click
import msgspec
from rich.console import Console
from rich.table import Table

from campaigns.domain.invariants import INVARIANTS
from campaigns.runtime.settings import Settings
from campaigns.runtime.wiring import open_context
from campaigns.services.auditing import AuditResult, audit_through

EXIT_VIOLATED = 1


@click.command(name="audit")
@click.option(
    "--since-last",
    is_flag=True,
    help="Only what was written since the last clean audit, and all it touched. 仅校验上次无误校验以来的部分。",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON. 以 JSON 输出。")
@click.option(
    "--language",
    type=click.Choice(["zh", "en"]),
    help="Language of the sentences [HONGBAO_LANGUAGE]. 语言。",
)
def audit_command(since_last: bool, as_json: bool, language: str | None) -> None:
    """Check every invariant of the books and run every draw again. 账目与抽签的全面校验。

    With --since-last it takes a second where everything takes half a minute, and goes on to everything where it finds
    something. Ends with 0 when all hold, with 1 when one does not; the rows are named.
    """
    settings = Settings.from_env()
    result = asyncio.run(_run(settings, since_last, quiet=as_json or not sys.stderr.isatty()))
    if as_json:
        click.echo(msgspec.json.encode(result))
    else:
        show(result, language or settings.language, Console())
    if result.violations:
        raise SystemExit(EXIT_VIOLATED)


async def _run(settings: Settings, since_last: bool, *, quiet: bool) -> AuditResult:
    console = Console(stderr=True)
    async with open_context(settings) as ctx:
        if quiet:
            return await audit_through(ctx, since_last=since_last)
        with console.status("") as status:
            return await audit_through(ctx, status.update, since_last=since_last)


def show(result: AuditResult, language: str, console: Console) -> None:
    """Print the invariants with their outcome, then each row that breaks one."""
    zh = language == "zh"
    broken = {finding.invariant for finding in result.findings}
    table = Table(title="账目校验" if zh else "Audit", title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("不变式" if zh else "Invariant")
    table.add_column("结果" if zh else "Outcome")
    for number in result.invariants_checked:
        bad, good = ("不符", "成立") if zh else ("violated", "holds")
        mark = f"[red]{bad}[/]" if number in broken else f"[green]{good}[/]"
        table.add_row(str(number), INVARIANTS[number].zh if zh else INVARIANTS[number].en, mark)
    console.print(table)
    for finding in result.findings:
        console.print(
            f"[red]{finding.invariant} {finding.check}[/] {finding.subject} {finding.id}: "
            + (
                f"应为 {finding.expected}，实为 {finding.found}"
                if zh
                else f"expected {finding.expected}, found {finding.found}"
            ),
            soft_wrap=True,
        )
    extent = (
        ("全部账目" if zh else "everything")
        if result.whole
        else ("上次校验以来" if zh else "since the last audit")
    )
    console.print(
        f"{result.checks} 项检查（{extent}），{result.violations} 处不符"
        if zh
        else f"{result.checks} checks ({extent}), {result.violations} violations"
    )


commands = (audit_command,)
