"""Arbitrary well-typed questions for `decide`: sensible ones often, absurd ones too."""

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

from hypothesis import strategies as st

from campaigns.domain.terms.facts import Holder, Item, Position, Purchase, Store, Used, Voucher
from campaigns.domain.terms.model import (
    CHANNELS,
    WEEKDAYS,
    Benefit,
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

MONEY_FEN = st.one_of(st.integers(0, 300), st.integers(0, 20_000), st.integers(-(10**12), 10**12))
PERIODS = ("day", "week", "month", "whole")
SCOPES = ("person", "merchant", "person_merchant", "campaign")
CATEGORIES = st.sampled_from(["lottery", "tobacco", "food", ""])
PLACES = st.sampled_from(["37", "3701", "370124", "370124101", "3203", ""])
NAMES = st.sampled_from(["a", "b", "M001", "retail", "5812"])
DAYS = st.dates(date(2020, 10, 10), date(2020, 10, 20))


def some(values: st.SearchStrategy) -> st.SearchStrategy:
    """A short tuple, empty most of the time: an empty member means "any"."""
    return st.one_of(st.just(()), st.lists(values, max_size=3).map(tuple))


def steps() -> st.SearchStrategy[SpendAndSave]:
    return st.lists(st.builds(Step, spend_fen=MONEY_FEN, save_fen=MONEY_FEN), max_size=4).map(
        lambda chosen: SpendAndSave(steps=tuple(chosen))
    )


BENEFITS: st.SearchStrategy[Benefit] = st.one_of(
    st.builds(StoredValue),
    steps(),
    st.builds(Percentage, basis_points=st.integers(-100, 20_000), cap_fen=MONEY_FEN),
)
CAPS = st.builds(
    Cap,
    scope=st.sampled_from(SCOPES),
    period=st.sampled_from(PERIODS),
    uses=st.none() | st.integers(-1, 5),
    amount_fen=st.none() | MONEY_FEN,
)
HOURS = st.sampled_from(["00:00-24:00", "10:00-22:00", "00:00-00:01", "18:00-24:00"])
CIRCLES = st.builds(
    Circle,
    latitude_e6=st.integers(36_000_000, 36_010_000) | st.integers(),
    longitude_e6=st.integers(116_000_000, 116_010_000) | st.integers(),
    radius_m=st.integers(-1, 2_000) | st.integers(),
)
TERMS = st.builds(
    Terms,
    benefit=BENEFITS,
    weekdays=st.just(WEEKDAYS) | st.lists(st.sampled_from(WEEKDAYS), max_size=6).map(tuple),
    hours=some(HOURS),
    blackout_dates=some(DAYS),
    days=st.sampled_from(["any", "any", "workday", "rest_day"]),
    holidays=st.just({"2020": HolidayYear(holidays=(date(2020, 10, 14),), workdays=(date(2020, 10, 17),))}),
    valid_days=st.none() | st.integers(1, 40),
    places=some(PLACES),
    scenarios=some(NAMES),
    mcc=some(NAMES),
    excluded_categories=some(CATEGORIES),
    channels=st.just(CHANNELS) | st.lists(st.sampled_from(CHANNELS), max_size=2).map(tuple),
    min_spend_fen=st.just(0) | MONEY_FEN,
    max_per_use_fen=st.none() | MONEY_FEN,
    max_uses=st.none() | st.integers(0, 3),
    caps=some(CAPS),
    first_purchase=st.booleans(),
    wallet_operators=some(NAMES),
    geofence=some(CIRCLES),
)
WHITELISTS = st.one_of(
    st.just(Whitelist()),
    st.builds(
        Whitelist,
        merchants=some(NAMES),
        tags=some(NAMES),
        places=some(PLACES),
        zones=some(NAMES),
        mcc=some(NAMES),
    ),
)
SETS = st.frozensets(NAMES, max_size=3)
TIMES = st.one_of(
    st.datetimes(datetime(2020, 10, 12), datetime(2020, 10, 19), timezones=st.just(UTC)),
    st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))])
    ),
)
STORES = st.builds(
    Store,
    merchant=NAMES,
    merchant_id=st.just(UUID(int=1)),
    store_id=st.just(UUID(int=2)),
    place=PLACES,
    zones=SETS,
    tags=SETS | st.frozensets(CATEGORIES, max_size=1),
    mcc=NAMES,
    scenario=NAMES,
)
PURCHASES = st.builds(
    Purchase,
    basket_fen=MONEY_FEN,
    channel=st.sampled_from(CHANNELS),
    store=STORES,
    items=some(st.builds(Item, category=CATEGORIES, amount_fen=MONEY_FEN)),
    position=st.none()
    | st.builds(
        Position,
        latitude_e6=st.integers(36_000_000, 36_010_000) | st.integers(),
        longitude_e6=st.integers(116_000_000, 116_010_000) | st.integers(),
    ),
)
VOUCHERS = st.builds(
    Voucher,
    id=st.uuids(),
    state=st.sampled_from(["live", "live", "live", "expired", ""]),
    balance_fen=MONEY_FEN,
    face_fen=MONEY_FEN,
    uses=st.integers(-1, 5),
    granted_at=TIMES,
    expires_at=TIMES | st.just(datetime(2021, 1, 1, tzinfo=UTC)),
)
HOLDERS = st.builds(Holder, wallet_operators=SETS, bought_before=st.booleans())
USED = st.lists(st.builds(Used, uses=st.integers(-1, 5), amount_fen=MONEY_FEN), max_size=4).map(tuple)
