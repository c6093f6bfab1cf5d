"""What each funder of a campaign pays: a part of the *cumulated* net spending, never computed per payment."""

from collections.abc import Sequence

from campaigns.domain.money import largest_remainder


def funder_parts(spent_fen: int, shares_bp: Sequence[int]) -> list[int]:
    """Divide what a campaign has spent net so far over its funders, in the order of their shares.

    The parts add up to ``spent_fen`` exactly and each lies less than one fen from its exact share, however many
    payments and refunds led there. As the sum grows by a fen a part may give one up: largest remainders are
    taken anew for each sum, so only parts of the newest sum are ever shown.
    """
    assert spent_fen >= 0, "a campaign never spends less than nothing"
    return largest_remainder(spent_fen, shares_bp)
