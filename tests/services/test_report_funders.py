"""Funders' parts: exact in the sum, less than a fen from the exact share, and the same by whatever way."""

from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.funders import funder_parts
from campaigns.domain.money import BASIS_POINTS

_shares = st.lists(st.integers(0, BASIS_POINTS), min_size=1, max_size=8).filter(sum)


@given(st.integers(0, 10**13), _shares)
def test_parts_add_up_and_lie_within_a_fen_of_the_share(spent_fen: int, shares_bp: list[int]) -> None:
    parts = funder_parts(spent_fen, shares_bp)
    assert sum(parts) == spent_fen
    whole = sum(shares_bp)
    for part_fen, share in zip(parts, shares_bp, strict=True):
        assert abs(part_fen * whole - spent_fen * share) < whole
        assert share or not part_fen


@given(st.lists(st.integers(1, 10**6), max_size=30), _shares)
def test_many_small_payments_round_no_further_than_one(payments_fen: list[int], shares_bp: list[int]) -> None:
    """Computed per payment, thirty roundings would pile up; cumulated, there is one."""
    whole = sum(shares_bp)
    total_fen = sum(payments_fen)
    drift = [
        abs(part * whole - total_fen * share) / whole
        for part, share in zip(funder_parts(total_fen, shares_bp), shares_bp, strict=True)
    ]
    assert all(fen < 1 for fen in drift)


def test_three_to_one() -> None:
    assert funder_parts(10_001, [7_500, 2_500]) == [7_501, 2_500]
    assert funder_parts(0, [7_500, 2_500]) == [0, 0]
