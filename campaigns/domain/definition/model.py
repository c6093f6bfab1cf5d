"""A campaign file as typed data (schema ``hongbao/campaign/1``)."""

from typing import Literal

from msgspec import field

from campaigns.domain.terms.model import Model, Terms, Whitelist


class Text(Model, frozen=True):
    """A public text in both languages."""

    zh: str
    en: str


class LocalWindow(Model, frozen=True):
    """[start, end) in the campaign's time zone, ``YYYY-MM-DD HH:MM``; ``24:00`` is the next midnight."""

    start: str
    end: str


class Windows(Model, frozen=True):
    """``registration`` and ``draw`` belong to a draw, ``acceptance`` to draws and lists."""

    spending: LocalWindow
    registration: LocalWindow | None = None
    draw: LocalWindow | None = None
    acceptance: LocalWindow | None = None


class Funder(Model, frozen=True):
    """Who pays: ``share_bp`` basis points of the budget; all funders' shares add up to 10,000."""

    id: str
    name: Text
    share_bp: int


class CustodyOperator(Model, frozen=True):
    """Where the money lies: ``share_bp`` basis points of the budget; all add up to 10,000."""

    id: str
    name: Text
    share_bp: int = 10_000


class Fixed(Model, tag="fixed", tag_field="kind", frozen=True):
    """Every voucher of the tier is worth ``amount_fen``."""

    amount_fen: int


class RandomSplit(Model, tag="split", tag_field="kind", frozen=True):
    """``split-1`` divides ``total_fen`` over the tier's vouchers, each within [low, high]."""

    total_fen: int
    low_fen: int
    high_fen: int


class Quota(Model, frozen=True):
    """``count`` vouchers of a tier kept for entrants of ``place`` (significant digits of a region code)."""

    place: str
    count: int


class Tier(Model, frozen=True):
    """``count`` vouchers of one kind. With ``quotas`` they add up to ``count``; without, any place may win."""

    id: str
    name: Text
    count: int
    amount: Fixed | RandomSplit
    quotas: tuple[Quota, ...] = ()


class Source(Model, frozen=True):
    """A source of randomness, in the order of the transcript. ``due`` is local time within the draw window."""

    kind: Literal["drand", "rehearsal", "office", "ssq", "notary"]
    due: str


class DrawPlan(Model, tag="draw", tag_field="method", frozen=True):
    tiers: tuple[Tier, ...]
    sources: tuple[Source, ...]
    waitlist: int = 0
    spill: Literal["none", "open"] = "none"
    max_entries: int = 10_000_000


class ListPlan(Model, tag="list", tag_field="method", frozen=True):
    tiers: tuple[Tier, ...]


class Opening(Model, frozen=True):
    """One rush opening: at ``at`` local time, ``count`` vouchers of ``tier``."""

    at: str
    tier: str
    count: int


class RushPlan(Model, tag="rush", tag_field="method", frozen=True):
    tiers: tuple[Tier, ...]
    openings: tuple[Opening, ...]


class Registration(Model, frozen=True):
    """Who may enter: ``places`` an entrant may name as theirs (empty = the campaign's own places)."""

    places: tuple[str, ...] = ()
    wallet_operators: tuple[str, ...] = ()


class Definition(Model, frozen=True):
    """One campaign, whole. `check` finds what types cannot: see campaigns/domain/definition/check.py."""

    schema: Literal["hongbao/campaign/1"]
    programme: str
    code: str
    name: Text
    about: Text
    places: tuple[str, ...]
    scenario: str
    windows: Windows
    budget_fen: int
    funders: tuple[Funder, ...]
    custody_operators: tuple[CustodyOperator, ...]
    issuing: DrawPlan | ListPlan | RushPlan
    terms: Terms
    merchants: Whitelist = Whitelist()
    registration: Registration = Registration()
    time_zone: str = "Asia/Shanghai"
    per_person: int = 1
    refund_days: int = 30
    place_names: dict[str, Text] = field(default_factory=dict)  # of nine-digit townships and zones
