"""The behaviour file of a demonstration, as typed data. Shares are basis points, weights are relative."""

from datetime import datetime
from importlib.resources import files
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import yaml
from msgspec import Meta, Struct

Share = Annotated[int, Meta(ge=0, le=10_000)]
Weight = Annotated[int, Meta(ge=0, le=1_000_000)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Weights = Annotated[tuple[Weight, ...], Meta(min_length=1, max_length=100)]
PACKETS_OF_COUNTS = 3_000  # what `refused` is counted for


class Timeline(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Local times (``YYYY-MM-DD HH:MM``) at which the demonstration acts."""

    start: str
    freeze: str
    reveal: str
    beacon: str
    award: str
    early: str
    substitutes: str
    over: str


class Registration(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When and where residents enter."""

    days: dict[str, Weight]
    hours: Annotated[tuple[Weight, ...], Meta(min_length=24, max_length=24)]
    places: dict[str, Weight]
    ticked_bp: Share


class Acceptance(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When winners without the tick accept, if they do."""

    never_bp: Share
    days: Weights
    substitute_days: Weights


class Shops(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where shops stand and which of them do not fit the campaign."""

    places: dict[str, Weight]
    culture_bp: Share
    online_bp: Share
    not_listed: Count
    outside: Count
    other_scenario: Count
    unattended: Count


class Visits(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What holders buy, when, and what follows a payment."""

    hours: dict[str, Weight]
    gap_days: Weights
    stop_bp: Share
    steps: Weights
    extra_fen: Count
    online_bp: Share
    tobacco_bp: Share
    quote_bp: Share
    capture_bp: Share
    capture_part_bp: Share
    void_bp: Share
    undo_bp: Share
    refund_bp: Share
    refund_part_bp: Share


class Misused(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many attempts break which rule, per `PACKETS_OF_COUNTS` packets. ``outside`` is a store outside the county."""

    window_not_open: Count
    hour_not_allowed: Count
    blackout_date: Count
    merchant_not_listed: Count
    outside: Count
    scenario_not_allowed: Count
    category_excluded: Count
    channel_not_allowed: Count
    below_minimum_spend: Count
    cap_reached_person_day: Count
    cap_reached_person_merchant_day: Count
    balance_too_small: Count
    uses_exhausted: Count
    voucher_expired: Count


class Behaviour(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A demonstration: its campaign file, its size and how everybody behaves."""

    schema: str
    campaign: str
    entries: Annotated[int, Meta(ge=1, le=1_000_000)]
    merchants: Annotated[int, Meta(ge=20, le=5_000)]
    timeline: Timeline
    registration: Registration
    acceptance: Acceptance
    shops: Shops
    visits: Visits
    refused: Misused


def names() -> tuple[str, ...]:
    """The demonstrations there are."""
    return tuple(sorted(p.name[:-5] for p in files("api.demo").iterdir() if p.name.endswith(".yaml")))


def load_behaviour(name: str) -> Behaviour:
    """Read the file of a demonstration. Raises msgspec.ValidationError where a value does not fit."""
    text = files("api.demo").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Behaviour)


def moment(text: str, zone: ZoneInfo) -> datetime:
    """A local time of the file as an aware moment."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=zone)
