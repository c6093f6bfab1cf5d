"""Checks of the voucher terms: benefit, caps, days and hours."""

from datetime import date, timedelta

from campaigns.domain.calendar import YearWithoutCalendar, is_rest_day
from campaigns.domain.definition.check_names import plan_of
from campaigns.domain.definition.check_times import Span, spans_of, zone_of_draft
from campaigns.domain.definition.limits import MAX_SPENDING_DAYS
from campaigns.domain.definition.model import Definition, Fixed
from campaigns.domain.definition.problems import Ledger, Path
from campaigns.domain.errors import Invalid
from campaigns.domain.terms.model import WEEKDAYS, HolidayYear, SpendAndSave, Step, Terms
from campaigns.domain.windows import parse_hours

# From the shortest to the longest; a longer period's cap bounds each shorter one.
_PERIODS = ("day", "week", "month", "whole")


def check_terms(draft: Definition, ledger: Ledger) -> None:
    """Steps and caps make sense, hours and dates fit the spending window, holidays are known."""
    terms = draft.terms
    if not isinstance(terms, Terms):
        return
    _steps(terms, draft, ledger)
    _caps(terms, ledger)
    _hours(terms, ledger)
    _holidays(terms, ledger)
    spending = spans_of(draft, zone_of_draft(draft, ledger), ledger).get("spending")
    if spending is not None and (spending.end - spending.start).days <= MAX_SPENDING_DAYS:
        _days(terms, spending, ledger)


def _steps(terms: Terms, draft: Definition, ledger: Ledger) -> None:
    path: Path = ("terms", "benefit", "steps")
    if not isinstance(terms.benefit, SpendAndSave) or not isinstance(terms.benefit.steps, tuple):
        return
    for i, step in enumerate(terms.benefit.steps):
        if not ledger.sound((*path, i)):
            continue
        if step.save_fen > step.spend_fen:
            ledger.add(
                "file_step_saves_all",
                (*path, i, "save_fen"),
                save_fen=step.save_fen,
                spend_fen=step.spend_fen,
                spend=step.spend_fen,
            )
        before = terms.benefit.steps[i - 1] if i and ledger.sound((*path, i - 1)) else None
        if before and not (step.spend_fen > before.spend_fen and step.save_fen > before.save_fen):
            ledger.add(
                "file_steps_unordered",
                (*path, i),
                spend_before=before.spend_fen,
                save_before=before.save_fen,
            )
    if ledger.sound(path) and terms.benefit.steps:
        _promises(terms, terms.benefit.steps, draft, ledger)


def _promises(terms: Terms, steps: tuple[Step, ...], draft: Definition, ledger: Ledger) -> None:
    """The first step can be reached, and the highest can be kept by the vouchers and the most per use."""
    first, last = steps[0], steps[-1]
    if ledger.sound(("terms", "min_spend_fen")) and terms.min_spend_fen > first.spend_fen:
        ledger.add(
            "file_step_unreachable",
            ("terms", "min_spend_fen"),
            min_spend_fen=terms.min_spend_fen,
            spend_fen=first.spend_fen,
        )
    most = terms.max_per_use_fen if ledger.sound(("terms", "max_per_use_fen")) else None
    if most is not None and most < last.save_fen:
        ledger.add(
            "file_step_above_max_per_use",
            ("terms", "max_per_use_fen"),
            save_fen=last.save_fen,
            max_fen=most,
            save=last.save_fen,
        )
    face = _largest_face(draft, ledger)
    if face is not None and last.save_fen > face:
        ledger.add(
            "file_step_above_face",
            ("terms", "benefit", "steps", len(steps) - 1, "save_fen"),
            save_fen=last.save_fen,
            face_fen=face,
            face=face,
        )


def _largest_face(draft: Definition, ledger: Ledger) -> int | None:
    plan = plan_of(draft)
    if plan is None or not ledger.sound(("issuing", "tiers")) or not plan.tiers:
        return None
    amounts = [tier.amount for tier in plan.tiers]
    return max(a.amount_fen if isinstance(a, Fixed) else a.high_fen for a in amounts)


def _caps(terms: Terms, ledger: Ledger) -> None:
    path: Path = ("terms", "caps")
    if not isinstance(terms.caps, tuple):
        return
    sound = {i: cap for i, cap in enumerate(terms.caps) if ledger.sound((*path, i))}
    seen: set[tuple[str, str]] = set()
    for i, cap in sound.items():
        if cap.uses is None and cap.amount_fen is None:
            ledger.add("file_cap_empty", (*path, i))
        if (cap.scope, cap.period) in seen:
            ledger.add("file_cap_doubled", (*path, i), scope=cap.scope, period=cap.period)
        seen.add((cap.scope, cap.period))
        for other in sound.values():
            # A week is not part of one month, but a cap that its month forbids is a slip all the same.
            if other.scope != cap.scope or _PERIODS.index(other.period) <= _PERIODS.index(cap.period):
                continue
            for member in ("uses", "amount_fen"):
                given, less = getattr(cap, member), getattr(other, member)
                if given is not None and less is not None and given > less:
                    ledger.add(
                        "file_cap_pointless",
                        (*path, i, member),
                        member=member,
                        given=given,
                        less=less,
                        period=cap.period,
                        longer=other.period,
                    )


def _hours(terms: Terms, ledger: Ledger) -> None:
    if not isinstance(terms.hours, tuple):
        return
    before: tuple[int, str] | None = None
    for i, text in enumerate(terms.hours):
        path: Path = ("terms", "hours", i)
        if not ledger.sound(path):
            continue
        try:
            start, end = parse_hours(text)
        except Invalid:
            ledger.add("file_hours_form", path, given=text[:60])
            continue
        if before is not None and start < before[0]:
            ledger.add("file_hours_overlap", path, given=text, before=before[1])
        before = (end, text)


def _holidays(terms: Terms, ledger: Ledger) -> None:
    path: Path = ("terms", "holidays")
    if not isinstance(terms.holidays, dict):
        return
    for year, given in terms.holidays.items():
        if not isinstance(year, str):
            continue
        where = (*path, year)
        if not (year.isascii() and year.isdigit() and len(year) == 4):
            ledger.add("file_holidays_year", where, given=year[:60])
            continue
        if not isinstance(given, HolidayYear):
            continue
        for member in ("holidays", "workdays"):
            days = getattr(given, member)
            if not isinstance(days, tuple):
                continue
            for i, day in enumerate(days):
                if ledger.sound((*where, member, i)) and day.year != int(year):
                    ledger.add("file_holiday_other_year", (*where, member, i), given=str(day), year=year)
        if ledger.sound(where):
            _both(given, where, ledger)


def _both(year: HolidayYear, path: Path, ledger: Ledger) -> None:
    for i, day in enumerate(year.workdays):
        if day in year.holidays:
            ledger.add("file_holiday_and_workday", (*path, "workdays", i), given=str(day))
    for member in ("holidays", "workdays"):
        days: tuple[date, ...] = getattr(year, member)
        for i, day in enumerate(days):
            if day in days[:i]:
                ledger.add("file_item_doubled", (*path, member, i), given=str(day))


def _days(terms: Terms, spending: Span, ledger: Ledger) -> None:
    first = spending.start.date()
    last = (spending.end - timedelta(minutes=1)).date()
    if isinstance(terms.blackout_dates, tuple):
        for i, day in enumerate(terms.blackout_dates):
            path: Path = ("terms", "blackout_dates", i)
            if ledger.sound(path) and not first <= day <= last:
                ledger.add(
                    "file_blackout_outside",
                    path,
                    given=str(day),
                    start=spending.start_text,
                    end=spending.end_text,
                )
    if not ledger.sound(
        ("terms", "weekdays"), ("terms", "blackout_dates"), ("terms", "days"), ("terms", "holidays")
    ):
        return
    open_days = 0
    missing: set[int] = set()
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        try:
            fits = terms.days == "any" or is_rest_day(day, terms.holidays) == (terms.days == "rest_day")
        except YearWithoutCalendar as error:
            missing.add(error.year)
            fits = True
        open_days += fits and WEEKDAYS[day.weekday()] in terms.weekdays and day not in terms.blackout_dates
    for year in sorted(missing):
        ledger.add("file_holidays_missing", ("terms", "days"), year=str(year))
    if not open_days and terms.weekdays:
        ledger.add("file_never_spendable", ("terms",))
