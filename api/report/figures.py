"""Every single figure of a report as people read it, in the order of `FIGURES`: for the page's and the terminal's tables."""

from typing import NamedTuple

import msgspec

from api.report.texts import percent
from campaigns.domain.money import format_yuan
from campaigns.domain.report import Kind, Report, Stage
from campaigns.domain.report_figures import FIGURES


class Line(NamedTuple):
    """A figure: its name in `FIGURES`, number and value as written ("" where it has none), and its kind."""

    name: str
    number: str
    value: str
    kind: Kind


def lines(report: Report) -> list[Line]:
    """Stages, counts, amounts and shares; breakdowns have tables of their own."""
    found = []
    for name in FIGURES:
        section, _, leaf = name.partition(".")
        if not leaf:
            continue
        value = getattr(getattr(report, section), leaf)
        if (value is None and not leaf.endswith(("_bp", "_fen"))) or isinstance(value, tuple):
            continue
        found.append(Line(name, *written(leaf, value), report.kinds[name]))
    return found


def written(leaf: str, value: Stage | int | None) -> tuple[str, str]:
    """The count and the value of a figure by the unit in its name."""
    if isinstance(value, Stage):
        return f"{value.count:,}", "" if value.value_fen is None else format_yuan(value.value_fen)
    if leaf.endswith("_bp"):
        return percent(value), ""
    if value is None:
        return "", "–"
    return ("", format_yuan(value)) if leaf.endswith("_fen") else (f"{value:,}", "")


def reported(report: Report) -> bytes:
    """The report as JSON, indented: the same data as GET /v1/campaigns/{campaign_id}/report."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2)
