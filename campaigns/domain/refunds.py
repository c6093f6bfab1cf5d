"""How much of a payment's subsidy is captured and given back, over all its stacked lines.

Everything is computed on the sum of the lines and moves on the last line first. Returned goods cumulate:
each refund moves the difference to what was given back before, so splitting a return changes nothing.
"""

from collections.abc import Sequence

from msgspec import Struct

from campaigns.domain.terms.amount import amount, eligible_after
from campaigns.domain.terms.model import Terms


class Line(Struct, frozen=True, kw_only=True):
    """One voucher's part of an authorization, as its row has it.

    ``terms``, ``eligible_fen`` and ``available_fen`` are the facts of the authorization. ``gone_excluded_fen``
    is how much of the goods that left the basket so far (at capture or by refund, this one included) was
    of categories these terms exclude; 0 when nobody said so, and then goods count as eligible first.
    """

    terms: Terms
    eligible_fen: int
    available_fen: int
    held_fen: int
    captured_fen: int = 0
    refunded_fen: int = 0
    gone_excluded_fen: int = 0


def amount_left(lines: Sequence[Line], basket_fen: int, gone_fen: int) -> int:
    """The subsidy of all lines once goods worth ``gone_fen`` have left the basket; at most what is left of it."""
    given_fen = sum(
        amount(
            line.terms,
            eligible_after(basket_fen, line.eligible_fen, gone_fen, line.gone_excluded_fen),
            line.available_fen,
        )
        for line in lines
    )
    return max(0, min(given_fen, basket_fen - gone_fen))


def capture(lines: Sequence[Line], basket_fen: int, captured_basket_fen: int) -> tuple[int, ...]:
    """Per line, what is captured of its hold when the basket comes to ``captured_basket_fen``.

    The sum is min(held, the amount for the smaller basket); what it falls short of the holds by stays
    with the last lines. May be all zero: then the payment brings no subsidy and every hold returns.
    """
    gone_fen = basket_fen - captured_basket_fen
    held_fen = [line.held_fen for line in lines]
    total_fen = min(sum(held_fen), amount_left(lines, basket_fen, gone_fen))
    released_fen = from_last(held_fen, sum(held_fen) - total_fen)
    return tuple(held - released for held, released in zip(held_fen, released_fen, strict=True))


def refund(
    lines: Sequence[Line], basket_fen: int, captured_basket_fen: int, returned_fen: int
) -> tuple[int, ...]:
    """Per line, what this refund gives back when ``returned_fen`` of goods are returned in all.

    ``returned_fen`` is cumulated, this refund included; the caller refuses more than the captured basket.
    In all min(S - amount(what is kept), returned) is given back of the captured S: who falls below a
    threshold loses the subsidy, never more than the goods returned.
    """
    gone_fen = basket_fen - captured_basket_fen + returned_fen
    captured_fen = sum(line.captured_fen for line in lines)
    back_fen = min(captured_fen - amount_left(lines, basket_fen, gone_fen), returned_fen)
    moved_fen = max(0, back_fen - sum(line.refunded_fen for line in lines))
    return from_last([line.captured_fen - line.refunded_fen for line in lines], moved_fen)


def from_last(most_fen: Sequence[int], total_fen: int) -> tuple[int, ...]:
    """Take ``total_fen`` from the parts, the last one first, each at most whole."""
    taken_fen = [0] * len(most_fen)
    for index in reversed(range(len(most_fen))):
        taken_fen[index] = min(most_fen[index], total_fen)
        total_fen -= taken_fen[index]
    assert total_fen == 0
    return tuple(taken_fen)
