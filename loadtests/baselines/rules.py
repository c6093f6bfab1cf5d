"""The rules of the town's terms, judged one after another as a textbook would; and what the voucher gives."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

SCOPES = {"person": 0, "merchant": 1, "person_merchant": 2, "campaign": 3}
PERIODS = {"day": 0}


class Cap(Struct, frozen=True):
    """At most so many uses and fen for each ``scope`` and day."""

    scope: str
    period: str
    uses: int
    amount_fen: int

    @property
    def number(self) -> int:
        """How counters name it."""
        return SCOPES[self.scope] * 10 + PERIODS[self.period]


class Terms(Struct, frozen=True):
    """The eight rules, and stored value as the benefit."""

    hours: list[str]
    places: list[str]
    scenarios: list[str]
    min_spend_fen: int
    max_per_use_fen: int
    caps: list[Cap]


class Whitelist(Struct, frozen=True):
    """Merchants with one of the tags."""

    tags: list[str]


class Compiled(Struct, frozen=True):
    """What stands in ``terms_version.compiled``, as far as the town uses it."""

    spending_start: datetime
    spending_end: datetime
    time_zone: str
    whitelist: Whitelist
    terms: Terms

    def bucket(self, now: datetime) -> date:
        """The day whose counters a payment counts in."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()


class Shop(Struct, frozen=True):
    """What the rules ask about the till's store and merchant."""

    place: str
    scenario: str
    tags: list[str]


class Voucher(Struct, frozen=True):
    """What the rules ask about the voucher."""

    state: str
    balance_fen: int
    expires_at: datetime


class Counted(Struct, frozen=True):
    """What a cap has counted in its day."""

    uses: int
    amount_fen: int


class Given(NamedTuple):
    """What the voucher could have given, and what it gives."""

    available_fen: int
    amount_fen: int


class Refused(Exception):
    """A rule said no; its code is the message."""


def read(compiled: str) -> Compiled:
    """The terms as they are stored."""
    return msgspec.json.decode(compiled, type=Compiled)


def subsidy(
    rules: Compiled, voucher: Voucher, shop: Shop, counted: list[Counted], basket_fen: int, now: datetime
) -> Given:
    """What the voucher gives for the basket now. Raises Refused."""
    terms = rules.terms
    _when(rules, voucher, now)
    if not any(shop.place.startswith(one) for one in terms.places):
        raise Refused("place_not_allowed")
    if not set(rules.whitelist.tags) & set(shop.tags):
        raise Refused("merchant_not_listed")
    if shop.scenario not in terms.scenarios:
        raise Refused("scenario_not_allowed")
    if basket_fen < terms.min_spend_fen:
        raise Refused("below_minimum_spend")
    available_fen = min(voucher.balance_fen, terms.max_per_use_fen)
    if available_fen <= 0:
        raise Refused("balance_too_small")
    for cap, used in zip(terms.caps, counted, strict=True):
        available_fen = min(available_fen, cap.amount_fen - used.amount_fen)
        if used.uses >= cap.uses or available_fen <= 0:
            raise Refused(f"cap_reached_{cap.scope}_{cap.period}")
    return Given(available_fen, min(available_fen, basket_fen))


def _when(rules: Compiled, voucher: Voucher, now: datetime) -> None:
    if not rules.spending_start <= now < rules.spending_end:
        raise Refused("window_over")
    if voucher.state != "live":
        raise Refused("voucher_not_live")
    if now >= voucher.expires_at:
        raise Refused("voucher_expired")
    local = now.astimezone(ZoneInfo(rules.time_zone))
    minute = local.hour * 60 + local.minute
    if not any(_minute(one[:5]) <= minute < _minute(one[6:]) for one in rules.terms.hours):
        raise Refused("hour_not_allowed")


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
