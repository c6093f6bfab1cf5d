"""The other published text files: winners, waitlist, cutoffs, the log of receipts and the struck list."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple, TypeVar

from lottery.core.draw import Cutoff, Waiting, Winner
from lottery.core.entries import explain_frame
from lottery.core.errors import LineError

_Ordered = TypeVar("_Ordered", int, str)

_ID = rb"([A-Z0-9_-]{1,40})"
_STRATUM = rb"([A-Za-z0-9_.-]{1,32})"
_GROUP = rb"([A-Za-z0-9_.-]{1,64})"
_KEY = rb"([0-9a-f]{64})"
_RANK = rb"([1-9][0-9]{0,8})"
_WINNER = re.compile(_RANK + rb"," + _GROUP + rb"," + _STRATUM + rb"," + _ID + rb"," + _KEY + rb"\n")
_WAITING = re.compile(_RANK + rb"," + _STRATUM + rb"," + _ID + rb"," + _KEY + rb"\n")
_CUTOFF = re.compile(_GROUP + rb",(\*|[A-Za-z0-9_.-]{1,32}),([0-9a-f]{64}|)\n")
_LOG = re.compile(_ID + rb"," + _STRATUM + rb",([1-9][0-9]?|100),(0|[1-9][0-9]{0,10})\n")
_STRUCK = re.compile(_ID + rb",([a-z][a-z0-9_]{0,39})\n")


class LogLine(NamedTuple):
    """One receipt in order of arrival: the entry as it was taken, and when (Unix seconds)."""

    entry_id: str
    stratum: str
    tickets: int
    unix_seconds: int


class Struck(NamedTuple):
    """An entry struck out before the freeze, with a reason out of the rules' `skip_reasons`."""

    entry_id: str
    reason: str


def format_winners(winners: Iterable[Winner]) -> bytes:
    """The bytes of `winners.csv`; rows must ascend by rank."""
    return _format("winners.csv", _WINNER, winners)


def format_waitlist(waitlist: Iterable[Waiting]) -> bytes:
    """The bytes of `waitlist.csv`; rows must ascend by rank."""
    return _format("waitlist.csv", _WAITING, waitlist)


def format_cutoffs(cutoffs: Iterable[Cutoff]) -> bytes:
    """The bytes of `cutoffs.csv`, one line per group in precedence order."""
    return _format("cutoffs.csv", _CUTOFF, cutoffs)


def format_log(log: Iterable[LogLine]) -> bytes:
    """The bytes of `log.csv`, in order of arrival."""
    return _format("log.csv", _LOG, log)


def format_struck(struck: Iterable[Struck]) -> bytes:
    """The bytes of `struck.csv`; rows must ascend by id, which leaves one way to write the list."""
    return _format("struck.csv", _STRUCK, struck)


def parse_winners(lines: Iterable[bytes]) -> tuple[Winner, ...]:
    """Read `winners.csv`; LineError for a malformed line or ranks that do not ascend."""
    rows = [Winner(int(f[0]), f[1], f[2], f[3], f[4]) for f in _rows("winners.csv", _WINNER, lines)]
    _check_ascending("winners.csv", [row.rank for row in rows])
    _check_unique("winners.csv", [row.entry_id for row in rows])
    return tuple(rows)


def parse_waitlist(lines: Iterable[bytes]) -> tuple[Waiting, ...]:
    """Read `waitlist.csv`; LineError for a malformed line or ranks that do not ascend."""
    rows = [Waiting(int(f[0]), f[1], f[2], f[3]) for f in _rows("waitlist.csv", _WAITING, lines)]
    _check_ascending("waitlist.csv", [row.rank for row in rows])
    _check_unique("waitlist.csv", [row.entry_id for row in rows])
    return tuple(rows)


def parse_cutoffs(lines: Iterable[bytes]) -> tuple[Cutoff, ...]:
    """Read `cutoffs.csv`; LineError for a malformed line."""
    return tuple(Cutoff(f[0], f[1], f[2]) for f in _rows("cutoffs.csv", _CUTOFF, lines))


def parse_log(lines: Iterable[bytes]) -> tuple[LogLine, ...]:
    """Read `log.csv`; LineError for a malformed line or an entry that occurs twice."""
    rows = [LogLine(f[0], f[1], int(f[2]), int(f[3])) for f in _rows("log.csv", _LOG, lines)]
    _check_unique("log.csv", [row.entry_id for row in rows])
    return tuple(rows)


def parse_struck(lines: Iterable[bytes], reasons: Collection[str]) -> tuple[Struck, ...]:
    """Read `struck.csv`; LineError for a malformed line, ids that do not ascend or a reason not in `reasons`."""
    rows = [Struck(f[0], f[1]) for f in _rows("struck.csv", _STRUCK, lines)]
    _check_ascending("struck.csv", [row.entry_id for row in rows])
    for number, row in enumerate(rows, 1):
        if row.reason not in reasons:
            raise LineError("struck.csv", number, "reason", f"the rules know no reason {row.reason!r}")
    return tuple(rows)


def split_lines(data: bytes) -> list[bytes]:
    """The lines of a file with their LF; split at LF alone, unlike `bytes.splitlines`."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _format(file: str, pattern: re.Pattern[bytes], rows: Iterable[tuple[object, ...]]) -> bytes:
    lines: list[bytes] = []
    for number, row in enumerate(rows, 1):
        line = (",".join(map(str, row)) + "\n").encode("utf-8", "surrogatepass")
        if pattern.fullmatch(line) is None:
            raise _explain(file, number, line, pattern)
        lines.append(line)
    return b"".join(lines)


def _rows(file: str, pattern: re.Pattern[bytes], lines: Iterable[bytes]) -> Iterator[list[str]]:
    for number, line in enumerate(lines, 1):
        match = pattern.fullmatch(line)
        if match is None:
            raise _explain(file, number, line, pattern)
        yield [field.decode("ascii") for field in match.groups()]


def _explain(file: str, number: int, line: bytes, pattern: re.Pattern[bytes]) -> LineError:
    code, message = explain_frame(line, number)
    if not code:
        fields = line.count(b",") + 1
        code, message = "field_count", f"{fields} fields instead of {pattern.groups}"
        if fields == pattern.groups:
            code, message = "field", f"a field of {line[:160]!r} is malformed"
    return LineError(file, number, code, message)


def _check_ascending(file: str, values: list[_Ordered]) -> None:
    for number, (before, after) in enumerate(pairwise(values), 2):
        if before == after:
            raise LineError(file, number, "duplicate", f"{after} occurs twice")
        if before > after:
            raise LineError(file, number, "order", f"{after} comes after {before}")


def _check_unique(file: str, ids: list[str]) -> None:
    seen: set[str] = set()
    for number, entry_id in enumerate(ids, 1):
        if entry_id in seen:
            raise LineError(file, number, "duplicate", f"entry {entry_id} occurs twice")
        seen.add(entry_id)
