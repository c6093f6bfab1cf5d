"""A version of terms as data: what goes in, canonical bytes, digest."""

from datetime import UTC, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from campaigns.domain.calendar import YearWithoutCalendar
from campaigns.domain.errors import Invalid
from campaigns.domain.terms.compile import canonical_json, compile_version, digest, read_compiled
from campaigns.domain.terms.model import HolidayYear, Terms, Whitelist
from campaigns.domain.terms.rules import compile_terms
from campaigns.domain.windows import parse_window
from tests.domain.decide_cases import SHANGHAI, compiled, day, local, stored
from tests.domain.decide_strategies import TERMS, WHITELISTS


def test_times_are_stored_in_utc() -> None:
    version = compiled()
    assert version.spending_start == local("2020-10-12 18:00")
    assert version.spending_start.utcoffset() == timedelta(0)
    assert version.spending_end.utcoffset() == timedelta(0)
    assert version.time_zone == "Asia/Shanghai"


@pytest.mark.parametrize("days", ["workday", "rest_day"])
def test_rest_days_of_the_window_go_in_as_data(days: str) -> None:
    version = compiled(stored(days=days), window=("2020-10-09 10:00", "2020-10-17 24:00"))
    assert version.rest_days == (day("2020-10-11"), day("2020-10-17"))
    longer = compiled(stored(days=days), window=("2020-10-08 23:59", "2020-10-18 00:01"))
    assert longer.rest_days == (day("2020-10-08"), day("2020-10-11"), day("2020-10-17"), day("2020-10-18"))


def test_rest_days_are_left_out_where_nobody_asks() -> None:
    assert compiled(stored()).rest_days == ()
    assert compiled(stored(), window=("2031-05-01 00:00", "2031-05-07 24:00")).rest_days == ()


def test_a_year_without_data_must_be_told() -> None:
    window = ("2031-05-01 00:00", "2031-05-07 24:00")
    with pytest.raises(YearWithoutCalendar) as error:
        compiled(stored(days="workday"), window=window)
    assert error.value.year == 2031
    told = {"2031": HolidayYear(holidays=(day("2031-05-01"),))}
    assert compiled(stored(days="workday", holidays=told), window=window).rest_days == (
        day("2031-05-01"),
        day("2031-05-03"),
        day("2031-05-04"),
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"terms": stored(hours=("22:00-02:00",))}, "terms_hours_bad"),
        ({"time_zone": "Mars/Olympus"}, "terms_time_zone_unknown"),
        ({"spending": (local("2020-10-12 18:00"), local("2020-10-12 18:00"))}, "terms_window_empty"),
        ({"spending": (local("2020-10-12 18:00"), local("2300-10-12 18:00"))}, "terms_window_unthinkable"),
    ],
)
def test_what_cannot_be_compiled(changes: dict[str, object], code: str) -> None:
    whole = {
        "campaign": "c",
        "version": 1,
        "terms": stored(),
        "whitelist": Whitelist(),
        "spending": parse_window("2020-10-12 18:00", "2020-10-18 24:00", SHANGHAI),
        "time_zone": "Asia/Shanghai",
    }
    with pytest.raises(Invalid) as error:
        compile_version(**{**whole, **changes})  # type: ignore[arg-type]
    assert error.value.code == code


def test_canonical_bytes_and_digest() -> None:
    bare = compiled(stored(excluded_categories=("b", "a"), weekdays=("tue", "mon")))
    text = canonical_json(bare).decode()
    assert text.startswith('{"campaign":"pingyin-2020","rest_days":[],"spending_end":"2020-10-18T16:00:00Z"')
    assert '"excluded_categories":["b","a"]' in text
    assert " " not in text
    assert digest(bare) == digest(bare) and len(digest(bare)) == 64


def test_the_digest_tells_every_change() -> None:
    one = compiled()
    digests = {
        digest(one),
        digest(replace(one, version=2)),
        digest(replace(one, campaign="other")),
        digest(replace(one, time_zone="UTC")),
        digest(replace(one, whitelist=Whitelist(merchants=("M001",)))),
        digest(replace(one, spending_end=one.spending_end + timedelta(seconds=1))),
        digest(replace(one, terms=stored(max_uses=1))),
        digest(replace(one, terms=stored(max_uses=2))),
    }
    assert len(digests) == 8


def test_the_digest_does_not_depend_on_how_a_time_is_written() -> None:
    one = compiled()
    east = timezone(timedelta(hours=8))
    same = replace(
        one,
        spending_start=one.spending_start.astimezone(east),
        spending_end=one.spending_end.astimezone(SHANGHAI),
    )
    assert digest(same) == digest(one)


@settings(max_examples=150, deadline=None)
@given(TERMS, WHITELISTS)
def test_what_is_stored_reads_back_the_same(terms: Terms, whitelist: Whitelist) -> None:
    version = compiled(terms, whitelist)
    try:
        stored_bytes = canonical_json(version)
    except OverflowError:  # integers beyond 64 bits have no JSON here; no file brings them
        return
    again = read_compiled(stored_bytes)
    assert again == version
    assert digest(again) == digest(version)
    assert compile_terms(again) == compile_terms(version)


def test_foreign_bytes_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        read_compiled(b"{}")
    assert read_compiled(canonical_json(compiled())).spending_start.tzinfo == UTC


def test_rules_refuse_what_was_never_compiled() -> None:
    one = compiled()
    for wrong, code in [
        (replace(one, spending_end=one.spending_start), "terms_window_empty"),
        (replace(one, time_zone="Nowhere/At_all"), "terms_time_zone_unknown"),
        (replace(one, terms=stored(hours=("1-2",))), "terms_hours_bad"),
    ]:
        with pytest.raises(Invalid) as error:
            compile_terms(wrong)
        assert error.value.code == code
