"""A later version may only widen: every member, in both directions."""

from typing import Any

import pytest
from msgspec.structs import replace

from campaigns.domain.terms.model import (
    Cap,
    Circle,
    HolidayYear,
    Percentage,
    SpendAndSave,
    Step,
    StoredValue,
    Terms,
    Whitelist,
)
from campaigns.domain.terms.widen import narrowed
from tests.domain.decide_cases import compiled, day, stored


def steps(*pairs: tuple[int, int]) -> SpendAndSave:
    return SpendAndSave(steps=tuple(Step(spend_fen=spend, save_fen=save) for spend, save in pairs))


def cap(
    scope: str = "person", period: str = "day", uses: int | None = None, amount_fen: int | None = None
) -> tuple[Cap, ...]:
    return (Cap(scope=scope, period=period, uses=uses, amount_fen=amount_fen),)  # type: ignore[arg-type]


SMALL = Circle(latitude_e6=36_290_000, longitude_e6=116_450_000, radius_m=100)
WIDE = Circle(latitude_e6=36_291_000, longitude_e6=116_450_000, radius_m=212)  # its centre lies 111.2 m off
TIGHT = Circle(latitude_e6=36_291_000, longitude_e6=116_450_000, radius_m=211)

# member, narrower value, wider value
ONE_WAY: list[tuple[str, Any, Any]] = [
    ("benefit", steps((100, 30)), steps((90, 30))),
    ("benefit", steps((100, 30)), steps((100, 30), (200, 70))),
    ("benefit", Percentage(basis_points=1_000, cap_fen=50), Percentage(basis_points=1_001, cap_fen=50)),
    ("benefit", Percentage(basis_points=1_000, cap_fen=50), Percentage(basis_points=1_000, cap_fen=51)),
    ("weekdays", ("sat",), ("sat", "sun")),
    ("hours", ("10:00-22:00",), ("09:59-22:00",)),
    ("hours", ("10:00-22:00",), ("10:00-16:00", "16:00-22:01")),
    ("hours", ("10:00-22:00",), ()),
    ("blackout_dates", (day("2020-10-13"), day("2020-10-14")), (day("2020-10-14"),)),
    ("valid_days", 3, 4),
    ("valid_days", 3, None),
    ("places", ("370124",), ("3701",)),
    ("places", ("370124",), ("370124", "3203")),
    ("places", ("370124",), ()),
    ("scenarios", ("retail",), ("retail", "transport")),
    ("scenarios", ("retail",), ()),
    ("mcc", ("5812",), ("5411", "5812")),
    ("mcc", ("5812",), ()),
    ("excluded_categories", ("tobacco", "lottery"), ("tobacco",)),
    ("channels", ("in_store",), ("in_store", "online")),
    ("min_spend_fen", 101, 100),
    ("max_per_use_fen", 100, 101),
    ("max_per_use_fen", 100, None),
    ("max_uses", 1, 2),
    ("max_uses", 1, None),
    ("caps", cap(uses=1), cap(uses=2)),
    ("caps", cap(amount_fen=100), cap(amount_fen=101)),
    ("caps", cap(uses=1, amount_fen=100), cap(uses=1)),
    ("caps", cap(uses=1, amount_fen=100), cap(amount_fen=100)),
    ("caps", cap(uses=1), ()),
    ("caps", cap(uses=1) + cap(scope="merchant", uses=9), cap(uses=1)),
    ("first_purchase", True, False),
    ("wallet_operators", ("icbc",), ("icbc", "abc")),
    ("wallet_operators", ("icbc",), ()),
    ("geofence", (SMALL,), (WIDE,)),
    ("geofence", (SMALL,), (TIGHT, SMALL)),
    ("geofence", (SMALL,), ()),
    ("undo_seconds", 600, 601),
    ("hold_seconds", 600, 601),
]


def terms(member: str, value: Any) -> Terms:
    return Terms(**{"benefit": StoredValue(), member: value})


@pytest.mark.parametrize(("member", "narrow", "wide"), ONE_WAY)
def test_one_way(member: str, narrow: Any, wide: Any) -> None:
    narrow_version, wide_version = compiled(terms(member, narrow)), compiled(terms(member, wide), version=2)
    assert narrowed(narrow_version, wide_version) == ()
    assert narrowed(wide_version, narrow_version) == (member,)
    assert narrowed(narrow_version, narrow_version) == ()
    assert narrowed(wide_version, wide_version) == ()


def test_every_member_of_terms_is_compared() -> None:
    elsewhere = {"days", "holidays", "stacking_class"}
    assert {member for member, _, _ in ONE_WAY} | elsewhere == set(Terms.__struct_fields__)


NEITHER_WAY: list[tuple[str, Any, Any]] = [
    ("benefit", StoredValue(), steps((100, 30))),
    ("benefit", StoredValue(), Percentage(basis_points=10_000, cap_fen=10**6)),
    ("benefit", steps((100, 30)), Percentage(basis_points=10_000, cap_fen=10**6)),
    ("benefit", steps((100, 30)), steps((100, 50))),  # a balance of 30 does not cover a step of 50
    ("weekdays", ("sat",), ("sun",)),
    ("hours", ("10:00-22:00",), ("11:00-23:00",)),
    ("places", ("370124",), ("3203",)),
    ("scenarios", ("retail",), ("transport",)),
    ("caps", cap(uses=1), cap(amount_fen=1)),
    ("caps", cap(uses=1), cap(scope="merchant", uses=1)),
    ("caps", cap(uses=1), cap(period="week", uses=1)),
    ("geofence", (SMALL,), (TIGHT,)),
    ("stacking_class", "default", "food"),
]


@pytest.mark.parametrize(("member", "one", "other"), NEITHER_WAY)
def test_neither_way(member: str, one: Any, other: Any) -> None:
    assert narrowed(compiled(terms(member, one)), compiled(terms(member, other))) == (member,)
    assert narrowed(compiled(terms(member, other)), compiled(terms(member, one))) == (member,)


LISTS: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
    ("merchants", ("M001",), ("M001", "M002")),
    ("merchants", ("M001",), ()),
    ("tags", ("a",), ("a", "b")),
    ("places", ("370124",), ("37",)),
    ("zones", ("a",), ("a", "b")),
    ("mcc", ("5812",), ("5812", "5411")),
]


@pytest.mark.parametrize(("member", "narrow", "wide"), LISTS)
def test_whitelist(member: str, narrow: tuple[str, ...], wide: tuple[str, ...]) -> None:
    narrow_version, wide_version = (
        compiled(whitelist=Whitelist(**{member: value})) for value in (narrow, wide)
    )
    assert narrowed(narrow_version, wide_version) == ()
    assert narrowed(wide_version, narrow_version) == (f"whitelist.{member}",)


def test_every_list_is_compared() -> None:
    assert {member for member, _, _ in LISTS} == set(Whitelist.__struct_fields__)


def test_window() -> None:
    plain = compiled(window=("2020-10-12 18:00", "2020-10-18 24:00"))
    earlier = compiled(window=("2020-10-12 17:59", "2020-10-18 24:00"))
    later = compiled(window=("2020-10-12 18:00", "2020-10-19 00:01"))
    assert narrowed(plain, earlier) == narrowed(plain, later) == ()
    assert narrowed(earlier, plain) == ("spending_start",)
    assert narrowed(later, plain) == ("spending_end",)


def test_campaign_and_zone_do_not_change() -> None:
    plain = compiled()
    assert narrowed(plain, replace(plain, time_zone="UTC")) == ("time_zone",)
    assert narrowed(plain, replace(plain, campaign="other")) == ("campaign",)
    assert narrowed(plain, replace(plain, version=2)) == ()


def days(kind: str, *holidays: str) -> Terms:
    return stored(days=kind, holidays={"2020": HolidayYear(holidays=tuple(map(day, holidays)))})


def test_workdays_and_rest_days() -> None:
    anyday, workday, restday = compiled(days("any")), compiled(days("workday")), compiled(days("rest_day"))
    assert narrowed(workday, anyday) == narrowed(restday, anyday) == ()
    assert narrowed(anyday, workday) == narrowed(workday, restday) == narrowed(restday, workday) == ("days",)
    holiday = compiled(days("workday", "2020-10-14"))
    assert narrowed(workday, workday) == ()
    assert "days" in narrowed(workday, holiday)
    assert "days" not in narrowed(holiday, workday)
    assert "days" in narrowed(compiled(days("rest_day", "2020-10-14")), restday)


@pytest.mark.parametrize("date", [f"2020-10-{number}" for number in range(12, 17)])
def test_every_day_of_the_window_is_compared(date: str) -> None:
    window = ("2020-10-12 23:59", "2020-10-16 00:01")  # Monday to Friday
    old = compiled(days("workday"), window=window)
    assert narrowed(old, compiled(days("workday", date), window=window)) == ("days",)


def test_whole_days_written_in_two_ways() -> None:
    one, other = compiled(stored()), compiled(stored(hours=("00:00-24:00",)))
    assert narrowed(one, other) == narrowed(other, one) == ()
    assert narrowed(one, compiled(stored(hours=("00:01-24:00",)))) == ("hours",)
    assert narrowed(one, compiled(stored(hours=("00:00-23:59",)))) == ("hours",)


def test_a_longer_window_keeps_its_workdays() -> None:
    short = compiled(days("workday"), window=("2020-10-12 18:00", "2020-10-16 24:00"))
    longer = compiled(days("workday"), window=("2020-10-12 18:00", "2020-10-18 24:00"))
    assert short.rest_days != longer.rest_days
    assert narrowed(short, longer) == ()


def test_several_members_are_named_together() -> None:
    old = compiled(stored(), Whitelist(), version=1)
    new = compiled(stored(max_uses=1, first_purchase=True), Whitelist(merchants=("M001",)), version=2)
    assert narrowed(old, new) == ("max_uses", "first_purchase", "whitelist.merchants")
