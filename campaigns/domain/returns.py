"""Money going back to funders: divided by what each still has in the campaign, exactly and never beyond it."""

from collections.abc import Sequence

from campaigns.domain.money import largest_remainder


def split_return(amount_fen: int, standing_fen: Sequence[int]) -> list[int]:
    """Divide what goes back from one operator over funders; ``standing_fen`` is funded less returned so far, each.

    Parts add up to ``amount_fen``, which must not be above the whole; no part is above its funder's standing. A part is
    the largest remainder of what is left, so later refunds never ask a fen back from anybody (which the largest
    remainder of a cumulated sum would, now and then, with three funders).
    """
    assert 0 <= amount_fen <= sum(standing_fen)
    if amount_fen == 0:
        return [0] * len(standing_fen)
    return largest_remainder(amount_fen, standing_fen)
