"""Checks of ids, labels, category codes, scenarios, and of lists that must hold something or nothing twice."""

import re
from collections.abc import Iterable, Sequence

from campaigns.domain.definition.model import Definition, DrawPlan, ListPlan, RushPlan
from campaigns.domain.definition.problems import Ledger, Path
from campaigns.domain.scenarios import SCENARIOS, spendable_ids

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_CLASS = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_LABEL = re.compile(r"[A-Za-z0-9_\-\u3400-\u9fff]{1,40}")
_MCC = re.compile(r"[0-9]{4}")

_NEEDED: tuple[Path, ...] = (
    ("places",),
    ("funders",),
    ("custody_operators",),
    ("issuing", "tiers"),
    ("issuing", "sources"),
    ("issuing", "openings"),
    ("terms", "weekdays"),
    ("terms", "channels"),
    ("terms", "benefit", "steps"),
)
_UNIQUE: tuple[Path, ...] = (
    ("places",),
    ("registration", "places"),
    ("registration", "wallet_operators"),
    ("merchants", "merchants"),
    ("merchants", "tags"),
    ("merchants", "places"),
    ("merchants", "zones"),
    ("merchants", "mcc"),
    ("terms", "weekdays"),
    ("terms", "hours"),
    ("terms", "blackout_dates"),
    ("terms", "places"),
    ("terms", "scenarios"),
    ("terms", "mcc"),
    ("terms", "excluded_categories"),
    ("terms", "channels"),
    ("terms", "wallet_operators"),
)


def check_names(draft: Definition, ledger: Ledger) -> None:
    """Forms and uniqueness of every name, the scenarios, and lists that may not be empty."""
    _forms(draft, ledger)
    _records(draft, ledger)
    _scenarios(draft, ledger)
    for path in _NEEDED:
        if ledger.sound(path) and _at(draft, path) == ():
            ledger.add("file_list_empty", path)
    for path in _UNIQUE:
        items = _at(draft, path)
        if ledger.sound(path) and isinstance(items, tuple):
            unique(items, path, ledger)


def unique(items: Sequence[object], path: Path, ledger: Ledger, member: str | None = None) -> None:
    """Report every item that stands in the list a second time; ``member`` is where its name stands."""
    seen: set[object] = set()
    for i, item in enumerate(items):
        if item in seen:
            where = (*path, i) if member is None else (*path, i, member)
            ledger.add("file_item_doubled", where, given=str(item))
        seen.add(item)


def _forms(draft: Definition, ledger: Ledger) -> None:
    for name, example in (("programme", "pingyin-2023"), ("code", "pingyin-autumn-2023")):
        _form(_ID, "file_id_form", (name,), getattr(draft, name), ledger, example)
    _form(
        _CLASS,
        "file_class_form",
        ("terms", "stacking_class"),
        _at(draft, ("terms", "stacking_class")),
        ledger,
        "default",
    )
    ids = (
        ("terms", "excluded_categories"),
        ("terms", "wallet_operators"),
        ("registration", "wallet_operators"),
    )
    for path in ids:
        _each(_ID, "file_id_form", path, draft, ledger, "bank-a")
    for path in (("merchants", "merchants"), ("merchants", "tags"), ("merchants", "zones")):
        _each(_LABEL, "file_label_form", path, draft, ledger, "pingyin-2023")
    for path in (("merchants", "mcc"), ("terms", "mcc")):
        _each(_MCC, "file_mcc_form", path, draft, ledger, "5411")


def _records(draft: Definition, ledger: Ledger) -> None:
    for path in (("funders",), ("custody_operators",), ("issuing", "tiers")):
        records = _at(draft, path)
        if not isinstance(records, tuple):
            continue
        names: list[object] = []
        for i, record in enumerate(records):
            sound = ledger.sound((*path, i, "id"))
            names.append(record.id if sound else object())
            if sound:
                _form(_ID, "file_id_form", (*path, i, "id"), record.id, ledger, "standard")
        unique(names, path, ledger, "id")


def _scenarios(draft: Definition, ledger: Ledger) -> None:
    if ledger.sound(("scenario",)):
        _scenario(draft.scenario, ("scenario",), ledger)
    listed = _at(draft, ("terms", "scenarios"))
    if isinstance(listed, tuple):
        for i, scenario in enumerate(listed):
            if ledger.sound(("terms", "scenarios", i)):
                _scenario(scenario, ("terms", "scenarios", i), ledger)


def _scenario(given: str, path: Path, ledger: Ledger) -> None:
    scenario = SCENARIOS.get(given)
    allowed = ", ".join(spendable_ids())
    if scenario is None:
        ledger.add("file_scenario_unknown", path, given=given[:60], allowed=allowed)
    elif scenario.kind != "purpose":
        ledger.add(f"file_scenario_{scenario.kind}", path, given=given, allowed=allowed)
    elif not scenario.spendable:
        ledger.add("file_scenario_not_spendable", path, given=given, allowed=allowed)


def _each(
    form: re.Pattern[str], code: str, path: Path, draft: Definition, ledger: Ledger, example: str
) -> None:
    items = _at(draft, path)
    if isinstance(items, tuple):
        for i, item in enumerate(items):
            _form(form, code, (*path, i), item, ledger, example)


def _form(form: re.Pattern[str], code: str, path: Path, given: object, ledger: Ledger, example: str) -> None:
    if ledger.sound(path) and isinstance(given, str) and form.fullmatch(given) is None:
        ledger.add(code, path, given=given[:60], example=example)


def _at(draft: object, path: Iterable[str | int]) -> object:
    """The value at ``path``, None where the draft has no such member."""
    for step in path:
        draft = getattr(draft, str(step), None)
    return draft


def plan_of(draft: Definition) -> DrawPlan | ListPlan | RushPlan | None:
    """The issuing plan where its kind could be read; its members may still be unsound."""
    return draft.issuing if isinstance(draft.issuing, DrawPlan | ListPlan | RushPlan) else None
