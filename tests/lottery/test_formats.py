"""entries.csv, the other text files and canonical JSON: one way to write each, every deviation named with its line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery import (
    Cutoff,
    DocumentError,
    EntriesError,
    Entry,
    LineError,
    LogLine,
    Struck,
    Waiting,
    Winner,
    format_entries,
    freeze,
    parse_entries,
)
from lottery.core import canonical, files
from lottery.core.files import split_lines
from tests.lottery import strategies

KEY = "ab" * 32


@given(strategies.entry_lists)
def test_entries_round_trip(entries: list[Entry]) -> None:
    ordered = sorted(entries)
    data = b"".join(format_entries(ordered))
    assert list(parse_entries(split_lines(data))) == ordered


@pytest.mark.parametrize(
    ("data", "line", "code"),
    [
        (b"\xef\xbb\xbfA,440103,1\n", 1, "bom"),
        (b"A,440103,1\r\nB,440103,1\r\n", 1, "carriage_return"),
        (b"A,440103,1\nB,440103,1", 2, "no_final_newline"),
        (b"A,440103,1\n\nB,440103,1\n", 2, "empty_line"),
        (b"entry_id,stratum,tickets\n", 1, "entry_id"),
        (b"A,440103\n", 1, "field_count"),
        (b"A,440103,1,\n", 1, "field_count"),
        (b"A, 440103,1\n", 1, "stratum"),
        (b"a,440103,1\n", 1, "entry_id"),
        (b",440103,1\n", 1, "entry_id"),
        (b"A" * 41 + b",440103,1\n", 1, "entry_id"),
        ("张,440103,1\n".encode(), 1, "entry_id"),
        (b"A\x00,440103,1\n", 1, "entry_id"),
        (b"A,*,1\n", 1, "stratum"),
        (b"A," + b"4" * 33 + b",1\n", 1, "stratum"),
        (b"A,440103,0\n", 1, "tickets"),
        (b"A,440103,01\n", 1, "tickets"),
        (b"A,440103,101\n", 1, "tickets"),
        (b"A,440103,-1\n", 1, "tickets"),
        (b"A,440103,1.0\n", 1, "tickets"),
        ("A,440103,１\n".encode(), 1, "tickets"),
        (b"B,440103,1\nA,440103,1\n", 2, "order"),
        (b"A,440103,1\nA,440103,1\n", 2, "duplicate"),
        (b"A,440103,1\nA,440104,2\n", 2, "duplicate"),
    ],
)
def test_malformed_entries(data: bytes, line: int, code: str) -> None:
    with pytest.raises(EntriesError) as caught:
        list(parse_entries(split_lines(data)))
    assert (caught.value.line, caught.value.code) == (line, code)
    assert str(line) in caught.value.message


def test_order_is_by_bytes() -> None:
    entries = [Entry(entry_id, "x", 1) for entry_id in ("-", "0", "A", "_")]
    assert list(parse_entries(format_entries(entries))) == entries


def test_reading_is_a_stream() -> None:
    def lines():
        yield b"A,x,1\n"
        raise AssertionError("read ahead")

    assert next(parse_entries(lines())) == Entry("A", "x", 1)


@pytest.mark.parametrize(
    "entry",
    [
        Entry("a", "x", 1),
        Entry("A,B", "x", 1),
        Entry("A\n", "x", 1),
        Entry("A", "x", 0),
        Entry("\ud800", "x", 1),
    ],
)
def test_entries_that_cannot_be_written(entry: Entry) -> None:
    with pytest.raises(EntriesError):
        list(format_entries([entry]))


def test_other_files_round_trip() -> None:
    winners = (Winner(1, "gold", "440103", "A1", KEY), Winner(7, "b", "440104", "A2", KEY))
    waiting = (Waiting(2, "440103", "A3", KEY),)
    cutoffs = (Cutoff("gold", "*", KEY), Cutoff("b", "440104", ""))
    log = (LogLine("A2", "440104", 1, 0), LogLine("A1", "440103", 100, 1_692_803_367))
    struck = (Struck("A1", "withdrawn"), Struck("A2", "not_eligible"))
    assert files.parse_winners(split_lines(files.format_winners(winners))) == winners
    assert files.parse_waitlist(split_lines(files.format_waitlist(waiting))) == waiting
    assert files.parse_cutoffs(split_lines(files.format_cutoffs(cutoffs))) == cutoffs
    assert files.parse_log(split_lines(files.format_log(log))) == log
    reasons = ("withdrawn", "not_eligible")
    assert files.parse_struck(split_lines(files.format_struck(struck)), reasons) == struck
    assert files.format_winners(winners[:1]) == f"1,gold,440103,A1,{KEY}\n".encode()


@pytest.mark.parametrize(
    ("parser", "data", "line", "code"),
    [
        (files.parse_winners, f"2,g,x,A,{KEY}\n1,g,x,B,{KEY}\n", 2, "order"),
        (files.parse_winners, f"1,g,x,A,{KEY}\n1,g,x,B,{KEY}\n", 2, "duplicate"),
        (files.parse_winners, f"1,g,x,A,{KEY}\n2,g,x,A,{KEY}\n", 2, "duplicate"),
        (files.parse_winners, f"0,g,x,A,{KEY}\n", 1, "field"),
        (files.parse_winners, f"1,g,x,A,{KEY.upper()}\n", 1, "field"),
        (files.parse_winners, "1,g,x,A\n", 1, "field_count"),
        (files.parse_waitlist, f"1,x,A,{KEY}\r\n", 1, "carriage_return"),
        (files.parse_waitlist, f"1,x,A,{KEY}", 1, "no_final_newline"),
        (files.parse_cutoffs, "g,*,zz\n", 1, "field"),
        (files.parse_log, "A,x,1,1\nA,x,1,2\n", 2, "duplicate"),
        (files.parse_log, "A,x,1,-1\n", 1, "field"),
        (files.parse_log, "\n", 1, "empty_line"),
    ],
)
def test_malformed_files(parser, data: str, line: int, code: str) -> None:
    with pytest.raises(LineError) as caught:
        parser(split_lines(data.encode()))
    assert (caught.value.line, caught.value.code) == (line, code)


def test_struck_list_is_checked() -> None:
    for data, code in ((b"A,no_such_reason\n", "reason"), (b"B,withdrawn\nA,withdrawn\n", "order")):
        with pytest.raises(LineError) as caught:
            files.parse_struck(split_lines(data), ("withdrawn",))
        assert caught.value.code == code


def test_freeze_is_log_less_struck() -> None:
    log = [LogLine("B", "x", 2, 5), LogLine("C", "y", 1, 6), LogLine("A", "x", 1, 7)]
    frozen = freeze(log, [Struck("C", "withdrawn")], "origin")
    assert frozen.entries_csv == b"A,x,1\nB,x,2\n"
    assert frozen.entries == (Entry("A", "x", 1), Entry("B", "x", 2))
    assert (frozen.entries_digest.count, frozen.entries_digest.tickets) == (2, 3)
    assert frozen.entries_digest.strata == {"x": 2}
    assert frozen.log_digest.size == 3
    with pytest.raises(LineError) as caught:
        freeze(log, [Struck("Z", "withdrawn")], "origin")
    assert caught.value.code == "not_in_log"
    with pytest.raises(LineError) as caught:
        freeze([*log, log[0]], [], "origin")
    assert caught.value.code == "duplicate"


json_values = st.recursive(
    st.text(st.characters(codec="utf-8"), max_size=8) | st.integers(-(2**53 - 1), 2**53 - 1),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values)
def test_canonical_json_round_trip(value: canonical.Value) -> None:
    data = canonical.dumps(value)
    assert canonical.loads(data) == value
    assert json.loads(data) == value


def test_canonical_json_of_rfc_8785() -> None:
    """Section 3.2.3's example of sorting by UTF-16 code units, and 3.2.2.2's escapes."""
    names = {"€": "1", "\r": "2", "\ufb33": "3", "1": "4", "😂": "5", "\x80": "6", "ö": "7"}
    values = [json.loads(canonical.dumps(names))[name] for name in json.loads(canonical.dumps(names))]
    assert values == ["2", "4", "6", "7", "1", "5", "3"]
    assert canonical.dumps('€$\x0f\nA\'B"\\\\"/\x7f') == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"'.encode()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"b":1,"a":2}', "not_canonical"),
        (b'{"a": 1}', "not_canonical"),
        (b'{"a":1,"a":1}', "doubled_member"),
        (b"1.0", "type"),
        (b"1e3", "type"),
        (b"NaN", "type"),
        (b"true", "type"),
        (b"null", "type"),
        (b"-0", "not_canonical"),
        (b"9007199254740992", "integer_range"),
        (b"1" * 5000, "not_json"),
        (b'"\\u0041"', "not_canonical"),
        (b'"\\ud800"', "surrogate"),
        (b"\xff", "not_json"),
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"[" * 100_000, "too_deep"),
        (b"[]\n[]", "not_json"),
    ],
)
def test_json_that_is_not_canonical(data: bytes, code: str) -> None:
    with pytest.raises(DocumentError) as caught:
        canonical.loads(data)
    assert caught.value.code == code


@pytest.mark.parametrize("value", [1.5, True, None, {"a": b""}, {1: "a"}])
def test_values_outside_the_subset(value: object) -> None:
    with pytest.raises(DocumentError):
        canonical.dumps(value)  # type: ignore[arg-type]
