"""The report's charts: one Vega-Lite specification each, drawn as SVG here, so that a page needs no script.

Colours are the names of `PALETTE`: the page's style sheet finds them by their value and gives them what suits its
light, dark and printed form. Data stay integers of fen; only Vega divides, to write an axis.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

import altair as alt
import vl_convert

from api.report import fonts

WIDTH: Final = 420
ROW_HEIGHT: Final = 42
DAYS_HEIGHT: Final = 210
MOST_DAY_LABELS: Final = 7
FONT_SIZE: Final = 13.5
PHONE_SCALE: Final = 1.15  # of the text, by the style sheet
PALETTE: Final[Mapping[str, str]] = {
    "ink": "#1f2329",
    "muted": "#6a7079",
    "line": "#e4e0da",
    "accent": "#b3261e",
    "soft": "#d9a79f",
    "gold": "#b5862b",
    "good": "#2f7d4f",
}


class Row(NamedTuple):
    """One bar with its label above it: ``part`` and ``goal`` are of the full width, 0..1."""

    label: str
    value: str
    part: float
    colour: str = "accent"
    goal: float | None = None


class DayBar(NamedTuple):
    """A day with what was captured and what was given back, in fen."""

    day: str
    captured_fen: int
    refunded_fen: int


def rows_chart(rows: Sequence[Row], title: str) -> str:
    """Horizontal bars, each under its label and value: readable on a phone and on paper."""
    data = [
        {
            "i": i,
            "label": row.label,
            "value": row.value,
            "part": min(max(row.part, 0.0), 1.0),
            "colour": PALETTE[row.colour],
            "goal": row.goal,
        }
        for i, row in enumerate(rows)
    ]
    base = alt.Chart(_inline(data)).encode(y=alt.Y("i:O", axis=None))
    x = alt.X("part:Q", axis=None, scale=alt.Scale(domain=[0, 1]), stack=None)
    track = base.mark_bar(size=9, yOffset=8, color=PALETTE["line"], cornerRadius=4.5).encode(
        x=alt.XDatum(0, axis=None), x2=alt.X2Datum(1)
    )
    bars = base.mark_bar(size=9, yOffset=8, cornerRadius=4.5).encode(
        x=x, color=alt.Color("colour:N", scale=None)
    )
    goals = base.mark_tick(size=13, thickness=2.5, yOffset=8, color=PALETTE["ink"]).encode(x="goal:Q")
    label_limit = [_label_limit(row) for row in rows]
    labels = [
        base.transform_filter(f"datum.i == {i}")
        .mark_text(align="left", dy=-9, fontSize=FONT_SIZE, color=PALETTE["ink"], limit=limit)
        .encode(x=alt.value(0), text="label:N")
        for i, limit in enumerate(label_limit)
    ]
    values = base.mark_text(align="right", dy=-9, fontSize=FONT_SIZE, color=PALETTE["muted"]).encode(
        x=alt.value(WIDTH), text="value:N"
    )
    chart = alt.layer(track, bars, goals, *labels, values)
    return _draw(chart.properties(width=WIDTH, height=ROW_HEIGHT * len(rows)), title)


def _label_limit(row: Row) -> float:
    """What the value leaves of a line where a phone shows both larger; a Chinese character is twice a digit's width."""
    value_width = sum(16 if ord(character) > 0x2000 else 8.5 for character in row.value)
    return (WIDTH - 8 - value_width) / PHONE_SCALE


def days_chart(days: Sequence[DayBar], title: str, unit: str) -> str:
    """A bar a day: upward what was captured, downward what was given back."""
    data = [{"day": d.day, "fen": d.captured_fen, "back_fen": -d.refunded_fen} for d in days]
    every = max(1, -(-len(days) // MOST_DAY_LABELS))
    x = alt.X(
        "day:O",
        axis=alt.Axis(title=None, labelAngle=0, values=[d.day for d in days[::every]]),
        scale=alt.Scale(paddingInner=0.25, paddingOuter=0.15),
    )
    axis = alt.Axis(title=unit, titleAngle=0, titleAlign="left", titleAnchor="end", titleX=4, titleY=-14, titleBaseline="bottom",
                    tickCount=5, labelExpr="format(datum.value / 100, ',')")  # fmt: skip
    base = alt.Chart(_inline(data)).encode(x=x)
    captured = base.mark_bar(color=PALETTE["accent"], cornerRadiusTopLeft=2, cornerRadiusTopRight=2).encode(
        y=alt.Y("fen:Q", axis=axis, stack=None)
    )
    back = base.mark_bar(color=PALETTE["soft"]).encode(y=alt.Y("back_fen:Q", axis=axis, stack=None))
    chart = alt.layer(captured, back).properties(
        width=WIDTH, height=DAYS_HEIGHT, autosize=alt.AutoSizeParams(type="fit-x", contains="padding")
    )
    return _draw(chart, title)


def _inline(rows: list[dict[str, Any]]) -> alt.Data:
    data: alt.Data = alt.Data.from_dict({"values": rows})
    return data


def _draw(chart: alt.LayerChart | alt.FacetChart, title: str) -> str:
    """The SVG as an element of a page: it scales with its column, and names itself to a screen reader."""
    fonts.register()
    whole = (
        chart.configure(font=fonts.FAMILY, background="transparent", padding=2)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=PALETTE["muted"], titleColor=PALETTE["muted"], labelFontSize=12.5, titleFontSize=12.5,
            titleFontWeight="normal", gridColor=PALETTE["line"], domainColor=PALETTE["line"], ticks=False, labelPadding=6,
        )
        .configure_axisX(grid=False)
    )  # fmt: skip
    spec: dict[str, Any] = whole.to_dict()
    svg: str = vl_convert.vegalite_to_svg(spec)
    head, _, rest = svg.partition(">")
    kept = " ".join(
        part for part in head.split(" ") if not part.startswith(("xmlns", "version", "class", "<svg"))
    )
    return f'<svg class="chart" role="img" aria-label="{escape(title)}" {kept}>{rest}'
