"""Which chart shows what of the report, in one language."""

from collections.abc import Iterable, Sequence

from api.report.charts import DayBar, Row, days_chart, rows_chart
from api.report.texts import Language, named, percent, text
from campaigns.domain.money import BASIS_POINTS, format_yuan
from campaigns.domain.report import REST, Report, Slice, Stage, Target
from campaigns.domain.report_figures import TARGET_FIGURES

REFUSED_SCALE = 2  # the bar of a "below" target ends at twice its goal
MOST_REASONS = 8
STAGES = ("offered", "drawn", "accepted", "first_use", "fully_used", "expired", "returned")
GIVEN_BACK = ("expired", "returned")


def charts(report: Report, language: Language) -> dict[str, str]:
    """Every chart as SVG, by its name; a chart without data is left out."""
    made = {
        "targets": rows_chart(
            [_target(report, t, language) for t in report.targets], text("targets", language)
        )
    }
    made["funnel"] = rows_chart(_funnel(report, language), text("funnel", language))
    if report.days:
        days = [DayBar(d.day.strftime("%m-%d"), d.captured_fen, d.refunded_fen) for d in report.days]
        made["days"] = days_chart(_apart(days, report), text("days", language), _unit(language))
    for name, parts in (("places", report.places), ("scenarios", report.scenarios)):
        if parts:
            made[name] = rows_chart(_slices(parts, language), text(name, language))
    if report.refusals.by_code:
        made["refusals"] = rows_chart(_refusals(report, language), text("refusals", language))
    return made


def _unit(language: Language) -> str:
    return "元" if language == "zh" else "yuan"


def _apart(days: Sequence[DayBar], report: Report) -> list[DayBar]:
    """Days of more than one year need it in their names, or two bars would share one."""
    if len({day.day for day in days}) == len(days):
        return list(days)
    return [bar._replace(day=day.day.isoformat()) for bar, day in zip(days, report.days, strict=True)]


def _target(report: Report, target: Target, language: Language) -> Row:
    scale_bp = BASIS_POINTS if target.at_least else target.goal_bp * REFUSED_SCALE
    goal = text("goal_at_least" if target.at_least else "goal_below", language, goal=_goal(target.goal_bp))
    verdict = {True: "reached", False: "missed", None: "unknown"}[target.reached]
    return Row(
        label=f"{_label(report, TARGET_FIGURES[target.id], language)} · {text(verdict, language)}",
        value=f"{percent(target.found_bp)} · {goal}",
        part=(target.found_bp or 0) / scale_bp,
        colour="good" if target.reached else "accent",
        goal=target.goal_bp / scale_bp,
    )


def _label(report: Report, figure: str, language: Language) -> str:
    label = text(figure, language)
    return text("simulated_label", language, label=label) if report.kinds[figure] == "input" else label


def _goal(goal_bp: int) -> str:
    return f"{goal_bp // 100}%"


def _funnel(report: Report, language: Language) -> list[Row]:
    funnel, rows = report.funnel, []
    offered = funnel.offered.count
    if funnel.registered is not None:
        count = funnel.registered.count
        odds = f"{count / offered:.1f}" if offered else "–"
        value = text("odds", language, count=f"{count:,}", odds=odds)
        rows.append(Row(_label(report, "funnel.registered", language), value, 1.0 if count else 0.0, "gold"))
    for name in STAGES:
        stage: Stage = getattr(funnel, name)
        value = f"{text('packets', language, count=f'{stage.count:,}')} · {format_yuan(stage.value_fen or 0)}"
        colour = "soft" if name in GIVEN_BACK else "accent"
        rows.append(
            Row(
                _label(report, f"funnel.{name}", language),
                value,
                stage.count / offered if offered else 0.0,
                colour,
            )
        )
    return rows


def _slices(parts: Iterable[Slice], language: Language) -> list[Row]:
    rows = list(parts)
    most = max((part.spent_fen for part in rows), default=0) or 1
    return [
        Row(
            label=named(part.name, language),
            value=f"{format_yuan(part.spent_fen)} · {text('paid_times', language, count=f'{part.payments:,}')}",
            part=part.spent_fen / most,
            colour="gold" if part.key == REST else "accent",
        )
        for part in rows
    ]


def _refusals(report: Report, language: Language) -> list[Row]:
    found = report.refusals.by_code
    most = found[0].times
    rows = [
        Row(
            label=named(one.sentence, language),
            value=text("refused_times", language, count=f"{one.times:,}"),
            part=one.times / most,
        )
        for one in found[:MOST_REASONS]
    ]
    others = sum(one.times for one in found[MOST_REASONS:])
    if others:
        value = text("refused_times", language, count=f"{others:,}")
        rows.append(Row(text("rest", language), value, others / most, "gold"))
    return rows
