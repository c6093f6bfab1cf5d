"""Checks of stages: a draw registers, draws, then accepts; spending begins when winners are known.

Stages of one campaign do not overlap: registration ends before the draw begins, the draw ends before acceptance
and spending begin. Acceptance and spending may overlap, and nobody accepts what can no longer be spent.
"""

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from campaigns.domain.definition.check_names import plan_of
from campaigns.domain.definition.limits import MAX_SPENDING_DAYS
from campaigns.domain.definition.members import example_of
from campaigns.domain.definition.model import Definition, DrawPlan, ListPlan, LocalWindow, RushPlan, Source
from campaigns.domain.definition.problems import Ledger, Path
from campaigns.domain.errors import Invalid
from campaigns.domain.windows import parse_local, zone_of

# Sources nobody can choose or withhold; the others are people or wait for people.
BEACONS = ("drand", "rehearsal")
# The first round of each beacon: drand's quicknet, and the demonstration's own chain.
GENESIS = {
    "drand": datetime.fromtimestamp(1_692_803_367, UTC),
    "rehearsal": datetime.fromtimestamp(1_577_836_800, UTC),
}


class Span(NamedTuple):
    """A window [start, end) with the texts of the file, which messages repeat."""

    start: datetime
    end: datetime
    start_text: str
    end_text: str


def check_times(draft: Definition, ledger: Ledger) -> None:
    """The time zone, every local time, the stages a plan needs and their order, sources and openings."""
    zone = zone_of_draft(draft, ledger)
    spans = spans_of(draft, zone, ledger)
    plan = plan_of(draft)
    if plan is not None:
        _stages(plan, draft, ledger)
    _order(spans, ledger)
    if isinstance(plan, DrawPlan):
        _sources(plan, spans.get("draw"), zone, ledger)
    if isinstance(plan, RushPlan):
        _openings(plan, spans.get("spending"), zone, ledger)


def zone_of_draft(draft: Definition, ledger: Ledger) -> ZoneInfo:
    """The campaign's zone; an unknown one is reported and the other times are then compared in UTC."""
    if ledger.sound(("time_zone",)):
        try:
            return zone_of(draft.time_zone)
        except Invalid:
            ledger.add("file_time_zone_unknown", ("time_zone",), given=draft.time_zone[:60])
    return ZoneInfo("UTC")


def spans_of(draft: Definition, zone: ZoneInfo, ledger: Ledger) -> dict[str, Span]:
    """The windows that could be read and end after their start; the others are reported."""
    spans: dict[str, Span] = {}
    for name in ("registration", "draw", "acceptance", "spending"):
        window = getattr(draft.windows, name, None)
        if not isinstance(window, LocalWindow):
            continue
        path: Path = ("windows", name)
        start = moment(window.start, (*path, "start"), zone, ledger)
        end = moment(window.end, (*path, "end"), zone, ledger)
        if start is None or end is None:
            continue
        if start >= end:
            ledger.add("file_window_empty", (*path, "end"), start=window.start, end=window.end)
            continue
        spans[name] = Span(start, end, window.start, window.end)
    return spans


def moment(text: str, path: Path, zone: ZoneInfo, ledger: Ledger) -> datetime | None:
    """Read a local time; None when it was unreadable or is reported now."""
    if not ledger.sound(path):
        return None
    try:
        return parse_local(text, zone)
    except Invalid:
        ledger.add("file_time_form", path, given=text[:60])
        return None


def _stages(plan: DrawPlan | ListPlan | RushPlan, draft: Definition, ledger: Ledger) -> None:
    needed: tuple[str, ...] = ("spending",)
    if isinstance(plan, DrawPlan):
        needed = ("registration", "draw", "acceptance", "spending")
    elif isinstance(plan, ListPlan):
        needed = ("acceptance", "spending")
    for name in ("registration", "draw", "acceptance"):
        path: Path = ("windows", name)
        if not ledger.sound(path):
            continue
        given = getattr(draft.windows, name, None)
        if given is None and name in needed:
            ledger.add("file_window_missing", ("windows",), member=name, example=example_of("Windows", name))
        if given is not None and name not in needed:
            ledger.add("file_window_unused", path, member=name)


def _order(spans: dict[str, Span], ledger: Ledger) -> None:
    for earlier, later in _pairs(spans):
        first, second = spans[earlier], spans[later]
        if second.start < first.end:
            ledger.add(
                "file_windows_overlap",
                ("windows", later, "start"),
                earlier=earlier,
                later=later,
                start=second.start_text,
                end=first.end_text,
            )
    acceptance, spending = spans.get("acceptance"), spans.get("spending")
    if acceptance and spending and acceptance.end > spending.end:
        ledger.add(
            "file_acceptance_after_spending",
            ("windows", "acceptance", "end"),
            given=acceptance.end_text,
            end=spending.end_text,
        )
    if spending and (spending.end - spending.start).days > MAX_SPENDING_DAYS:
        ledger.add(
            "file_window_too_long",
            ("windows", "spending", "end"),
            days=(spending.end - spending.start).days,
            limit=MAX_SPENDING_DAYS,
        )


def _pairs(spans: dict[str, Span]) -> list[tuple[str, str]]:
    """Stages of which the first must have ended when the second begins."""
    decided = "draw" if "draw" in spans else "registration"
    pairs = [("registration", "draw"), (decided, "acceptance"), (decided, "spending")]
    return [(earlier, later) for earlier, later in pairs if earlier in spans and later in spans]


def _sources(plan: DrawPlan, window: Span | None, zone: ZoneInfo, ledger: Ledger) -> None:
    path: Path = ("issuing", "sources")
    if not isinstance(plan.sources, tuple):
        return
    before: datetime | None = None
    before_text = ""
    kinds: set[str] = set()
    for i, source in enumerate(plan.sources):
        if not ledger.sound((*path, i)):
            continue
        if source.kind in kinds:
            ledger.add("file_item_doubled", (*path, i, "kind"), given=source.kind)
        kinds.add(source.kind)
        due = moment(source.due, (*path, i, "due"), zone, ledger)
        if due is None:
            continue
        _source_due(source, due, (*path, i, "due"), window, ledger)
        if before is not None and due <= before:
            ledger.add("file_sources_unordered", (*path, i, "due"), given=source.due, before=before_text)
        before, before_text = due, source.due
    if ledger.sound(path) and plan.sources:
        _nobody_chooses(plan, kinds, ledger)


def _source_due(source: Source, due: datetime, path: Path, window: Span | None, ledger: Ledger) -> None:
    if window and not window.start <= due < window.end:
        ledger.add(
            "file_source_outside_draw",
            path,
            given=source.due,
            start=window.start_text,
            end=window.end_text,
        )
    genesis = GENESIS.get(source.kind)
    if genesis is not None and due <= genesis:
        ledger.add(
            "file_source_before_genesis",
            path,
            given=source.due,
            kind=source.kind,
            genesis=genesis.date().isoformat(),
        )


def _nobody_chooses(plan: DrawPlan, kinds: set[str], ledger: Ledger) -> None:
    path: Path = ("issuing", "sources")
    beacons = kinds.intersection(BEACONS)
    if not beacons:
        ledger.add("file_sources_choosable", path)
    elif plan.sources[-1].kind not in BEACONS:
        last = len(plan.sources) - 1
        ledger.add(
            "file_source_last_choosable",
            (*path, last, "kind"),
            given=plan.sources[-1].kind,
            beacon=min(beacons),
        )


def _openings(plan: RushPlan, spending: Span | None, zone: ZoneInfo, ledger: Ledger) -> None:
    before: tuple[datetime, str] | None = None
    if not isinstance(plan.openings, tuple):
        return
    for i, opening in enumerate(plan.openings):
        path: Path = ("issuing", "openings", i, "at")
        at = moment(opening.at, path, zone, ledger) if ledger.sound(("issuing", "openings", i)) else None
        if at is None:
            continue
        if spending and at >= spending.end:
            ledger.add("file_opening_after_spending", path, given=opening.at, end=spending.end_text)
        if before is not None and at < before[0]:
            ledger.add("file_openings_unordered", path, given=opening.at, before=before[1])
        before = (at, opening.at)
