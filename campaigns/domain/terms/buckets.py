"""Which bucket of a usage counter a payment falls into, by the local time of its authorization."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from campaigns.domain.terms.model import CapPeriod

REMEMBERED: Final = 1_024  # answers: all payments of a batch ask at one time
WHOLE_CAMPAIGN = date(1970, 1, 1)  # the one bucket of a cap over the whole campaign


def bucket_of_day(period: CapPeriod, day: date) -> date:
    """The first day of ``day``'s bucket: itself, the Monday of its week, the first of its month."""
    if period == "day":
        return day
    if period == "week":
        return day - timedelta(days=day.weekday())
    if period == "month":
        return day.replace(day=1)
    return WHOLE_CAMPAIGN


@lru_cache(maxsize=REMEMBERED)
def bucket(period: CapPeriod, at: datetime, zone: ZoneInfo) -> date:
    """The bucket that names a usage counter's row, e.g. ``2020-10-12`` for a Monday week."""
    return bucket_of_day(period, at.astimezone(zone).date())


def next_bucket(period: CapPeriod, day: date) -> date | None:
    """The first day of the bucket after ``day``'s; None for the whole campaign."""
    first = bucket_of_day(period, day)
    if period == "day":
        return first + timedelta(days=1)
    if period == "week":
        return first + timedelta(days=7)
    if period == "month":
        return (first + timedelta(days=31)).replace(day=1)
    return None
