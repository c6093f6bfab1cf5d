"""Money going back to funders when a campaign closes: exact for every funder and every operator."""

from collections.abc import Sequence

from campaigns.domain.funders import funder_parts
from campaigns.domain.money import largest_remainder


def returns_at_close(
    funded_fen: Sequence[int], shares_bp: Sequence[int], escrow_fen: Sequence[int]
) -> list[list[int]]:
    """What each operator's escrow gives back to each funder: a row per operator, a column per funder.

    Columns add up to what the funder paid in less its part of the campaign's net spending (`funder_parts`), rows
    to the operator's escrow, and nothing is negative. Where that part is a fen above what a funder paid in (largest
    remainders may do that close to the whole budget), all is divided in proportion to what was paid in instead.
    """
    spent_fen = sum(funded_fen) - sum(escrow_fen)
    assert spent_fen >= 0 and min(escrow_fen, default=0) >= 0
    parts = funder_parts(spent_fen, shares_bp)
    left = [paid - part for paid, part in zip(funded_fen, parts, strict=True)]
    if min(left) < 0:
        left = largest_remainder(sum(escrow_fen), funded_fen)
    rows: list[list[int]] = []
    for amount_fen in escrow_fen:
        row = largest_remainder(amount_fen, left) if amount_fen else [0] * len(left)
        left = [have - part for have, part in zip(left, row, strict=True)]
        rows.append(row)
    assert not any(left)
    return rows
