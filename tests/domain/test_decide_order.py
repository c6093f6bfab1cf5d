"""The order of the rules, and that every refusal has its code, reached here one by one."""

from datetime import timedelta
from typing import Any

import pytest

from campaigns.domain.codes import CODES, sentence
from campaigns.domain.codes.decide import CODES as DECIDE_CODES
from campaigns.domain.terms.facts import Denial, Holder, Position, Used
from campaigns.domain.terms.model import Cap, Circle, HolidayYear, Percentage, Whitelist
from tests.domain.decide_cases import NOON, ask, code, day, items, stored

HERE = Circle(latitude_e6=36_290_000, longitude_e6=116_450_000, radius_m=100)
AWAY = Position(latitude_e6=0, longitude_e6=0)
RESTING = {"2020": HolidayYear(holidays=(day("2020-10-14"),))}
WORKING = {"2020": HolidayYear(holidays=())}

# each breaks one rule alone; several of them together are told as the first
BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("basket_invalid", {"purchase": {"basket_fen": 0}}),
    ("window_not_open", {"at": NOON - timedelta(days=9)}),
    ("window_over", {"at": NOON + timedelta(days=9)}),
    ("voucher_not_live", {"voucher": {"state": "expired"}}),
    ("voucher_expired", {"voucher": {"expires_at": NOON}}),
    ("weekday_not_allowed", {"terms": {"weekdays": ("tue",)}}),
    ("hour_not_allowed", {"terms": {"hours": ("08:00-09:00",)}}),
    ("blackout_date", {"terms": {"blackout_dates": (day("2020-10-14"),)}}),
    ("holiday_not_allowed", {"terms": {"days": "workday", "holidays": RESTING}}),
    ("workday_not_allowed", {"terms": {"days": "rest_day", "holidays": WORKING}}),
    ("place_not_allowed", {"terms": {"places": ("3203",)}}),
    ("merchant_not_listed", {"whitelist": Whitelist(merchants=("M000",))}),
    ("scenario_not_allowed", {"terms": {"scenarios": ("transport",)}}),
    ("mcc_not_allowed", {"terms": {"mcc": ("5411",)}}),
    ("category_excluded", {"purchase": {"items": items(tobacco=10_000)}}),
    ("channel_not_allowed", {"terms": {"channels": ("online",)}}),
    ("geofence_no_position", {"terms": {"geofence": (HERE,)}}),
    ("geofence_outside", {"terms": {"geofence": (HERE,)}, "purchase": {"position": AWAY}}),
    ("wallet_operator_required", {"terms": {"wallet_operators": ("icbc",)}}),
    ("first_purchase_only", {"terms": {"first_purchase": True}, "holder": Holder(bought_before=True)}),
    ("uses_exhausted", {"terms": {"max_uses": 1}, "voucher": {"uses": 1}}),
    ("below_minimum_spend", {"terms": {"min_spend_fen": 10_001}}),
    ("nothing_to_pay", {"terms": {"benefit": Percentage(basis_points=0, cap_fen=1)}}),
    ("balance_too_small", {"voucher": {"balance_fen": 0}}),
    ("most_per_use_too_small", {"terms": {"max_per_use_fen": 0}}),
    *(
        (
            f"cap_reached_{scope}_{period}",
            {"terms": {"caps": (Cap(scope=scope, period=period, uses=1),)}, "used": (Used(uses=1),)},
        )
        for scope in ("person", "merchant", "person_merchant", "campaign")
        for period in ("day", "week", "month", "whole")
    ),
]  # fmt: skip


def put(changes: dict[str, Any]) -> Any:
    rest = {name: value for name, value in changes.items() if name != "terms"}
    return ask(stored(**changes.get("terms", {})), **rest)


@pytest.mark.parametrize(("expected", "changes"), BROKEN, ids=[name for name, _ in BROKEN])
def test_each_code_is_reached(expected: str, changes: dict[str, Any]) -> None:
    assert code(put(changes)) == expected


def test_the_table_above_is_every_refusal_in_the_order_of_the_codes() -> None:
    assert [name for name, _ in BROKEN] == [name for name in DECIDE_CODES if not name.startswith("terms_")]


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any] | None:
    """Both changes at once; None where they set the same member differently."""
    both: dict[str, Any] = dict(one)
    for name, value in other.items():
        if name in both and isinstance(value, dict):
            if any(both[name].get(key, inner) != inner for key, inner in value.items()):
                return None
            both[name] = {**both[name], **value}
        elif name in both and both[name] != value:
            return None
        else:
            both[name] = value
    return both


def test_of_two_broken_rules_the_first_is_told() -> None:
    pairs = 0
    for place, (first, one) in enumerate(BROKEN):
        for _, other in BROKEN[place + 1 :]:
            both = merged(one, other)
            if both is not None and first != "geofence_no_position":  # with a position it is not broken
                assert code(put(both)) == first, (one, other)
                pairs += 1
    assert pairs > 500


PERSONAL = {
    "voucher_not_live",
    "voucher_expired",
    "wallet_operator_required",
    "first_purchase_only",
    "uses_exhausted",
    "balance_too_small",
    *(f"cap_reached_{scope}_{period}" for scope in ("person", "person_merchant") for period in ("day", "week", "month", "whole")),
}  # fmt: skip


def test_what_tells_about_the_holder_is_not_for_the_till() -> None:
    assert {name for name, meaning in DECIDE_CODES.items() if not meaning.public} == PERSONAL


@pytest.mark.parametrize(("name", "changes"), BROKEN, ids=[name for name, _ in BROKEN])
def test_every_sentence_has_its_facts_in_both_languages(name: str, changes: dict[str, Any]) -> None:
    decision = put(changes)
    assert isinstance(decision, Denial)
    assert (CODES[name].kind, CODES[name].status) == ("refused", 409)
    zh, en = (sentence(name, decision.facts, language) for language in ("zh", "en"))
    assert "?" not in zh + en and "None" not in zh + en and "？" not in zh
    assert any("一" <= letter <= "鿿" for letter in zh)
    assert en.isascii() or "¥" in en
    assert zh.endswith("。") and en.endswith(".")


@pytest.mark.parametrize("name", [name for name in DECIDE_CODES if name.startswith("terms_")])
def test_unreadable_terms_are_invalid(name: str) -> None:
    meaning = CODES[name]
    assert (meaning.kind, meaning.status) == ("invalid", 422)
    assert meaning.zh and meaning.en.isascii()


def test_facts_show_as_money() -> None:
    decision = ask(stored(min_spend_fen=123_450))
    assert isinstance(decision, Denial)
    assert (
        sentence(decision.code, decision.facts, "en")
        == "Goods that count come to ¥100.00; at least ¥1,234.50 is needed."
    )
