"""`split-1`: exact sum, bounds, equal means in every position."""

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery import Split, SplitError, split_amounts
from lottery.core.split import Words
from tests.lottery import strategies, vectors


@st.composite
def splits(draw: st.DrawFn) -> Split:
    count = draw(st.integers(1, 40))
    low = draw(st.integers(0, 500))
    high = draw(st.integers(low, 2_000))
    total = draw(st.integers(max(1, count * low), max(1, count * high)))
    if total > count * high:  # low = high = 0 leaves nothing to split
        return Split(count, count, 0, 1)
    return Split(total, count, low, high)


@given(splits(), strategies.seeds)
def test_sum_and_bounds(split: Split, seed: str) -> None:
    packets = split_amounts(seed, split)
    assert len(packets) == split.count
    assert sum(packets) == split.total
    assert all(split.low <= packet <= split.high for packet in packets)


@given(splits(), strategies.seeds)
def test_the_seed_decides_everything(split: Split, seed: str) -> None:
    assert split_amounts(seed, split) == split_amounts(seed, split)


def test_every_position_has_the_same_mean() -> None:
    """4,000 seeds; a packet's deviation is about 5, so a mean strays by 0.08: 0.5 is six times that."""
    split = Split(total=97, count=6, low=2, high=60)
    rows = [split_amounts(f"{i:064x}", split) for i in range(4000)]
    for position in range(split.count):
        assert abs(fmean(row[position] for row in rows) - 97 / 6) < 0.5


@given(st.integers(1, 2**63 + 1), strategies.seeds)
def test_below_stays_below(n: int, seed: str) -> None:
    words = Words(seed, "label")
    assert all(0 <= words.below(n) < n for _ in range(5))


def test_words_that_would_favour_small_numbers_are_passed_over() -> None:
    """For n = 2**63 + 1 only words below n count, so almost every second one is passed over."""
    words = Words(vectors.SEED, "split")
    kept = [words.below(2**63 + 1) for _ in range(50)]
    every = Words(vectors.SEED, "split")
    stream = [every.below(2**64) for _ in range(200)]
    assert kept == [word for word in stream if word < 2**63 + 1][:50]


@pytest.mark.parametrize(
    "split",
    [
        Split(0, 1, 0, 5),
        Split(10, 0, 1, 5),
        Split(10, 2, 6, 9),
        Split(10, 2, 1, 4),
        Split(10, 2, 5, 4),
        Split(10, 2, -1, 11),
        Split(2**53, 1, 1, 2**53),
        Split(10, 10_000_001, 0, 1),
    ],
)
def test_impossible_splits_are_refused(split: Split) -> None:
    with pytest.raises(SplitError):
        split_amounts(vectors.SEED, split)
