"""`commit.json`: what is fixed and published before any of the randomness exists."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lottery.core.canonical import INTEGER_MAX, Reader, Value, dump_file, load_file
from lottery.core.entries import ENTRIES_MAX, STRATUM, TICKETS_MAX
from lottery.core.errors import CommitmentError
from lottery.core.rules import ALGORITHM, ROUNDS_MAX
from lottery.core.seed import HEX_64
from lottery.core.sources import BEACON_KINDS, KINDS, Source, check_spec

STRATA_MAX = 10_000
SOURCES_MAX = 16

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:/-]{1,80}", re.ASCII)
_ORIGIN = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", re.ASCII)
_MEMBERS = (
    "algorithm", "campaign", "committed_at", "draw", "entries", "log", "office_secret_sha256", "programme",
    "round", "rules_sha256", "software", "sources",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EntriesDigest:
    """What the commitment says of `entries.csv`: digest, Merkle root (hex), entries, tickets, entries by stratum."""

    count: int
    merkle_root: str
    sha256: str
    strata: Mapping[str, int]
    tickets: int


@dataclass(frozen=True, slots=True)
class LogDigest:
    """What the commitment says of the log of receipts: origin, Merkle root (hex) and size of `log.csv`, and the
    sha256 of `struck.csv`."""

    origin: str
    root: str
    size: int
    struck_sha256: str


@dataclass(frozen=True, slots=True)
class Commitment:
    """A commitment; a value of this type is always valid.

    `committed_at` is aware, in whole seconds. `office_secret_sha256` is empty when the office is no source. Raises
    CommitmentError with the member's path when built from parts that are malformed or not allowed: there must be a
    beacon that is waited for and due no earlier than any other source, and every source is due after the commitment.
    """

    campaign: str
    committed_at: datetime
    draw: str
    entries: EntriesDigest
    log: LogDigest
    office_secret_sha256: str
    programme: str
    round: int
    rules_sha256: str
    software: str
    sources: tuple[Source, ...]

    def __post_init__(self) -> None:
        for name in ("campaign", "draw", "programme"):
            _check_match(name, getattr(self, name), _IDENTIFIER, "must be 1-80 of A-Z a-z 0-9 _ . : / -")
        _check_match("software", self.software, _ORIGIN, "must be 1-200 printable ASCII characters")
        _check_match("rules_sha256", self.rules_sha256, HEX_64, "must be 64 lower-case hex characters")
        _check_range("round", self.round, 1, ROUNDS_MAX)
        _check_time("committed_at", self.committed_at)
        _check_entries(self.entries)
        _check_log(self.log, self.entries.count)
        _check_sources(self)


def format_time(moment: datetime) -> str:
    """RFC 3339 with the offset in figures and whole seconds, as in `2026-02-08T12:00:00+08:00`."""
    return moment.isoformat(timespec="seconds")


def format_commitment(commitment: Commitment) -> bytes:
    """The bytes of `commit.json`."""
    entries, log = commitment.entries, commitment.log
    sources: list[Value] = [
        {"due": format_time(source.due), "kind": source.kind, "missing": source.missing, "spec": source.spec}
        for source in commitment.sources
    ]
    return dump_file(
        {
            "algorithm": ALGORITHM,
            "campaign": commitment.campaign,
            "committed_at": format_time(commitment.committed_at),
            "draw": commitment.draw,
            "entries": {
                "count": entries.count,
                "merkle_root": entries.merkle_root,
                "sha256": entries.sha256,
                "strata": dict(entries.strata),
                "tickets": entries.tickets,
            },
            "log": {
                "origin": log.origin,
                "root": log.root,
                "size": log.size,
                "struck_sha256": log.struck_sha256,
            },
            "office_secret_sha256": commitment.office_secret_sha256,
            "programme": commitment.programme,
            "round": commitment.round,
            "rules_sha256": commitment.rules_sha256,
            "software": commitment.software,
            "sources": sources,
        }
    )


def commitment_digest(data: bytes) -> str:
    """The `commit=` of a transcript: the sha256 of the bytes of `commit.json`."""
    return hashlib.sha256(data).hexdigest()


def parse_commitment(data: bytes) -> Commitment:
    """Read `commit.json`; raises CommitmentError unless it is canonical, complete and allowed."""
    members = Reader(load_file(data, CommitmentError), "", CommitmentError).members(_MEMBERS)
    if members["algorithm"].text() != ALGORITHM:
        members["algorithm"].fail("algorithm", f"only {ALGORITHM} is known")
    return Commitment(
        campaign=members["campaign"].text(),
        committed_at=_read_time(members["committed_at"]),
        draw=members["draw"].text(),
        entries=_read_entries(members["entries"]),
        log=_read_log(members["log"]),
        office_secret_sha256=members["office_secret_sha256"].text(),
        programme=members["programme"].text(),
        round=members["round"].integer(),
        rules_sha256=members["rules_sha256"].text(),
        software=members["software"].text(),
        sources=tuple(_read_source(item) for item in members["sources"].items(SOURCES_MAX)),
    )


def _read_time(reader: Reader) -> datetime:
    text = reader.text()
    if not _TIME.fullmatch(text):
        reader.fail("time", "must be like 2026-02-08T12:00:00+08:00")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        reader.fail("time", "is not a time of the calendar")
    if format_time(moment) != text:
        reader.fail("time", f"must be written {format_time(moment)}")
    return moment


def _read_entries(reader: Reader) -> EntriesDigest:
    members = reader.members(("count", "merkle_root", "sha256", "strata", "tickets"))
    strata = members["strata"].mapping(STRATA_MAX)
    return EntriesDigest(
        count=members["count"].integer(),
        merkle_root=members["merkle_root"].text(),
        sha256=members["sha256"].text(),
        strata={stratum: count.integer() for stratum, count in strata.items()},
        tickets=members["tickets"].integer(),
    )


def _read_log(reader: Reader) -> LogDigest:
    members = reader.members(("origin", "root", "size", "struck_sha256"))
    return LogDigest(
        origin=members["origin"].text(),
        root=members["root"].text(),
        size=members["size"].integer(),
        struck_sha256=members["struck_sha256"].text(),
    )


def _read_source(reader: Reader) -> Source:
    members = reader.members(("due", "kind", "missing", "spec"))
    name, policy = members["kind"].text(), members["missing"].text()
    kind = next((known for known in KINDS if known == name), None)
    if kind is None:
        members["kind"].fail("kind", f"must be one of {', '.join(KINDS)}")
    if policy not in ("wait", "missing"):
        members["missing"].fail("missing", "must be wait or missing")
    return Source(
        kind=kind,
        due=_read_time(members["due"]),
        missing="wait" if policy == "wait" else "missing",
        spec=members["spec"].text(),
    )


def _check_entries(entries: EntriesDigest) -> None:
    _check_range("entries.count", entries.count, 0, ENTRIES_MAX)
    _check_match("entries.merkle_root", entries.merkle_root, HEX_64, "must be 64 lower-case hex characters")
    _check_match("entries.sha256", entries.sha256, HEX_64, "must be 64 lower-case hex characters")
    _check_range("entries.tickets", entries.tickets, entries.count, entries.count * TICKETS_MAX)
    if len(entries.strata) > STRATA_MAX:
        raise CommitmentError("entries.strata", "too_many", f"more than {STRATA_MAX} strata")
    for stratum, count in entries.strata.items():
        where = f"entries.strata.{stratum}"
        _check_match(where, stratum, STRATUM, "must be 1-32 of A-Z a-z 0-9 _ . -")
        _check_range(where, count, 1, ENTRIES_MAX)
    if sum(entries.strata.values()) != entries.count:
        raise CommitmentError("entries.strata", "strata_sum", "the strata do not add up to the entries")


def _check_log(log: LogDigest, entries: int) -> None:
    _check_match("log.origin", log.origin, _ORIGIN, "must be 1-200 printable ASCII characters")
    _check_match("log.root", log.root, HEX_64, "must be 64 lower-case hex characters")
    _check_match("log.struck_sha256", log.struck_sha256, HEX_64, "must be 64 lower-case hex characters")
    _check_range("log.size", log.size, entries, INTEGER_MAX)


def _check_sources(commitment: Commitment) -> None:
    sources = commitment.sources
    if not 1 <= len(sources) <= SOURCES_MAX:
        raise CommitmentError("sources", "source_count", f"from 1 to {SOURCES_MAX} sources")
    for index, source in enumerate(sources):
        where = f"sources[{index}]"
        problem = check_spec(source.kind, source.spec)
        if problem:
            raise CommitmentError(f"{where}.spec", "spec", problem)
        _check_time(f"{where}.due", source.due)
        if source.due <= commitment.committed_at:
            raise CommitmentError(f"{where}.due", "due", "must be later than committed_at")
    kinds = [source.kind for source in sources]
    if len(set(kinds)) != len(kinds):
        raise CommitmentError("sources", "duplicate_source", "a kind of source occurs twice")
    _check_beacons(sources)
    if "office" in kinds:
        _check_match(
            "office_secret_sha256", commitment.office_secret_sha256, HEX_64, "must be 64 lower-case hex"
        )
    elif commitment.office_secret_sha256:
        raise CommitmentError("office_secret_sha256", "office", "must be empty when the office is no source")


def _check_beacons(sources: tuple[Source, ...]) -> None:
    beacons = [(index, source) for index, source in enumerate(sources) if source.kind in BEACON_KINDS]
    if len(beacons) != 1:
        raise CommitmentError("sources", "beacon", f"exactly one source must be {' or '.join(BEACON_KINDS)}")
    index, beacon = beacons[0]
    if beacon.missing != "wait":
        raise CommitmentError(f"sources[{index}].missing", "beacon_wait", "a beacon is waited for")
    if any(source.due > beacon.due for source in sources):
        raise CommitmentError(
            f"sources[{index}].due", "beacon_last", "another source is due after the beacon"
        )


def _check_time(where: str, moment: datetime) -> None:
    offset = moment.utcoffset()
    if offset is None or moment.microsecond or offset.total_seconds() % 60:
        raise CommitmentError(
            where, "time", "must be an aware time in whole seconds with an offset in whole minutes"
        )


def _check_match(where: str, text: str, pattern: re.Pattern[str], message: str) -> None:
    if not pattern.fullmatch(text):
        raise CommitmentError(where, "form", message)


def _check_range(where: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise CommitmentError(where, "range", f"must be from {low} to {high}")
