"""Does a later terms version only widen the earlier one?

Vouchers keep the version of their grant and may move only to one that allows every payment the old one
allows, with at least the same subsidy. What cannot be compared counts as narrowed.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

from campaigns.domain.terms.geofence import distance_m
from campaigns.domain.terms.model import (
    Benefit,
    Cap,
    Circle,
    CompiledTerms,
    Percentage,
    SpendAndSave,
    StoredValue,
    Terms,
)
from campaigns.domain.windows import parse_hours, zone_of


def narrowed(old: CompiledTerms, new: CompiledTerms) -> tuple[str, ...]:
    """What ``new`` narrows, as names of members; empty when it only widens."""
    names = [name for name, keeps in _RULES if not keeps(old.terms, new.terms)]
    names += [f"whitelist.{name}" for name in _lists_narrowed(old, new)]
    if old.campaign != new.campaign:
        names.append("campaign")
    if old.time_zone != new.time_zone:
        names.append("time_zone")
    elif not _days_kept(old, new):
        names.append("days")
    if new.spending_start > old.spending_start:
        names.append("spending_start")
    if new.spending_end < old.spending_end:
        names.append("spending_end")
    return tuple(names)


def _listed(old: Iterable[str], new: Iterable[str]) -> bool:
    """An empty list allows everything; otherwise every old member must still be there."""
    old, new = set(old), set(new)
    return not new or (bool(old) and old <= new)


def _prefixed(old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    return not new or (bool(old) and all(place.startswith(new) for place in old))


def _at_least(old: int | None, new: int | None) -> bool:
    """Limits: None is no limit."""
    return new is None or (old is not None and new >= old)


def _minutes(hours: tuple[str, ...]) -> set[int]:
    ranges = [parse_hours(text) for text in hours] or [(0, 24 * 60)]
    return {minute for start, end in ranges for minute in range(start, end)}


def _benefit_kept(old: Benefit, new: Benefit) -> bool:
    if isinstance(old, StoredValue):
        return isinstance(new, StoredValue)
    if isinstance(old, Percentage):
        return (
            isinstance(new, Percentage)
            and new.basis_points >= old.basis_points
            and new.cap_fen >= old.cap_fen
        )
    # steps are given whole: a balance made for the old saving may not cover a larger one
    return isinstance(new, SpendAndSave) and all(
        any(step.save_fen == was.save_fen and step.spend_fen <= was.spend_fen for step in new.steps)
        for was in old.steps
    )


def _caps_kept(old: tuple[Cap, ...], new: tuple[Cap, ...]) -> bool:
    """Every new limit is one that an old cap of the same scope and period set at least as tightly."""

    def implied(cap: Cap) -> bool:
        same = [was for was in old if (was.scope, was.period) == (cap.scope, cap.period)]
        uses = cap.uses is None or any(was.uses is not None and was.uses <= cap.uses for was in same)
        fen = cap.amount_fen is None or any(
            was.amount_fen is not None and was.amount_fen <= cap.amount_fen for was in same
        )
        return uses and fen

    return all(implied(cap) for cap in new)


def _circle_kept(was: Circle, new: tuple[Circle, ...]) -> bool:
    return any(
        distance_m(was.latitude_e6, was.longitude_e6, circle.latitude_e6, circle.longitude_e6) + was.radius_m
        <= circle.radius_m
        for circle in new
    )


def _geofence_kept(old: tuple[Circle, ...], new: tuple[Circle, ...]) -> bool:
    return not new or (bool(old) and all(_circle_kept(was, new) for was in old))


def _days_kept(old: CompiledTerms, new: CompiledTerms) -> bool:
    """Workdays and rest days, compared date by date over the old window."""
    if new.terms.days == "any":
        return True
    if (old.terms.days, old.rest_days) == (new.terms.days, new.rest_days):
        return True
    zone = zone_of(old.time_zone)
    day = old.spending_start.astimezone(zone).date()
    last = (old.spending_end - timedelta(microseconds=1)).astimezone(zone).date()
    while day <= last:
        if _day_allowed(old, day) and not _day_allowed(new, day):
            return False
        day += timedelta(days=1)
    return True


def _day_allowed(compiled: CompiledTerms, day: date) -> bool:
    kind = compiled.terms.days
    return kind == "any" or (kind == "rest_day") == (day in compiled.rest_days)


def _lists_narrowed(old: CompiledTerms, new: CompiledTerms) -> list[str]:
    was, now = old.whitelist, new.whitelist
    kept = {
        "merchants": _listed(was.merchants, now.merchants),
        "tags": _listed(was.tags, now.tags),
        "places": _prefixed(was.places, now.places),
        "zones": _listed(was.zones, now.zones),
        "mcc": _listed(was.mcc, now.mcc),
    }
    return [name for name, is_kept in kept.items() if not is_kept]


_RULES: tuple[tuple[str, Callable[[Terms, Terms], bool]], ...] = (
    ("benefit", lambda old, new: _benefit_kept(old.benefit, new.benefit)),
    ("weekdays", lambda old, new: set(old.weekdays) <= set(new.weekdays)),
    ("hours", lambda old, new: _minutes(old.hours) <= _minutes(new.hours)),
    ("blackout_dates", lambda old, new: set(new.blackout_dates) <= set(old.blackout_dates)),
    ("valid_days", lambda old, new: _at_least(old.valid_days, new.valid_days)),
    ("places", lambda old, new: _prefixed(old.places, new.places)),
    ("scenarios", lambda old, new: _listed(old.scenarios, new.scenarios)),
    ("mcc", lambda old, new: _listed(old.mcc, new.mcc)),
    ("excluded_categories", lambda old, new: set(new.excluded_categories) <= set(old.excluded_categories)),
    ("channels", lambda old, new: set(old.channels) <= set(new.channels)),
    ("min_spend_fen", lambda old, new: new.min_spend_fen <= old.min_spend_fen),
    ("max_per_use_fen", lambda old, new: _at_least(old.max_per_use_fen, new.max_per_use_fen)),
    ("max_uses", lambda old, new: _at_least(old.max_uses, new.max_uses)),
    ("caps", lambda old, new: _caps_kept(old.caps, new.caps)),
    ("first_purchase", lambda old, new: old.first_purchase or not new.first_purchase),
    ("wallet_operators", lambda old, new: _listed(old.wallet_operators, new.wallet_operators)),
    ("geofence", lambda old, new: _geofence_kept(old.geofence, new.geofence)),
    ("stacking_class", lambda old, new: old.stacking_class == new.stacking_class),
    ("undo_seconds", lambda old, new: new.undo_seconds >= old.undo_seconds),
    ("hold_seconds", lambda old, new: new.hold_seconds >= old.hold_seconds),
)
