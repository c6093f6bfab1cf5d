"""Rest days and make-up workdays, from the package and from the campaign file."""

from datetime import timedelta

import pytest

from campaigns.domain.calendar import MAX_DAYS, YearWithoutCalendar, is_rest_day, rest_days
from campaigns.domain.codes import CODES
from campaigns.domain.errors import Invalid
from campaigns.domain.terms.model import HolidayYear
from tests.domain.decide_cases import day


@pytest.mark.parametrize(
    ("date", "rests"),
    [
        ("2020-10-01", True),
        ("2020-10-08", True),
        ("2020-10-09", False),
        ("2020-10-10", False),  # a Saturday made up for the holiday
        ("2020-10-11", True),
        ("2020-10-12", False),
        ("2020-09-27", False),  # a Sunday made up
        ("2026-01-01", True),
        ("2026-12-31", False),
    ],
)
def test_known_years(date: str, rests: bool) -> None:
    assert is_rest_day(day(date), {}) is rests


def test_a_year_without_data_asks_for_the_dates() -> None:
    with pytest.raises(YearWithoutCalendar) as error:
        is_rest_day(day("2031-05-01"), {})
    assert (error.value.code, error.value.year, error.value.facts) == (
        "terms_calendar_year_missing",
        2031,
        {"year": 2031},
    )
    assert isinstance(error.value, Invalid) and error.value.code in CODES
    with pytest.raises(YearWithoutCalendar):
        rest_days(day("2026-12-25"), day("2031-01-05"), {})
    with pytest.raises(YearWithoutCalendar):
        is_rest_day(day("2003-05-01"), {"2031": HolidayYear(holidays=())})


def test_written_years() -> None:
    written = {
        "2031": HolidayYear(holidays=(day("2031-05-01"), day("2031-05-03")), workdays=(day("2031-05-10"),))
    }
    assert day("2031-05-01").weekday() == 3 and day("2031-05-10").weekday() == 5
    expected = {
        "2031-05-01": True,
        "2031-05-02": False,
        "2031-05-03": True,
        "2031-05-04": True,
        "2031-05-10": False,
        "2031-05-11": True,
    }
    assert {date: is_rest_day(day(date), written) for date in expected} == expected


def test_a_written_year_replaces_the_package() -> None:
    written = {"2020": HolidayYear(holidays=())}
    assert is_rest_day(day("2020-10-01"), {}) is True
    assert is_rest_day(day("2020-10-01"), written) is False
    assert is_rest_day(day("2020-10-10"), written) is True


def test_rest_days_include_both_ends() -> None:
    assert rest_days(day("2020-10-10"), day("2020-10-18"), {}) == (
        day("2020-10-11"),
        day("2020-10-17"),
        day("2020-10-18"),
    )
    assert rest_days(day("2020-10-11"), day("2020-10-11"), {}) == (day("2020-10-11"),)
    assert rest_days(day("2020-10-12"), day("2020-10-12"), {}) == ()


def test_a_span_has_a_limit() -> None:
    first = day("2005-01-01")
    assert len(rest_days(first, first + timedelta(days=MAX_DAYS - 1), {})) > 1_000
    with pytest.raises(Invalid) as error:
        rest_days(first, first + timedelta(days=MAX_DAYS), {})
    assert error.value.code == "terms_window_too_long"
