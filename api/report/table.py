"""The report in the terminal."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from api.report.figures import lines
from api.report.texts import Language, named, percent, text
from campaigns.domain.money import format_yuan
from campaigns.domain.report import REST, Report, Slice
from campaigns.domain.windows import local_text, zone_of


def show(report: Report, language: Language, console: Console) -> None:
    """Print the report: targets, all figures with their kind, breakdowns, refusals, funders."""
    made_at = local_text(report.made_at, zone_of(report.time_zone))
    state = text(f"state.{report.state}", language)
    console.print(
        Styled(f"{named(report.name, language)} · {text('title', language)}", style="bold"),
        Styled(
            f"{report.code} · {state} · {text('made_at', language)} {made_at} ({report.time_zone})",
            style="dim",
        ),
        sep="\n",
    )
    simulated = "input" in report.kinds.values()
    if simulated:
        console.print(Styled(text("simulated_note", language), style="yellow"))
    console.print(_targets(report, language), _figures(report, language, simulated))
    for name, parts in (
        ("places", report.places), ("scenarios", report.scenarios), ("merchants", report.by_merchant),
    ):  # fmt: skip
        console.print(_slices(name, parts, language))
    console.print(_days(report, language), _refusals(report, language), _funders(report, language))


def _table(title: str, language: Language, left: Iterable[str], right: Iterable[str]) -> Table:
    table = Table(title=text(title, language), title_justify="left", title_style="bold")
    for name in left:
        table.add_column(text(name, language), overflow="fold")
    for name in right:
        table.add_column(text(name, language), justify="right", no_wrap=True)
    return table


def _targets(report: Report, language: Language) -> Table:
    table = _table("targets", language, ("figure",), ("share",))
    table.add_column("")
    table.add_column("")
    for target in report.targets:
        goal = f"{target.goal_bp // 100}%"
        verdict, style = {True: ("reached", "green"), False: ("missed", "red"), None: ("unknown", "dim")}[
            target.reached
        ]
        table.add_row(
            text(f"target.{target.id}", language),
            percent(target.found_bp),
            text("goal_at_least" if target.at_least else "goal_below", language, goal=goal),
            Styled(text(verdict, language), style=style),
        )
    return table


def _figures(report: Report, language: Language, simulated: bool) -> Table:
    table = _table("figures", language, ("figure",), ("count", "value"))
    if simulated:
        table.add_column(text("kind", language))
    section = ""
    for line in lines(report):
        start = line.name.split(".")[0]
        if section and start != section:
            table.add_section()
        section = start
        row = [text(line.name, language), line.number, line.value]
        if simulated:
            row.append(text(line.kind, language))
        table.add_row(*row)
    return table


def _slices(title: str, parts: Iterable[Slice], language: Language) -> Table:
    table = _table(title, language, ("figure",), ("payments", "net", "own"))
    for part in parts:
        label = named(part.name, language)
        if title == "merchants" and part.key != REST:
            label = f"{label} ({part.key})"
        table.add_row(
            Styled(label), f"{part.payments:,}", format_yuan(part.spent_fen), format_yuan(part.own_fen)
        )
    return table


def _days(report: Report, language: Language) -> Table:
    table = _table(
        "days", language, (), ("day", "payments", "spending.captured_fen", "spending.refunded_fen")
    )
    for day in report.days:
        table.add_row(
            str(day.day), f"{day.payments:,}", format_yuan(day.captured_fen), format_yuan(day.refunded_fen)
        )
    return table


def _refusals(report: Report, language: Language) -> Table:
    table = _table("refusals", language, ("reason",), ("times",))
    for one in report.refusals.by_code:
        table.add_row(Styled(f"{named(one.sentence, language)} [{one.code}]"), f"{one.times:,}")
    return table


def _funders(report: Report, language: Language) -> Table:
    table = _table("funders", language, ("funder",), ("share", "funded", "part", "returned"))
    for one in report.funders:
        table.add_row(
            Styled(named(one.name, language)), percent(one.share_bp), format_yuan(one.funded_fen),
            format_yuan(one.spent_fen), format_yuan(one.returned_fen),
        )  # fmt: skip
    return table
