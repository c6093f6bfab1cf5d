"""Workdays and rest days of mainland China: weekends, public holidays and make-up workdays.

The State Council's yearly notices come with the package ``chinesecalendar``. A year it does not know must
be written into the campaign file (``terms.holidays``); a year written there replaces the package's.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import chinese_calendar

from campaigns.domain.errors import Invalid
from campaigns.domain.terms.model import HolidayYear

MAX_DAYS = 3_660
SATURDAY = 5


class YearWithoutCalendar(Invalid):
    """Nobody has told the public holidays of ``year`` yet: they belong into ``terms.holidays``."""

    def __init__(self, year: int) -> None:
        super().__init__("terms_calendar_year_missing", year=year)
        self.year = year


def is_rest_day(day: date, written: Mapping[str, HolidayYear]) -> bool:
    """Say whether people rest on ``day``; a make-up workday on a weekend is a workday.

    ``written`` maps years (``"2027"``) to the dates a campaign file gives. Raises YearWithoutCalendar.
    """
    year = written.get(str(day.year))
    if year is not None:
        return day in year.holidays or (day.weekday() >= SATURDAY and day not in year.workdays)
    try:
        return bool(chinese_calendar.is_holiday(day))
    except NotImplementedError:
        raise YearWithoutCalendar(day.year) from None


def rest_days(first: date, last: date, written: Mapping[str, HolidayYear]) -> tuple[date, ...]:
    """Every rest day from ``first`` to ``last``, both included, ascending. Raises YearWithoutCalendar.

    The span is at most ten years; a longer one raises Invalid ``terms_window_too_long``.
    """
    days = (last - first).days + 1
    if days > MAX_DAYS:
        raise Invalid("terms_window_too_long", days=days, most_days=MAX_DAYS)
    return tuple(day for day in (first + timedelta(days=n) for n in range(days)) if is_rest_day(day, written))
