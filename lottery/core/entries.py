"""`entries.csv`: the closed list of entries, one `entry_id,stratum,tickets` per line, ascending by entry id.

The format leaves one way to write a list (LOTTERY: ASCII, LF, no BOM, no header, final newline), so that its digest
says everything. Reading and writing are streams: a list of millions needs the memory of one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lottery.core.errors import EntriesError

TICKETS_MAX = 100
ENTRY_ID_CHARS_MAX = 40
STRATUM_CHARS_MAX = 32
ENTRIES_MAX = 100_000_000
LINE_BYTES_MAX = ENTRY_ID_CHARS_MAX + STRATUM_CHARS_MAX + 6  # two commas, three digits, LF
BOM = b"\xef\xbb\xbf"

ENTRY_ID = re.compile(r"[A-Z0-9_-]{1,40}", re.ASCII)
STRATUM = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)
_LINE = re.compile(rb"([A-Z0-9_-]{1,40}),([A-Za-z0-9_.-]{1,32}),([1-9][0-9]?|100)\n")


class Entry(NamedTuple):
    """One entry of a draw: a random id, the stratum (a region code) it stands in and its weight in tickets."""

    entry_id: str
    stratum: str
    tickets: int


def parse_entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    """Read `entries.csv` from its lines (each with its LF, as a binary file yields them).

    Raises EntriesError with the line number at the first line that breaks the format.
    """
    last = ""
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise explain_line(number, line)
        entry = Entry(match[1].decode("ascii"), match[2].decode("ascii"), int(match[3]))
        _check_order(number, last, entry.entry_id)
        last = entry.entry_id
        yield entry


def format_entries(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The lines of `entries.csv` for entries that come ascending by id.

    Raises EntriesError for an entry that the format cannot hold, or one out of order.
    """
    last = ""
    for number, entry in enumerate(entries, 1):
        line = format_entry(entry)
        if _LINE.fullmatch(line) is None:
            raise explain_line(number, line)
        _check_order(number, last, entry.entry_id)
        last = entry.entry_id
        yield line


def format_entry(entry: Entry) -> bytes:
    """One line with its LF; characters outside ASCII are kept so that the check can name them."""
    return f"{entry.entry_id},{entry.stratum},{entry.tickets}\n".encode("utf-8", "surrogatepass")


def _check_order(number: int, last: str, entry_id: str) -> None:
    # Ids are ASCII, so comparing the strings is comparing their bytes.
    if entry_id == last:
        raise EntriesError(number, "duplicate", f"entry {entry_id} occurs twice")
    if entry_id < last:
        raise EntriesError(number, "order", f"entry {entry_id} comes after {last}; ids must ascend by bytes")
    if number > ENTRIES_MAX:
        raise EntriesError(number, "too_many", f"more than {ENTRIES_MAX} entries")


def explain_line(number: int, line: bytes) -> EntriesError:
    """The error that says why `line` is not a line of `entries.csv`."""
    code, message = explain_frame(line, number)
    if code:
        return EntriesError(number, code, message)
    fields = line[:-1].decode("ascii", "replace").split(",")
    if len(fields) != 3:
        return EntriesError(
            number, "field_count", f"{len(fields)} fields instead of entry_id,stratum,tickets"
        )
    if not ENTRY_ID.fullmatch(fields[0]):
        return EntriesError(number, "entry_id", f"entry id {fields[0][:60]!r} is not 1-40 of A-Z 0-9 _ -")
    if not STRATUM.fullmatch(fields[1]):
        return EntriesError(number, "stratum", f"stratum {fields[1][:60]!r} is not 1-32 of A-Z a-z 0-9 _ . -")
    return EntriesError(
        number, "tickets", f"tickets {fields[2][:20]!r} is not a whole number from 1 to {TICKETS_MAX}"
    )


def explain_frame(line: bytes, number: int) -> tuple[str, str]:
    """Code and sentence of what is wrong with a line before its fields are looked at, or two empty strings."""
    if number == 1 and line.startswith(BOM):
        return "bom", "the file starts with a byte order mark"
    if b"\r" in line:
        return "carriage_return", "the line holds a carriage return; lines end with LF alone"
    if not line.endswith(b"\n"):
        return "no_final_newline", "the line does not end with LF, or is too long"
    if line == b"\n":
        return "empty_line", "the line is empty"
    return "", ""
