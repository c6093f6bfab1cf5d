"""Local times, hours, windows, expiry and buckets."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.domain.errors import Invalid
from campaigns.domain.terms.buckets import WHOLE_CAMPAIGN, bucket, bucket_of_day, next_bucket
from campaigns.domain.windows import (
    check_window,
    expiry,
    local_end_text,
    local_text,
    parse_hours,
    parse_local,
    parse_window,
    zone_of,
)
from tests.domain.decide_cases import JUST_BEFORE, SHANGHAI, day, local


def refused(error: pytest.ExceptionInfo[Invalid]) -> str:
    return error.value.code


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2020-10-12 18:00", "2020-10-12T10:00:00+00:00"),
        ("2020-10-12 00:00", "2020-10-11T16:00:00+00:00"),
        ("2020-10-18 24:00", "2020-10-18T16:00:00+00:00"),
        ("2020-12-31 24:00", "2020-12-31T16:00:00+00:00"),
        ("2020-02-29 23:59", "2020-02-29T15:59:00+00:00"),
        ("2000-01-01 00:00", "1999-12-31T16:00:00+00:00"),
        ("2199-12-31 24:00", "2199-12-31T16:00:00+00:00"),
    ],
)
def test_local_times(text: str, utc: str) -> None:
    assert parse_local(text, SHANGHAI).astimezone(UTC).isoformat() == utc


@pytest.mark.parametrize(
    "text",
    ["", "2020-10-12", "2020-10-12 24:01", "2020-10-12 25:00", "2020-10-12 10:60", "2020-13-01 10:00", "2021-02-29 10:00", "1999-12-31 10:00", "2200-01-01 10:00", "2020-10-12T10:00", "2020-10-12 10:00 ", "２０２０-10-12 10:00", "0000-01-01 00:00"],
)  # fmt: skip
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(Invalid) as error:
        parse_local(text, SHANGHAI)
    assert refused(error) == "terms_local_time_bad"
    assert error.value.facts == {"text": text}


def test_windows_are_not_empty() -> None:
    assert parse_window("2020-10-12 18:00", "2020-10-12 18:01", SHANGHAI) == (
        local("2020-10-12 18:00"),
        local("2020-10-12 18:01"),
    )
    for end in ("2020-10-12 18:00", "2020-10-12 17:59"):
        with pytest.raises(Invalid) as error:
            parse_window("2020-10-12 18:00", end, SHANGHAI)
        assert refused(error) == "terms_window_empty"


def test_windows_lie_in_thinkable_years() -> None:
    first, last = parse_window("2000-01-01 00:00", "2199-12-31 24:00", SHANGHAI)
    check_window(first, last)
    check_window(first.astimezone(UTC), last.astimezone(ZoneInfo("Pacific/Kiritimati")))
    for start, end in [(1998, 2020), (2020, 2201)]:
        with pytest.raises(Invalid) as error:
            check_window(datetime(start, 6, 1, tzinfo=UTC), datetime(end, 6, 1, tzinfo=UTC))
        assert refused(error) == "terms_window_unthinkable"
    moment = local("2020-10-12 18:00")
    check_window(moment, moment + JUST_BEFORE)
    with pytest.raises(Invalid) as error:
        check_window(moment, moment)
    assert refused(error) == "terms_window_empty"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("10:00-22:00", (600, 1320)),
        ("00:00-24:00", (0, 1440)),
        ("23:59-24:00", (1439, 1440)),
        ("00:00-00:01", (0, 1)),
    ],
)
def test_hours(text: str, minutes: tuple[int, int]) -> None:
    assert parse_hours(text) == minutes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10:00",
        "10:00-10:00",
        "22:00-02:00",
        "10:00-24:01",
        "10:60-11:00",
        "9:00-10:00",
        "10:00–11:00",
        "25:00-26:00",
    ],
)
def test_hours_that_are_none(text: str) -> None:
    with pytest.raises(Invalid) as error:
        parse_hours(text)
    assert refused(error) == "terms_hours_bad"


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Asia", "\0"])
def test_unknown_time_zones(name: str) -> None:
    with pytest.raises(Invalid) as error:
        zone_of(name)
    assert refused(error) == "terms_time_zone_unknown"


def test_known_time_zone() -> None:
    assert zone_of("Asia/Shanghai") == ZoneInfo("Asia/Shanghai")


END = local("2020-10-31 00:00")


@pytest.mark.parametrize(
    ("granted", "days", "expected"),
    [
        ("2020-10-12 00:00", 1, "2020-10-13 00:00"),
        ("2020-10-12 23:59", 1, "2020-10-13 00:00"),  # the day of acceptance is day 1, however late
        ("2020-10-12 09:00", 2, "2020-10-14 00:00"),
        ("2020-10-12 09:00", 7, "2020-10-19 00:00"),
        ("2020-10-12 09:00", 18, "2020-10-30 00:00"),
        ("2020-10-12 09:00", 19, "2020-10-31 00:00"),
        ("2020-10-12 09:00", 20, "2020-10-31 00:00"),  # never beyond the window
        ("2020-10-12 09:00", 10**12, "2020-10-31 00:00"),
        ("2020-10-12 09:00", None, "2020-10-31 00:00"),
    ],
)
def test_expiry(granted: str, days: int | None, expected: str) -> None:
    assert expiry(local(granted), days, END, SHANGHAI) == local(expected)


def test_expiry_counts_local_days() -> None:
    granted = local("2020-10-12 00:30")  # still the 11th in UTC
    assert expiry(granted, 1, END, SHANGHAI) == local("2020-10-13 00:00")
    assert expiry(granted, 1, END, zone_of("UTC")) == datetime(2020, 10, 12, tzinfo=UTC)


def test_texts() -> None:
    assert local_text(local("2020-10-12 18:05"), SHANGHAI) == "2020-10-12 18:05"
    assert local_text(local("2020-10-12 00:00"), SHANGHAI) == "2020-10-12 00:00"
    assert local_end_text(local("2020-10-12 18:05"), SHANGHAI) == "2020-10-12 18:05"
    assert local_end_text(local("2020-11-01 00:00"), SHANGHAI) == "2020-10-31 24:00"
    assert local_end_text(local("2020-11-01 00:00", 1), SHANGHAI) == "2020-11-01 00:00"
    assert local_end_text(local("2020-11-01 00:01"), SHANGHAI) == "2020-11-01 00:01"
    assert local_end_text(local("2020-11-01 01:00"), SHANGHAI) == "2020-11-01 01:00"


def test_texts_of_the_ends_of_time() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert local_text(last, SHANGHAI).startswith("9999-12-31")
    assert local_end_text(last, SHANGHAI).startswith("9999-12-31")
    first = datetime.min.replace(tzinfo=UTC)
    assert local_end_text(first, UTC_ZONE).startswith("0001-01-01")


UTC_ZONE = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("period", "at", "expected"),
    [
        ("day", "2020-10-14 00:00", "2020-10-14"),
        ("day", "2020-10-14 23:59", "2020-10-14"),
        ("week", "2020-10-12 00:00", "2020-10-12"),  # Monday
        ("week", "2020-10-11 23:59", "2020-10-05"),  # Sunday belongs to the week before
        ("week", "2020-10-18 23:59", "2020-10-12"),
        ("week", "2021-01-01 12:00", "2020-12-28"),
        ("month", "2020-10-01 00:00", "2020-10-01"),
        ("month", "2020-10-31 23:59", "2020-10-01"),
        ("month", "2020-11-01 00:00", "2020-11-01"),
        ("whole", "2020-10-14 12:00", "1970-01-01"),
        ("whole", "2021-10-14 12:00", "1970-01-01"),
    ],
)
def test_buckets(period: str, at: str, expected: str) -> None:
    assert bucket(period, local(at), SHANGHAI) == day(expected)  # type: ignore[arg-type]
    assert bucket(period, local(at) + timedelta(seconds=59), SHANGHAI) == day(expected)  # type: ignore[arg-type]


def test_the_campaigns_zone_names_the_bucket() -> None:
    assert bucket("day", local("2020-10-14 00:30"), UTC_ZONE) == day("2020-10-13")


@pytest.mark.parametrize(
    ("period", "today", "expected"),
    [
        ("day", "2020-10-31", "2020-11-01"),
        ("week", "2020-10-12", "2020-10-19"),
        ("week", "2020-10-18", "2020-10-19"),
        ("month", "2020-02-29", "2020-03-01"),
        ("month", "2020-12-31", "2021-01-01"),
    ],
)
def test_next_buckets(period: str, today: str, expected: str) -> None:
    following = next_bucket(period, day(today))  # type: ignore[arg-type]
    assert following == day(expected)
    assert bucket_of_day(period, following) == following  # type: ignore[arg-type]
    assert bucket_of_day(period, following - timedelta(days=1)) == bucket_of_day(period, day(today))  # type: ignore[arg-type]


def test_the_whole_campaign_has_no_next_bucket() -> None:
    assert next_bucket("whole", day("2020-10-14")) is None
    assert day("1970-01-01") == WHOLE_CAMPAIGN
