"""Every vector of the published description."""

import hashlib

import pytest

from lottery import (
    Group,
    Rules,
    Split,
    draw,
    entry_key,
    merkle_root,
    parse_entries,
    parse_transcript,
    rank_entries,
    seed_of,
    split_amounts,
    summarize_entries,
)
from lottery.core.files import split_lines
from lottery.core.rfc3797 import select
from lottery.core.transcript import format_transcript
from lottery.selftest import run_selftest
from tests.lottery import vectors

ENTRIES = tuple(parse_entries(split_lines(vectors.ENTRIES_CSV)))


def group(name: str, stratum: str, capacity: int) -> Group:
    return Group(name, stratum, capacity, amount_fen=100)


def test_entries_digest_root_and_counts() -> None:
    found = summarize_entries(split_lines(vectors.ENTRIES_CSV))
    assert (found.sha256, found.merkle_root) == (vectors.ENTRIES_SHA256, vectors.ENTRIES_ROOT)
    assert (found.count, found.tickets) == (8, 11)
    assert found.strata == {"440103": 3, "440104": 3, "440105": 2}


def test_seed_of_the_transcript() -> None:
    assert seed_of(vectors.TRANSCRIPT) == vectors.SEED
    assert format_transcript(parse_transcript(vectors.TRANSCRIPT)) == vectors.TRANSCRIPT


def test_ranking() -> None:
    ranked = rank_entries(vectors.SEED, ENTRIES)
    assert [row.entry_id for row in ranked] == [entry_id for entry_id, _ in vectors.RANKING]
    for row, (_, start) in zip(ranked, vectors.RANKING, strict=True):
        assert row.key.hex().startswith(start)


def test_one_key_by_hand() -> None:
    key = hashlib.sha256(f"{vectors.SEED}|A0000001|1".encode()).hexdigest()
    assert key == dict(vectors.RANKING)["A0000001"] == entry_key(vectors.SEED, "A0000001", 1)


def test_gold_and_silver() -> None:
    groups = (group("gold", "*", 1), *(group("silver", code, 1) for code in ("440103", "440104", "440105")))
    result = draw(ENTRIES, Rules(groups, waitlist=2), vectors.SEED)
    assert [(row.group, row.entry_id, row.rank) for row in result.winners] == [
        ("gold", "A0000008", 1),
        ("silver", "A0000001", 2),
        ("silver", "A0000006", 3),
        ("silver", "A0000004", 6),
    ]
    assert [(row.entry_id, row.rank) for row in result.waitlist] == [("A0000002", 4), ("A0000007", 5)]
    assert result.group_indexes == (0, 1, 3, 2)


@pytest.mark.parametrize("spill", ["none", "open"])
def test_spill(spill: str) -> None:
    rules = Rules(
        (group("a", "440105", 3), group("b", "440103", 1)), spill="open" if spill == "open" else "none"
    )
    result = draw(ENTRIES, rules, vectors.SEED)
    expected = [("b", "A0000001"), ("a", "A0000006"), ("a", "A0000005")]
    if spill == "open":
        expected = [("a", "A0000008"), *expected]
    assert [(row.group, row.entry_id) for row in result.winners] == expected
    # The last winner of a's own walk is A0000005, spill or not.
    assert [(row.group, row.stratum, row.key[:8]) for row in result.cutoffs] == [
        ("a", "440105", "bc4f3ebe"),
        ("b", "440103", "15a5c26c"),
    ]


@pytest.mark.parametrize(("parameters", "packets"), vectors.SPLITS)
def test_split(parameters: tuple[int, int, int, int], packets: tuple[int, ...]) -> None:
    total, count, low, high = parameters
    assert split_amounts(vectors.SEED, Split(total, count, low, high)) == packets


def test_rfc9162_root() -> None:
    assert merkle_root(vectors.RFC9162_LEAVES).hex() == vectors.RFC9162_ROOT
    assert merkle_root([]) == hashlib.sha256(b"").digest()


def test_rfc3797() -> None:
    assert select(vectors.RFC3797_KEY, vectors.RFC3797_POOL, 10) == vectors.RFC3797_SELECTED
    with pytest.raises(ValueError, match="pool"):
        select(b"", 3, 4)


def test_selftest_passes() -> None:
    outcomes = run_selftest()
    assert outcomes
    assert all(passed is not False for _, passed in outcomes)
