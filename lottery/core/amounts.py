"""What each winner gets: the amount of the group, or a packet of its split."""

from __future__ import annotations

from collections.abc import Iterator

from lottery.core.draw import DrawResult
from lottery.core.rules import Rules
from lottery.core.split import split_amounts


def winner_amounts_fen(result: DrawResult, rules: Rules, seed: str) -> tuple[int, ...]:
    """Fen for each of `result.winners`, in the same order.

    Packet i of a group's split goes to the i-th of its winners by rank, those by spill included.
    """
    packets: dict[int, Iterator[int]] = {
        index: iter(split_amounts(seed, group.split))
        for index, group in enumerate(rules.groups)
        if group.split is not None
    }
    amounts: list[int] = []
    for index in result.group_indexes:
        fixed = rules.groups[index].amount_fen
        amounts.append(next(packets[index]) if fixed is None else fixed)
    return tuple(amounts)
