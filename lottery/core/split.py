"""`split-1`: a pool of fen in packets of random size, exact in sum, each within bounds, every position with equal mean.

The packets are drawn one after the other, symmetrically about what the mean of the rest demands, then put in an order
drawn by hash: without the second step late positions would vary more than early ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from lottery.core.errors import SplitError
from lottery.core.seed import check_seed

LABEL = "split"
COUNT_MAX = 10_000_000
TOTAL_FEN_MAX = 2**53 - 1
_WORD_VALUES = 2**64


@dataclass(frozen=True, slots=True)
class Split:
    """`total` fen in `count` packets, each from `low` to `high` fen."""

    total: int
    count: int
    low: int
    high: int


def check_split(split: Split) -> str:
    """What makes the split impossible, as a sentence; empty when it can be made."""
    if not 1 <= split.count <= COUNT_MAX:
        return f"count must be from 1 to {COUNT_MAX}"
    if not 0 <= split.low <= split.high:
        return "low must be from 0 to high"
    if not 0 < split.total <= TOTAL_FEN_MAX:
        return f"total must be from 1 to {TOTAL_FEN_MAX}"
    if not split.count * split.low <= split.total <= split.count * split.high:
        return f"{split.count} packets from {split.low} to {split.high} cannot add up to {split.total}"
    return ""


def split_amounts(seed: str, split: Split) -> tuple[int, ...]:
    """The packets in fen, in the order in which they are given out; they add up to `split.total` exactly.

    Raises SplitError when no such packets exist, SeedError for a malformed seed.
    """
    problem = check_split(split)
    if problem:
        raise SplitError("split", problem)
    check_seed(seed)
    amounts = _generate(Words(seed, LABEL), split)
    order = sorted(range(split.count), key=lambda i: (_slot(seed, i), i))
    return tuple(amounts[i] for i in order)


class Words:
    """The stream of 64-bit words of a label: sha256 of `seed|label|i`, four big-endian words from each block."""

    def __init__(self, seed: str, label: str) -> None:
        self._words = _word_stream(seed, label)

    def below(self, n: int) -> int:
        """A number from 0 to n-1, each equally likely; words that would favour small numbers are passed over."""
        assert 0 < n <= _WORD_VALUES
        limit = _WORD_VALUES - _WORD_VALUES % n
        for word in self._words:
            if word < limit:
                return word % n
        raise AssertionError("the word stream has no end")


def _word_stream(seed: str, label: str) -> Iterator[int]:
    index = 0
    while True:
        block = hashlib.sha256(f"{seed}|{label}|{index}".encode("ascii")).digest()
        for start in (0, 8, 16, 24):
            yield int.from_bytes(block[start : start + 8], "big")
        index += 1


def _generate(words: Words, split: Split) -> list[int]:
    rest = split.total
    amounts: list[int] = []
    for left in range(split.count, 1, -1):
        quotient, remainder = divmod(rest, left)
        lowest = max(split.low, rest - (left - 1) * split.high)
        highest = min(split.high, rest - (left - 1) * split.low)
        reach = max(0, min(quotient - lowest, highest - (quotient + (1 if remainder else 0))))
        amount = quotient - reach + words.below(2 * reach + 1)
        if remainder and words.below(left) < remainder:
            amount += 1
        amounts.append(amount)
        rest -= amount
    amounts.append(rest)
    return amounts


def _slot(seed: str, index: int) -> bytes:
    return hashlib.sha256(f"{seed}|slot|{index}".encode("ascii")).digest()
