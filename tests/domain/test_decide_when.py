"""Time rules of `decide`, each at both sides of its edges."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from campaigns.domain.terms.decide import decide
from campaigns.domain.terms.facts import Denial, Holder
from campaigns.domain.terms.model import WEEKDAYS, HolidayYear
from campaigns.domain.terms.rules import compile_terms
from tests.domain.decide_cases import (
    JUST_BEFORE,
    NOON,
    PURCHASE,
    VOUCHER,
    ask,
    code,
    compiled,
    day,
    local,
    stored,
)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (local("2020-10-12 18:00") - JUST_BEFORE, "window_not_open"),
        (local("2020-10-12 18:00"), "ok"),
        (local("2020-10-19 00:00") - JUST_BEFORE, "ok"),
        (local("2020-10-19 00:00"), "window_over"),
        (datetime.min.replace(tzinfo=UTC), "window_not_open"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))), "window_over"),
    ],
)
def test_spending_window(at: datetime, expected: str) -> None:
    assert code(ask(at=at)) == expected


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai", "Pacific/Kiritimati"])
def test_the_ends_of_time_are_answered_in_every_zone(zone: str) -> None:
    rules = compile_terms(compiled(time_zone=zone))
    for at, expected in (
        (datetime.min.replace(tzinfo=UTC), "window_not_open"),
        (datetime.max.replace(tzinfo=UTC), "window_over"),
    ):
        assert code(decide(rules, VOUCHER, Holder(), PURCHASE, (), at)) == expected


def test_window_refusals_tell_local_times() -> None:
    early = ask(at=local("2020-10-12 17:59"))
    late = ask(at=local("2020-10-19 00:00"))
    assert isinstance(early, Denial) and isinstance(late, Denial)
    assert early.facts == {"starts": "2020-10-12 18:00", "ends": "2020-10-18 24:00"}
    assert late.facts == {"ends": "2020-10-18 24:00"}


def test_every_decision_carries_its_time() -> None:
    assert ask().at == NOON
    assert ask(at=local("2020-10-19 00:00")).at == local("2020-10-19 00:00")


@pytest.mark.parametrize(
    ("state", "expected"), [("live", "ok"), ("expired", "voucher_not_live"), ("", "voucher_not_live")]
)
def test_only_a_live_voucher(state: str, expected: str) -> None:
    assert code(ask(voucher={"state": state})) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (local("2020-10-15 00:00") - JUST_BEFORE, "ok"),
        (local("2020-10-15 00:00"), "voucher_expired"),
        (local("2020-10-15 00:01"), "voucher_expired"),
    ],
)
def test_expiry_is_exclusive(at: datetime, expected: str) -> None:
    decision = ask(at=at, voucher={"expires_at": local("2020-10-15 00:00")})
    assert code(decision) == expected
    if isinstance(decision, Denial):
        assert decision.facts == {"granted": "2020-10-12 09:00", "expired": "2020-10-14 24:00"}


@pytest.mark.parametrize("allowed", WEEKDAYS)
def test_weekdays_roll_at_local_midnight(allowed: str) -> None:
    """13 to 18 October 2020 are Tuesday to Sunday; the local date counts, not UTC's."""
    for number in range(13, 19):
        name = WEEKDAYS[day(f"2020-10-{number}").weekday()]
        expected = "ok" if name == allowed else "weekday_not_allowed"
        for at in (local(f"2020-10-{number} 00:00"), local(f"2020-10-{number} 23:59", 59, 999_999)):
            assert code(ask(stored(weekdays=(allowed,)), at=at)) == expected


def test_weekday_refusal_names_the_days() -> None:
    decision = ask(stored(weekdays=("sat", "sun")))
    assert isinstance(decision, Denial)
    assert decision.facts == {"weekdays_zh": "周六、周日", "weekdays_en": "Saturday, Sunday"}


@pytest.mark.parametrize(
    ("clock", "second", "expected"),
    [
        ("09:59", 59, "hour_not_allowed"),
        ("10:00", 0, "ok"),
        ("13:59", 59, "ok"),
        ("14:00", 0, "hour_not_allowed"),
        ("16:59", 59, "hour_not_allowed"),
        ("17:30", 0, "ok"),
        ("23:59", 59, "ok"),
        ("00:00", 0, "hour_not_allowed"),
    ],
)
def test_hours(clock: str, second: int, expected: str) -> None:
    terms = stored(hours=("10:00-14:00", "17:30-24:00"))
    assert code(ask(terms, at=local(f"2020-10-14 {clock}", second))) == expected


def test_hours_from_midnight() -> None:
    terms = stored(hours=("00:00-01:00",))
    assert code(ask(terms, at=local("2020-10-14 00:00"))) == "ok"
    assert code(ask(terms, at=local("2020-10-14 01:00"))) == "hour_not_allowed"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (local("2020-10-14 00:00") - JUST_BEFORE, "ok"),
        (local("2020-10-14 00:00"), "blackout_date"),
        (local("2020-10-15 00:00") - JUST_BEFORE, "blackout_date"),
        (local("2020-10-15 00:00"), "ok"),
    ],
)
def test_blackout_dates(at: datetime, expected: str) -> None:
    assert code(ask(stored(blackout_dates=(day("2020-10-14"),)), at=at)) == expected


GOLDEN_WEEK = ("2020-09-25 00:00", "2020-10-11 24:00")


@pytest.mark.parametrize(
    ("date", "is_workday"),
    [
        ("2020-09-25", True),  # Friday
        ("2020-09-26", False),  # Saturday
        ("2020-09-27", True),  # Sunday, made up for the holiday
        ("2020-10-01", False),  # Thursday, National Day
        ("2020-10-08", False),  # Thursday, the holiday's last day
        ("2020-10-09", True),  # Friday
        ("2020-10-10", True),  # Saturday, made up
        ("2020-10-11", False),  # Sunday
    ],
)
def test_holidays_and_make_up_workdays(date: str, is_workday: bool) -> None:
    at = local(f"{date} 12:00")
    asked = {"at": at, "window": GOLDEN_WEEK, "voucher": {"expires_at": at + timedelta(days=30)}}
    assert code(ask(stored(days="workday"), **asked)) == ("ok" if is_workday else "holiday_not_allowed")
    assert code(ask(stored(days="rest_day"), **asked)) == ("workday_not_allowed" if is_workday else "ok")
    assert code(ask(stored(days="any"), **asked)) == "ok"


def test_the_campaign_file_may_tell_the_holidays() -> None:
    told = {"2020": HolidayYear(holidays=(day("2020-10-14"),), workdays=(day("2020-10-17"),))}
    terms = stored(days="workday", holidays=told)
    assert code(ask(terms, at=local("2020-10-14 12:00"))) == "holiday_not_allowed"
    assert code(ask(terms, at=local("2020-10-17 12:00"))) == "ok"
    assert code(ask(terms, at=local("2020-10-18 12:00"))) == "holiday_not_allowed"
