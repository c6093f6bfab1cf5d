"""The uptake report of a campaign as data, and the pure arithmetic of its figures.

Amounts are integer fen, shares are basis points rounded down (None where there is nothing to divide by). What
each figure means and whether it is simulated stands in `campaigns.domain.report_figures`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from campaigns.domain.definition.model import Text
from campaigns.domain.money import BASIS_POINTS

Kind = Literal["input", "outcome"]
TOP_MERCHANTS: Final = 10
TOP_PLACES: Final = 12
MOST_DAYS: Final = 400
REST: Final = "rest"
REST_NAME: Final = Text(zh="其他", en="All others")


class Stage(Struct, frozen=True, kw_only=True):
    """A step of the funnel: how many, and their value where they have one."""

    count: int
    value_fen: int | None = None


class Funnel(Struct, frozen=True, kw_only=True):
    """From entries to money back. ``registered`` is None for a campaign that has no registration."""

    registered: Stage | None
    struck: int
    offered: Stage
    drawn: Stage
    called_in: int
    lapsed: int
    declined: int
    accepted: Stage
    first_use: Stage
    fully_used: Stage
    expired: Stage
    returned: Stage
    claimed_bp: int | None
    spent_bp: int | None


class Spending(Struct, frozen=True, kw_only=True):
    """Captures and what came back. ``own_per_yuan_fen`` is own money for each yuan of subsidy."""

    payments: int
    undone: int
    released: int
    refunds: int
    captured_fen: int
    refunded_fen: int
    spent_fen: int
    own_fen: int
    value_fen: int
    own_per_yuan_fen: int | None


class Slice(Struct, frozen=True, kw_only=True):
    """Net spending in one place, scenario or merchant; ``key`` is its code, ``rest`` for all others."""

    key: str
    name: Text
    payments: int
    spent_fen: int
    own_fen: int


class Day(Struct, frozen=True, kw_only=True):
    """A day in the campaign's zone: captures of that day, and refunds made on it (of any day's payments)."""

    day: date
    payments: int
    captured_fen: int
    refunded_fen: int


class RefusalCount(Struct, frozen=True, kw_only=True):
    """How often payments were refused for one reason; ``sentence`` leaves the facts of a single case out."""

    code: str
    times: int
    sentence: Text


class Refusals(Struct, frozen=True, kw_only=True):
    """``attempts`` = payments (holds included) + ``refused``. ``unattributed`` fell before a campaign was known."""

    attempts: int
    refused: int
    refused_bp: int | None
    by_code: tuple[RefusalCount, ...]
    other_acts: int
    unattributed: int


class Merchants(Struct, frozen=True, kw_only=True):
    """``listed`` merchants may take the vouchers, ``active`` ones of them have done so."""

    listed: int
    active: int
    active_bp: int | None


class Money(Struct, frozen=True, kw_only=True):
    """Where the campaign's money lies now, by the ledger: ``funded`` is the sum of all the others."""

    funded_fen: int
    escrow_fen: int
    outstanding_fen: int
    held_fen: int
    payable_fen: int
    paid_fen: int
    returned_fen: int


class FunderPart(Struct, frozen=True, kw_only=True):
    """``spent_fen`` is the funder's part of the net spending; paid in and given back are facts of the ledger."""

    code: str
    name: Text
    share_bp: int
    funded_fen: int
    spent_fen: int
    returned_fen: int


class Target(Struct, frozen=True, kw_only=True):
    """A default target: ``found_bp`` at least (or below) ``goal_bp``; ``reached`` None while nothing is known."""

    id: str
    goal_bp: int
    at_least: bool
    found_bp: int | None
    reached: bool | None


class Report(Struct, frozen=True, kw_only=True):
    """One campaign's uptake on one snapshot, at campaign time ``made_at``."""

    campaign_id: str
    code: str
    name: Text
    programme: Text
    state: str
    mode: str
    time_zone: str
    made_at: datetime
    spending_start: datetime
    spending_end: datetime
    closed_at: datetime | None
    targets: tuple[Target, ...]
    funnel: Funnel
    spending: Spending
    days: tuple[Day, ...]
    places: tuple[Slice, ...]
    scenarios: tuple[Slice, ...]
    by_merchant: tuple[Slice, ...]
    merchants: Merchants
    refusals: Refusals
    funders: tuple[FunderPart, ...]
    money: Money
    kinds: dict[str, Kind]


# What a programme of this kind can reach: the best documented campaigns (docs/report.md).
GOALS: Final[tuple[tuple[str, int, bool], ...]] = (
    ("claimed", 9_600, True),
    ("spent", 9_500, True),
    ("merchants_active", 9_000, True),
    ("refused", 500, False),
)


def share_bp(part: int, whole: int) -> int | None:
    """``part`` of ``whole`` in basis points, rounded down; None of nothing."""
    return part * BASIS_POINTS // whole if whole else None


def targets(found: dict[str, int | None]) -> tuple[Target, ...]:
    """Hold what was found (basis points by id) against the default targets. Rounding down changes no verdict."""
    return tuple(
        Target(id=name, goal_bp=goal_bp, at_least=at_least, found_bp=found[name], reached=_reached(found[name], goal_bp, at_least))
        for name, goal_bp, at_least in GOALS
    )  # fmt: skip


def _reached(found_bp: int | None, goal_bp: int, at_least: bool) -> bool | None:
    if found_bp is None:
        return None
    return found_bp >= goal_bp if at_least else found_bp < goal_bp


def own_per_yuan_fen(own_fen: int, spent_fen: int) -> int | None:
    """Own money for each yuan of subsidy, in fen rounded down; None before anything is spent."""
    return own_fen * 100 // spent_fen if spent_fen else None


def slices(parts: Iterable[Slice], most: int | None = None) -> tuple[Slice, ...]:
    """Add up the parts of one key, the largest first; beyond ``most`` they become one slice ``rest``."""
    together: dict[str, list[Slice]] = defaultdict(list)
    for part in parts:
        together[part.key].append(part)
    found = sorted(
        (_added(same, key, same[0].name) for key, same in together.items()),
        key=lambda one: (-one.spent_fen, -one.payments, one.key),
    )
    if most is None or len(found) <= most:
        return tuple(found)
    return (*found[:most], _added(found[most:], REST, REST_NAME))


def _added(parts: Sequence[Slice], key: str, name: Text) -> Slice:
    return Slice(
        key=key,
        name=name,
        payments=sum(part.payments for part in parts),
        spent_fen=sum(part.spent_fen for part in parts),
        own_fen=sum(part.own_fen for part in parts),
    )


def fill_days(days: Sequence[Day]) -> tuple[Day, ...]:
    """Put the days without a payment between the first and the last one (``MOST_DAYS`` at most)."""
    known = {day.day: day for day in days}
    if not known or (max(known) - min(known)).days >= MOST_DAYS:
        return tuple(known[day] for day in sorted(known))
    first, last = min(known), max(known)
    return tuple(
        known.get(day) or Day(day=day, payments=0, captured_fen=0, refunded_fen=0)
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1))
    )
