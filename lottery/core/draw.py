"""`hashrank-1`: every entry gets a key from the seed; the smallest keys win, group by group in precedence order.

Keys are compared as 32 bytes, which orders like their 64 hexadecimal characters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from lottery.core.entries import Entry
from lottery.core.rules import ANY_STRATUM, Group, Rules
from lottery.core.seed import check_seed


class Ranked(NamedTuple):
    """An entry with its key (32 bytes); the order of these tuples is the ranking."""

    key: bytes
    entry_id: str
    stratum: str


class Winner(NamedTuple):
    """A row of `winners.csv`: `rank` is the 1-based place in the whole ranking, `stratum` the entry's own."""

    rank: int
    group: str
    stratum: str
    entry_id: str
    key: str


class Waiting(NamedTuple):
    """A row of `waitlist.csv`."""

    rank: int
    stratum: str
    entry_id: str
    key: str


class Cutoff(NamedTuple):
    """A row of `cutoffs.csv`: the key of the last winner of the group's own walk, empty when it had none."""

    group: str
    stratum: str
    key: str


class DrawResult(NamedTuple):
    """Who won. `group_indexes[i]` is the place in `rules.groups` of the group that `winners[i]` won in: group names
    may repeat over strata, so the name alone does not tell the amount."""

    winners: tuple[Winner, ...]
    waitlist: tuple[Waiting, ...]
    cutoffs: tuple[Cutoff, ...]
    group_indexes: tuple[int, ...]


def entry_key(seed: str, entry_id: str, tickets: int) -> str:
    """The key of one entry: the least sha256 of `seed|entry_id|t` over its tickets, as hexadecimal."""
    check_seed(seed)
    return _key(f"{seed}|{entry_id}|".encode("ascii"), tickets).hex()


def rank_entries(seed: str, entries: Iterable[Entry], exclude: Collection[str] = ()) -> list[Ranked]:
    """All entries but the excluded (winners of earlier rounds), best first. SeedError for a malformed seed."""
    check_seed(seed)
    start = f"{seed}|".encode("ascii")
    excluded = frozenset(exclude)
    ranked = [
        Ranked(_key(start + entry_id.encode("ascii") + b"|", tickets), entry_id, stratum)
        for entry_id, stratum, tickets in entries
        if entry_id not in excluded
    ]
    ranked.sort()
    return ranked


def draw(entries: Iterable[Entry], rules: Rules, seed: str, exclude: Collection[str] = ()) -> DrawResult:
    """Run one round: rank, walk over the groups, spill, waitlist. The order in which entries come is irrelevant."""
    ranked = rank_entries(seed, entries, exclude)
    taken, rest, free = _walk(ranked, rules.groups)
    cutoffs = _cutoffs(ranked, taken, rules.groups)
    used = 0
    if rules.spill == "open":
        used = _spill(taken, rest, free)
    left = rest[used : used + rules.waitlist]
    places = sorted(taken)
    winners = tuple(_winner(ranked[place], place, rules.groups[group]) for place, group in places)
    return DrawResult(
        winners=winners,
        waitlist=tuple(_waiting(ranked[place], place) for place in left),
        cutoffs=cutoffs,
        group_indexes=tuple(group for _, group in places),
    )


def substitute(waitlist: Sequence[Waiting], group: Group) -> Waiting | None:
    """Who takes a place that a winner of `group` gave up: the first still waiting of its stratum (any, for `*`)."""
    for waiting in waitlist:
        if group.stratum in (ANY_STRATUM, waiting.stratum):
            return waiting
    return None


def _key(start: bytes, tickets: int) -> bytes:
    if tickets == 1:
        return hashlib.sha256(start + b"1").digest()
    return min(hashlib.sha256(start + b"%d" % ticket).digest() for ticket in range(1, tickets + 1))


def _walk(
    ranked: Sequence[Ranked], groups: Sequence[Group]
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """(place, group index) of those who win, places of the rest in rank order, capacity left by group."""
    free = [group.capacity for group in groups]
    # By stratum: the groups open to it, last in precedence first, so that full ones are dropped from the end.
    open_groups: dict[str, list[int]] = {}
    taken: list[tuple[int, int]] = []
    rest: list[int] = []
    for place, entry in enumerate(ranked):
        choices = open_groups.get(entry.stratum)
        if choices is None:
            choices = [
                i for i in reversed(range(len(groups))) if groups[i].stratum in (ANY_STRATUM, entry.stratum)
            ]
            open_groups[entry.stratum] = choices
        while choices and not free[choices[-1]]:
            choices.pop()
        if choices:
            free[choices[-1]] -= 1
            taken.append((place, choices[-1]))
        else:
            rest.append(place)
    return taken, rest, free


def _spill(taken: list[tuple[int, int]], rest: Sequence[int], free: Sequence[int]) -> int:
    """Give unfilled capacity to the best of the rest, in precedence order; how many of the rest were used."""
    used = 0
    for group, capacity in enumerate(free):
        lucky = rest[used : used + capacity]
        taken.extend((place, group) for place in lucky)
        used += len(lucky)
    return used


def _cutoffs(
    ranked: Sequence[Ranked], taken: Iterable[tuple[int, int]], groups: Sequence[Group]
) -> tuple[Cutoff, ...]:
    last = [""] * len(groups)
    for place, group in taken:
        last[group] = ranked[place].key.hex()
    return tuple(Cutoff(group.name, group.stratum, key) for group, key in zip(groups, last, strict=True))


def _winner(entry: Ranked, place: int, group: Group) -> Winner:
    return Winner(place + 1, group.name, entry.stratum, entry.entry_id, entry.key.hex())


def _waiting(entry: Ranked, place: int) -> Waiting:
    return Waiting(place + 1, entry.stratum, entry.entry_id, entry.key.hex())
