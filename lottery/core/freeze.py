"""The freeze: from the log of receipts, less the struck, to the closed list of entries and its digests."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lottery.core.commitment import EntriesDigest, LogDigest
from lottery.core.entries import Entry, format_entries, parse_entries
from lottery.core.errors import LineError
from lottery.core.files import (
    LogLine,
    Struck,
    format_log,
    format_struck,
    parse_log,
    parse_struck,
    split_lines,
)
from lottery.core.merkle import StreamingRoot, merkle_root
from lottery.core.rules import SKIP_REASONS


@dataclass(frozen=True, slots=True)
class Frozen:
    """A closed list of entries with the files that prove it and the digests that a commitment fixes."""

    entries: tuple[Entry, ...]
    entries_csv: bytes
    log_csv: bytes
    struck_csv: bytes
    entries_digest: EntriesDigest
    log_digest: LogDigest


def freeze(
    log: Iterable[LogLine], struck: Iterable[Struck], origin: str, reasons: Sequence[str] = SKIP_REASONS
) -> Frozen:
    """Close the list: the entries are exactly the log (in order of arrival) less the struck (in any order).

    `origin` names the log. Raises LineError for lines the formats cannot hold, a doubled entry, a reason not among
    `reasons`, or a struck entry that the log does not hold.
    """
    log_csv = format_log(log)
    struck_csv = format_struck(sorted(struck))
    receipts = parse_log(split_lines(log_csv))
    removed = parse_struck(split_lines(struck_csv), reasons)
    entries = entries_of_log(receipts, removed)
    entries_csv = b"".join(format_entries(entries))
    return Frozen(
        entries=entries,
        entries_csv=entries_csv,
        log_csv=log_csv,
        struck_csv=struck_csv,
        entries_digest=summarize_entries(split_lines(entries_csv)),
        log_digest=digest_log(log_csv, struck_csv, origin),
    )


def entries_of_log(log: Iterable[LogLine], struck: Sequence[Struck]) -> tuple[Entry, ...]:
    """The log less the struck, ascending by id; LineError for a struck entry that the log does not hold."""
    entries = {line.entry_id: Entry(line.entry_id, line.stratum, line.tickets) for line in log}
    for number, (entry_id, _) in enumerate(struck, 1):
        if entries.pop(entry_id, None) is None:
            raise LineError("struck.csv", number, "not_in_log", f"the log holds no entry {entry_id}")
    return tuple(sorted(entries.values()))


def digest_log(log_csv: bytes, struck_csv: bytes, origin: str) -> LogDigest:
    """What the commitment says of the log: a Merkle root over its lines in order of arrival."""
    lines = split_lines(log_csv)
    return LogDigest(
        origin=origin,
        root=merkle_root(line[:-1] for line in lines).hex(),
        size=len(lines),
        struck_sha256=hashlib.sha256(struck_csv).hexdigest(),
    )


def summarize_entries(lines: Iterable[bytes]) -> EntriesDigest:
    """Digest, Merkle root and counts of `entries.csv` from its lines, as a stream; EntriesError as in parsing."""
    digest, stream = hashlib.sha256(), StreamingRoot()
    strata: Counter[str] = Counter()
    tickets = 0

    def watched() -> Iterator[bytes]:
        for line in lines:
            digest.update(line)
            yield line
            stream.add(line[:-1])

    for entry in parse_entries(watched()):
        strata[entry.stratum] += 1
        tickets += entry.tickets
    return EntriesDigest(
        count=stream.size,
        merkle_root=stream.root().hex(),
        sha256=digest.hexdigest(),
        strata=dict(sorted(strata.items())),
        tickets=tickets,
    )
