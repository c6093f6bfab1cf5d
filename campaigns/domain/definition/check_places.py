"""Checks of places: forms, known regions, and who lies inside what."""

from campaigns.domain.definition.check_names import plan_of
from campaigns.domain.definition.model import Definition, DrawPlan
from campaigns.domain.definition.problems import Ledger, Path
from campaigns.domain.places import covered_by, full_name_zh, is_known, overlap, parents, significant


def check_places(draft: Definition, ledger: Ledger) -> None:
    """Every place is a known region in significant digits; shops and quotas lie in the campaign's places."""
    own = _known(draft.places, ("places",), ledger)
    registration = _known(getattr(draft.registration, "places", ()), ("registration", "places"), ledger)
    for part in ("terms", "merchants"):
        listed = _known(getattr(getattr(draft, part), "places", ()), (part, "places"), ledger)
        for i, code in listed.items():
            if ledger.sound(("places",)) and own and not any(overlap(p, code) for p in own.values()):
                _outside(code, (part, "places", i), own, ledger)
    _quotas(draft, own, registration, ledger)
    for code in draft.place_names if ledger.sound(("place_names",)) else ():
        if code.isascii() and code.isdigit():
            _known_place(code, ("place_names", code), ledger)


def _known(items: object, path: Path, ledger: Ledger) -> dict[int, str]:
    """The places of a list that are known, by their position; the others are reported."""
    if not isinstance(items, tuple):
        return {}
    return {
        i: code
        for i, code in enumerate(items)
        if ledger.sound((*path, i)) and _known_place(code, (*path, i), ledger)
    }


def _known_place(code: str, path: Path, ledger: Ledger) -> bool:
    digits = significant(code)
    if digits is None:
        ledger.add("file_place_form", path, given=code[:60])
    elif digits != code:
        ledger.add("file_place_digits", path, given=code, significant=digits)
    elif not is_known(code):
        above = next((p for p in reversed(parents(code)) if is_known(p)), None)
        parent = f"{above} {full_name_zh(above)}" if above else "-"
        ledger.add("file_place_unknown", path, given=code, parent=parent)
    else:
        return True
    return False


def _quotas(draft: Definition, own: dict[int, str], registration: dict[int, str], ledger: Ledger) -> None:
    plan = plan_of(draft)
    if not isinstance(plan, DrawPlan) or not isinstance(plan.tiers, tuple):
        return
    places = _quota_places(plan, ledger)
    codes = set(places.values())
    seen: set[tuple[Path, str]] = set()
    for path, code in places.items():
        if (path[:4], code) in seen:
            ledger.add("file_item_doubled", path, given=code)
        seen.add((path[:4], code))
        # An entrant stands in the most exact quota place alone, so a wider quota could not be used by them.
        outer = next((wider for wider in parents(code) if wider in codes), None)
        if outer is not None:
            ledger.add("file_places_nested", path, given=code, outer=outer)
        if not ledger.sound(("places",), ("registration", "places")):
            continue
        if own and not covered_by(code, tuple(own.values())):
            _outside(code, path, own, ledger)
        elif registration and not any(overlap(code, place) for place in registration.values()):
            ledger.add("file_quota_not_registrable", path, given=code)


def _quota_places(plan: DrawPlan, ledger: Ledger) -> dict[Path, str]:
    """The known places of all quotas by the path of each."""
    places: dict[Path, str] = {}
    for t, tier in enumerate(plan.tiers):
        quotas = getattr(tier, "quotas", ())
        for q, quota in enumerate(quotas if isinstance(quotas, tuple) else ()):
            path: Path = ("issuing", "tiers", t, "quotas", q, "place")
            if ledger.sound(path) and _known_place(quota.place, path, ledger):
                places[path] = quota.place
    return places


def _outside(code: str, path: Path, own: dict[int, str], ledger: Ledger) -> None:
    ledger.add("file_place_outside", path, given=code, places=", ".join(own.values())[:120])
