"""A terms version with its lookups ready, made once per version and kept by the caller."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from campaigns.domain.terms.facts import Holder, Purchase, Used, Voucher
from campaigns.domain.terms.model import WEEKDAYS, CompiledTerms, Terms
from campaigns.domain.windows import check_window, parse_hours, zone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`CompiledTerms` as `decide` reads them: sets, minutes of the day, the time zone. Empty means "any"."""

    terms: Terms
    zone: ZoneInfo
    start: datetime
    end: datetime
    weekdays: frozenset[int]  # Monday is 0
    hours: tuple[tuple[int, int], ...]
    blackout_dates: frozenset[date]
    rest_days: frozenset[date]
    listed_merchants: frozenset[str]
    listed_tags: frozenset[str]
    listed_zones: frozenset[str]
    listed_mcc: frozenset[str]
    listed_places: tuple[str, ...]
    scenarios: frozenset[str]
    mcc: frozenset[str]
    excluded_categories: frozenset[str]
    wallet_operators: frozenset[str]


def compile_terms(compiled: CompiledTerms) -> Rules:
    """Prepare a stored terms version for `decide`. Costs far more than a decision: keep the result.

    Raises Invalid for hours, a window or a time zone that `compile_version` would not have let pass.
    """
    check_window(compiled.spending_start, compiled.spending_end)
    terms, whitelist = compiled.terms, compiled.whitelist
    return Rules(
        terms=terms,
        zone=zone_of(compiled.time_zone),
        start=compiled.spending_start,
        end=compiled.spending_end,
        weekdays=frozenset(WEEKDAYS.index(day) for day in terms.weekdays),
        hours=tuple(parse_hours(hours) for hours in terms.hours),
        blackout_dates=frozenset(terms.blackout_dates),
        rest_days=frozenset(compiled.rest_days),
        listed_merchants=frozenset(whitelist.merchants),
        listed_tags=frozenset(whitelist.tags),
        listed_zones=frozenset(whitelist.zones),
        listed_mcc=frozenset(whitelist.mcc),
        listed_places=whitelist.places,
        scenarios=frozenset(terms.scenarios),
        mcc=frozenset(terms.mcc),
        excluded_categories=frozenset(terms.excluded_categories),
        wallet_operators=frozenset(terms.wallet_operators),
    )


@dataclass(slots=True)
class Case:
    """One question put to the rules, and the scratch pad of one `decide`.

    ``day`` and ``minute`` are local. ``eligible_fen`` starts as the whole basket and ``available_fen`` as
    the balance; rules may only lower them.
    """

    voucher: Voucher
    holder: Holder
    purchase: Purchase
    used: tuple[Used, ...]
    now: datetime
    day: date
    minute: int
    eligible_fen: int
    available_fen: int
