"""Local times, windows and expiry: what a campaign file writes and what people read, in the campaign's zone.

Windows are [start, end). ``24:00`` is the next midnight. Nothing here asks a clock.
"""

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from campaigns.domain.errors import Invalid

FIRST_YEAR = 2000
LAST_YEAR = 2199
MINUTES_A_DAY = 24 * 60
MAX_VALID_DAYS = 3_660

_LOCAL_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2})")
_HOURS = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The time zone called ``name``, e.g. ``Asia/Shanghai``. Raises Invalid ``terms_time_zone_unknown``."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("terms_time_zone_unknown", name=name) from None


def parse_local(text: str, zone: ZoneInfo) -> datetime:
    """Read ``YYYY-MM-DD HH:MM`` as an aware datetime of ``zone``. Raises Invalid ``terms_local_time_bad``.

    ASCII digits only, years 2000 to 2199; ``24:00`` is the next day's midnight, no other minute follows 24.
    """
    match = _LOCAL_TIME.fullmatch(text)
    if match is None:
        raise Invalid("terms_local_time_bad", text=text)
    year, month, day, hour, minute = (int(part) for part in match.groups())
    minutes = _minutes(hour, minute)
    try:
        midnight = datetime(year, month, day, tzinfo=zone)
    except ValueError:
        raise Invalid("terms_local_time_bad", text=text) from None
    if minutes is None or not FIRST_YEAR <= year <= LAST_YEAR:
        raise Invalid("terms_local_time_bad", text=text)
    return midnight + timedelta(minutes=minutes)


def parse_window(start: str, end: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Read a window [start, end). Raises Invalid ``terms_local_time_bad`` or ``terms_window_empty``."""
    window = parse_local(start, zone), parse_local(end, zone)
    if window[0] >= window[1]:
        raise Invalid("terms_window_empty", start=start, end=end)
    return window


def check_window(start: datetime, end: datetime) -> None:
    """Raise Invalid ``terms_window_empty`` or ``terms_window_unthinkable`` (years outside 2000 to 2200)."""
    if start >= end:
        raise Invalid("terms_window_empty", start=start.isoformat(), end=end.isoformat())
    if start.year < FIRST_YEAR - 1 or end.year > LAST_YEAR + 1:
        raise Invalid("terms_window_unthinkable", first_year=FIRST_YEAR, last_year=LAST_YEAR)


def parse_hours(text: str) -> tuple[int, int]:
    """Read ``10:00-22:00`` as minutes of the day [start, end). Raises Invalid ``terms_hours_bad``.

    A range does not pass midnight: the night is written as two ranges, so that each part has its own date.
    """
    match = _HOURS.fullmatch(text)
    if match is None:
        raise Invalid("terms_hours_bad", text=text)
    hour, minute, end_hour, end_minute = (int(part) for part in match.groups())
    start, end = _minutes(hour, minute), _minutes(end_hour, end_minute)
    if start is None or end is None or start >= end:
        raise Invalid("terms_hours_bad", text=text)
    return start, end


def expiry(granted_at: datetime, valid_days: int | None, spending_end: datetime, zone: ZoneInfo) -> datetime:
    """When a voucher granted at ``granted_at`` ends: 24:00 of its Nth local day, at most the window's end.

    The day of acceptance is day 1. Without ``valid_days`` it lives to the end of the spending window.
    """
    if valid_days is None:
        return spending_end
    assert valid_days >= 1
    last_midnight = _midnight(
        granted_at.astimezone(zone).date() + timedelta(days=min(valid_days, MAX_VALID_DAYS)), zone
    )
    return min(last_midnight, spending_end)


def local_text(at: datetime, zone: ZoneInfo) -> str:
    """Write a moment as ``2020-10-12 18:00`` in ``zone``."""
    try:
        return at.astimezone(zone).replace(tzinfo=None).isoformat(" ", "minutes")
    except OverflowError:  # the first and last day Python knows; no campaign lives there
        return at.isoformat(" ", "minutes")


def local_end_text(at: datetime, zone: ZoneInfo) -> str:
    """Write the end of a window: midnight is written as 24:00 of the day that ends."""
    try:
        local = at.astimezone(zone)
        if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
            return f"{local.date() - timedelta(days=1)} 24:00"
    except OverflowError:
        return local_text(at, zone)
    return local_text(at, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), tzinfo=zone)


def _minutes(hour: int, minute: int) -> int | None:
    minutes = hour * 60 + minute
    return minutes if minute < 60 and minutes <= MINUTES_A_DAY else None
