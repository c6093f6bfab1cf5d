"""What a closed campaign gets back is divided by the cumulated net spending."""

from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.ids import new_id
from campaigns.domain.payments import FunderRow, return_to_funders

SHARES = st.lists(st.integers(1, 9_999), min_size=1, max_size=6)
AMOUNTS = st.lists(st.integers(0, 10_000), min_size=1, max_size=30)


@given(SHARES, AMOUNTS, st.data())
def test_parts_add_up_none_is_negative_and_everything_returned_leaves_nothing_spent(
    shares: list[int], amounts: list[int], data: st.DataObject
) -> None:
    spent_fen = sum(amounts)
    funders = [FunderRow(id=new_id(), share_bp=share, spent_fen=0) for share in shares]
    left_fen = spent_fen
    for funder in funders[:-1]:
        funder.spent_fen = data.draw(st.integers(0, left_fen))
        left_fen -= funder.spent_fen
    funders[-1].spent_fen = left_fen
    for amount_fen in amounts:
        parts = return_to_funders(amount_fen, funders)
        assert sum(parts) == amount_fen and min(parts) >= 0
        for funder, part_fen in zip(funders, parts, strict=True):
            funder.spent_fen -= part_fen
            assert funder.spent_fen >= 0
    assert all(funder.spent_fen == 0 for funder in funders)


@given(SHARES, AMOUNTS)
def test_each_funder_stays_within_a_fen_of_its_share(shares: list[int], amounts: list[int]) -> None:
    whole = sum(shares)
    spent_fen = 1_000 * whole
    funders = [FunderRow(id=new_id(), share_bp=share, spent_fen=1_000 * share) for share in shares]
    for amount_fen in amounts:
        amount_fen = min(amount_fen, spent_fen)
        for funder, part_fen in zip(funders, return_to_funders(amount_fen, funders), strict=True):
            funder.spent_fen -= part_fen
        spent_fen -= amount_fen
        for funder, share in zip(funders, shares, strict=True):
            assert abs(funder.spent_fen * whole - spent_fen * share) < whole
