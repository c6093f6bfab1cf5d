"""The terms of a voucher as data: what a campaign file says and what a version of it compiles to."""

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

Channel = Literal["in_store", "online", "unattended"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CapScope = Literal["person", "merchant", "person_merchant", "campaign"]
CapPeriod = Literal["day", "week", "month", "whole"]
DayKind = Literal["any", "workday", "rest_day"]

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CHANNELS: tuple[Channel, ...] = ("in_store", "online", "unattended")


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every model read from a campaign file: unknown members are refused."""


class StoredValue(Model, tag="stored_value", tag_field="kind", frozen=True):
    """A fixed value spent in parts: each use takes what the basket needs, up to the balance."""


class Step(Model, frozen=True):
    """Spend at least ``spend_fen``, save ``save_fen``."""

    spend_fen: int
    save_fen: int


class SpendAndSave(Model, tag="spend_and_save", tag_field="kind", frozen=True):
    """Steps ascending in both members; the highest step the eligible basket reaches applies."""

    steps: tuple[Step, ...]


class Percentage(Model, tag="percentage", tag_field="kind", frozen=True):
    """``basis_points`` of the eligible basket, rounded down to the fen, at most ``cap_fen``."""

    basis_points: int
    cap_fen: int


Benefit = StoredValue | SpendAndSave | Percentage


class Cap(Model, frozen=True):
    """At most ``uses`` payments and/or ``amount_fen`` of subsidy per ``scope`` and ``period``.

    The period is the day, the Monday week or the month of the *authorization* in the campaign's zone,
    or the whole campaign.
    """

    scope: CapScope
    period: CapPeriod
    uses: int | None = None
    amount_fen: int | None = None


class Circle(Model, frozen=True):
    """A geofence: inside ``radius_m`` metres of the point (WGS 84 degrees times 1,000,000, as integers)."""

    latitude_e6: int
    longitude_e6: int
    radius_m: int


class Whitelist(Model, frozen=True):
    """Merchants where the voucher may be spent. A merchant passes when it matches every list that is not empty.

    ``merchants`` are merchant codes, ``places`` significant digits of region codes (prefix match on the
    store), ``mcc`` ISO 18245 codes, ``tags`` the office's own labels (one in common is enough).
    """

    merchants: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    mcc: tuple[str, ...] = ()


class Terms(Model, frozen=True):
    """What a campaign file says under ``terms``: every rule `decide` enforces at payment time."""

    benefit: Benefit
    weekdays: tuple[Weekday, ...] = WEEKDAYS
    hours: tuple[str, ...] = ()  # "10:00-22:00", local, end exclusive, "24:00" allowed; empty = whole day
    blackout_dates: tuple[date, ...] = ()
    days: DayKind = "any"  # by public holidays and make-up workdays
    holidays: dict[str, "HolidayYear"] = {}
    valid_days: int | None = None  # ends 24:00 of the Nth day, the day of acceptance being day 1
    places: tuple[str, ...] = ()  # of the store, prefix match
    scenarios: tuple[str, ...] = ()
    mcc: tuple[str, ...] = ()
    excluded_categories: tuple[str, ...] = ("lottery", "tobacco")
    channels: tuple[Channel, ...] = CHANNELS
    min_spend_fen: int = 0
    max_per_use_fen: int | None = None
    max_uses: int | None = None
    caps: tuple[Cap, ...] = ()
    first_purchase: bool = False
    wallet_operators: tuple[str, ...] = ()
    geofence: tuple[Circle, ...] = ()
    stacking_class: str = "default"
    undo_seconds: int = 600
    hold_seconds: int = 600


class HolidayYear(Model, frozen=True):
    """Public holidays and make-up workdays of one year, as the State Council's notice lists them."""

    holidays: tuple[date, ...]
    workdays: tuple[date, ...] = ()


class CompiledTerms(Model, frozen=True):
    """One version of a campaign's terms, ready for `decide`: self-contained, stored as JSON, with a digest.

    ``rest_days`` lists every non-working date inside the spending window when ``terms.days`` needs it.
    """

    campaign: str
    version: int
    time_zone: str
    spending_start: datetime
    spending_end: datetime
    whitelist: Whitelist
    terms: Terms
    rest_days: tuple[date, ...] = ()
