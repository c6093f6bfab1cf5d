"""How much a voucher gives: the one amount function, used by `decide`, capture and refund alike."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from campaigns.domain.money import BASIS_POINTS
from campaigns.domain.terms.facts import Item
from campaigns.domain.terms.model import SpendAndSave, StoredValue, Terms


def amount(terms: Terms, eligible_fen: int, available_fen: int) -> int:
    """The subsidy for an eligible basket when the voucher can give at most ``available_fen``; 0 is "nothing".

    Never more than either operand, never negative, and never falling as either of them grows.
    Stored value gives what the basket needs; a percentage is rounded down to the fen and cut at its cap;
    both are cut to ``available_fen``. A step of spend-and-save is given whole or not at all, as it is
    printed: the highest saving whose threshold is reached and which ``available_fen`` still covers.
    """
    limit_fen = min(eligible_fen, available_fen)
    if limit_fen <= 0 or eligible_fen < terms.min_spend_fen:
        return 0
    benefit = terms.benefit
    if isinstance(benefit, StoredValue):
        return limit_fen
    if isinstance(benefit, SpendAndSave):
        savings_fen = [
            step.save_fen
            for step in benefit.steps
            if step.spend_fen <= eligible_fen and 0 < step.save_fen <= limit_fen
        ]
        return max(savings_fen, default=0)
    return max(0, min(eligible_fen * benefit.basis_points // BASIS_POINTS, benefit.cap_fen, limit_fen))


def minimum_spend(terms: Terms) -> int:
    """The smallest eligible basket that can bring a subsidy at all: minimum spend and the lowest step."""
    if isinstance(terms.benefit, SpendAndSave) and terms.benefit.steps:
        return max(terms.min_spend_fen, min(step.spend_fen for step in terms.benefit.steps))
    return terms.min_spend_fen


def excluded_amount(items: Iterable[Item], excluded: AbstractSet[str]) -> int:
    """The fen of ``items`` in excluded categories; an item with a negative amount counts as nothing."""
    return sum(max(0, item.amount_fen) for item in items if item.category in excluded)


def eligible_after(basket_fen: int, eligible_fen: int, returned_fen: int, returned_excluded_fen: int) -> int:
    """What is left of the eligible part when goods worth ``returned_fen`` leave the basket.

    Goods that leave count as eligible first, so that nobody keeps a subsidy by bringing back eligible
    goods as if they were others; ``returned_excluded_fen`` of them are known to be of excluded
    categories (at most as much as the basket held of those) and leave the eligible part alone.
    """
    excluded_fen = max(0, min(returned_excluded_fen, basket_fen - eligible_fen))
    return max(0, eligible_fen - max(0, returned_fen - excluded_fen))
