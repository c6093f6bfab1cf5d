"""What must hold of every draw, whatever the list, the rules and the seed."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery import (
    DrawResult,
    Entry,
    Group,
    Rules,
    SeedError,
    Split,
    Waiting,
    draw,
    rank_entries,
    split_amounts,
    substitute,
    winner_amounts_fen,
)
from tests.lottery import strategies, vectors

draws = st.tuples(strategies.entry_lists, strategies.rules, strategies.seeds)
Example = tuple[list[Entry], Rules, str]


def plain_draw(entries: list[Entry], rules: Rules, seed: str) -> dict[str, int]:
    """The description read literally, slowly: group index by winner."""
    ranked = rank_entries(seed, entries)
    free = [group.capacity for group in rules.groups]
    won: dict[str, int] = {}
    for row in ranked:
        for index, group in enumerate(rules.groups):
            if group.stratum in ("*", row.stratum) and free[index]:
                free[index] -= 1
                won[row.entry_id] = index
                break
    if rules.spill == "open":
        for index in range(len(free)):
            for row in ranked:
                if free[index] and row.entry_id not in won:
                    free[index] -= 1
                    won[row.entry_id] = index
    return won


def by_group(result: DrawResult) -> dict[str, int]:
    return {row.entry_id: index for row, index in zip(result.winners, result.group_indexes, strict=True)}


@given(draws)
def test_agrees_with_the_description_read_literally(example: Example) -> None:
    entries, rules, seed = example
    assert by_group(draw(entries, rules, seed)) == plain_draw(entries, rules, seed)


@given(draws, st.randoms(use_true_random=False))
def test_order_of_the_entries_is_irrelevant(example: Example, random: Random) -> None:
    entries, rules, seed = example
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert draw(entries, rules, seed) == draw(shuffled, rules, seed)


@given(draws)
def test_shape_of_a_result(example: Example) -> None:
    entries, rules, seed = example
    result = draw(entries, rules, seed)
    taken = Counter(result.group_indexes)
    assert all(taken[index] <= group.capacity for index, group in enumerate(rules.groups))
    ids = [row.entry_id for row in (*result.winners, *result.waitlist)]
    assert len(set(ids)) == len(ids)
    assert len(result.waitlist) <= rules.waitlist
    strata = {entry.entry_id: entry.stratum for entry in entries}
    ranks = {row.entry_id: rank for rank, row in enumerate(rank_entries(seed, entries), 1)}
    for row in (*result.winners, *result.waitlist):
        assert (row.rank, row.stratum) == (ranks[row.entry_id], strata[row.entry_id])
    assert [row.rank for row in result.winners] == sorted(row.rank for row in result.winners)
    assert [row.rank for row in result.waitlist] == sorted(row.rank for row in result.waitlist)
    if rules.spill == "none":
        for row, index in zip(result.winners, result.group_indexes, strict=True):
            assert rules.groups[index].stratum in ("*", row.stratum)


@given(draws, st.data())
def test_removing_an_entry_moves_nobody_elses_key(example: Example, data: st.DataObject) -> None:
    entries, _, seed = example
    if not entries:
        return
    gone = data.draw(st.sampled_from(entries))
    left = [entry for entry in entries if entry != gone]
    before = [row for row in rank_entries(seed, entries) if row.entry_id != gone.entry_id]
    assert rank_entries(seed, left) == before
    assert rank_entries(seed, entries, exclude={gone.entry_id}) == before


@given(draws, st.data())
def test_removing_a_loser_changes_no_win(example: Example, data: st.DataObject) -> None:
    entries, rules, seed = example
    result = draw(entries, rules, seed)
    losers = [entry for entry in entries if entry.entry_id not in by_group(result)]
    if losers:
        gone = data.draw(st.sampled_from(losers))
        assert by_group(draw([e for e in entries if e != gone], rules, seed)) == by_group(result)


@given(strategies.entry_lists, strategies.seeds, st.integers(1, 10), st.integers(0, 5))
def test_packets_go_by_rank(entries: list[Entry], seed: str, capacity: int, more: int) -> None:
    split = Split(total=(capacity + more) * 10, count=capacity + more, low=1, high=30)
    rules = Rules(
        (Group("a", "440103", 1, amount_fen=7), Group("b", "*", capacity, split=split)), spill="open"
    )
    result = draw(entries, rules, seed)
    amounts = winner_amounts_fen(result, rules, seed)
    assert len(amounts) == len(result.winners)
    fixed = [amount for amount, index in zip(amounts, result.group_indexes, strict=True) if index == 0]
    packets = [amount for amount, index in zip(amounts, result.group_indexes, strict=True) if index == 1]
    assert set(fixed) <= {7}
    assert tuple(packets) == split_amounts(seed, split)[: len(packets)]


def test_more_tickets_win_more_often() -> None:
    """With weight 3 against 1 the heavier of two wins three times out of four (4,000 seeds, about 7 sigma)."""
    entries = [Entry("LIGHT", "x", 1), Entry("HEAVY", "x", 3)]
    wins = sum(rank_entries(f"{i:064x}", entries)[0].entry_id == "HEAVY" for i in range(4000))
    assert 2800 < wins < 3200


def test_substitute_is_the_first_of_the_groups_stratum() -> None:
    waitlist = [
        Waiting(4, "440103", "A2", "k"),
        Waiting(5, "440105", "A7", "k"),
        Waiting(6, "440105", "A9", "k"),
    ]
    assert substitute(waitlist, Group("a", "440105", 1, amount_fen=1)) == waitlist[1]
    assert substitute(waitlist, Group("a", "*", 1, amount_fen=1)) == waitlist[0]
    assert substitute(waitlist, Group("a", "440199", 1, amount_fen=1)) is None
    assert substitute([], Group("a", "*", 1, amount_fen=1)) is None


@pytest.mark.parametrize("seed", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n", "٠" * 64])
def test_malformed_seed_is_refused(seed: str) -> None:
    with pytest.raises(SeedError):
        rank_entries(seed, [])
    with pytest.raises(SeedError):
        split_amounts(seed, Split(10, 2, 1, 9))


def test_no_entries_no_winners() -> None:
    rules = Rules((Group("a", "*", 2, amount_fen=1),), waitlist=3, spill="open")
    result = draw([], rules, vectors.SEED)
    assert (result.winners, result.waitlist) == ((), ())
    assert [row.key for row in result.cutoffs] == [""]
