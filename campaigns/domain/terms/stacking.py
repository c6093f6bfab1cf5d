"""Which of a person's vouchers pay: the best of each stacking class, at most three, cut at the basket."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.codes.decide import CODES
from campaigns.domain.terms.facts import Allowed, Denial, Voucher

MAX_LINES = 3

_NEARNESS = {code: place for place, code in enumerate(CODES)}


class Offer(Struct, frozen=True, kw_only=True):
    """A voucher that `decide` allowed on the basket as given, with its terms' stacking class."""

    voucher: Voucher
    stacking_class: str
    allowed: Allowed


class Chosen(Struct, frozen=True, kw_only=True):
    """One line of the payment: ``amount_fen`` is what the offer gives after the cut at the basket."""

    offer: Offer
    amount_fen: int


def preference(offer: Offer) -> tuple[int, datetime, UUID]:
    """Sort key, best first: the largest subsidy, then the earliest expiry, then the lowest id."""
    return -offer.allowed.amount_fen, offer.voucher.expires_at, offer.voucher.id


def choose(offers: Iterable[Offer], basket_fen: int) -> tuple[Chosen, ...]:
    """The lines of a payment, best first; empty when nothing is offered.

    The best offer of each class stands for it, and the three best classes pay. If they give more than
    the basket, the last lines are cut first; a line cut to nothing is left out, so it costs no use.
    """
    best: dict[str, Offer] = {}
    for offer in sorted(offers, key=preference):
        best.setdefault(offer.stacking_class, offer)
    chosen = []
    rest_fen = basket_fen
    for offer in list(best.values())[:MAX_LINES]:
        line_fen = min(offer.allowed.amount_fen, rest_fen)
        if line_fen > 0:
            chosen.append(Chosen(offer=offer, amount_fen=line_fen))
        rest_fen -= line_fen
    return tuple(chosen)


def nearest(denials: Sequence[Denial]) -> Denial | None:
    """The refusal to tell when every voucher is refused: the one that passed most rules, the first of equals."""
    return max(denials, key=lambda denial: _NEARNESS[denial.code], default=None)
