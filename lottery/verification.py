"""Recompute a published draw from its folder and name everything that does not hold."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lottery.beacon import BeaconRound, round_at, round_time, verify_round
from lottery.bls import Backend
from lottery.checks import Problem, check_committed
from lottery.core.commitment import Commitment, commitment_digest, parse_commitment
from lottery.core.draw import draw
from lottery.core.entries import parse_entries
from lottery.core.errors import LotteryError
from lottery.core.files import parse_winners, split_lines
from lottery.core.rules import parse_rules
from lottery.core.seed import seed_of
from lottery.core.sources import BEACON_KINDS, parse_beacon_value
from lottery.core.transcript import (
    Transcript,
    beacon_source,
    check_transcript,
    exclude_digest,
    parse_transcript,
)
from lottery.directory import DirectoryError, read_round, round_folder
from lottery.publication import COMMITMENT_FILES, committed_beacon, describe, outcome_files, transcript_name
from lottery.result import Result, parse_result

_ROUND_FOLDER = re.compile(r"r([1-9][0-9]?)", re.ASCII)
_RESULT_FILES = ("winners.csv", "waitlist.csv", "cutoffs.csv", "result.json")

_Parsed = TypeVar("_Parsed")


@dataclass(slots=True)
class _Found:
    """What was read so far; a part that is missing or malformed is None and named in `problems`."""

    files: Mapping[str, bytes]
    problems: list[Problem] = field(default_factory=list)
    excluded: frozenset[str] = frozenset()

    def name(self, file: str, code: str, message: str) -> None:
        self.problems.append(Problem(file, code, message))

    def parse(self, file: str, parser: Callable[[bytes], _Parsed]) -> _Parsed | None:
        if file not in self.files:
            return None
        try:
            return parser(self.files[file])
        except LotteryError as error:
            self.name(file, error.code, error.message)
            return None


def verify_directory(
    folder: Path, *, allow_rehearsal: bool = False, backend: Backend | None = None
) -> list[Problem]:
    """Every problem of the published draw in `folder` (`.../r1`); an empty list means that all of it holds.

    Recomputed: digests, Merkle roots, strata, entries = log less struck, transcript against commitment, seed, beacon
    signature and time, winners, waitlist, cutoffs. Round n reads the winners of rounds before it from its sibling
    folders. A rehearsal beacon is a problem unless allowed. Receipts and signed heads are not looked at here.
    """
    try:
        found = _Found(read_round(folder))
    except DirectoryError as error:
        return [Problem(error.path.name, error.code, error.message)]
    commitment = found.parse("commit.json", parse_commitment)
    round_number = commitment.round if commitment else 1
    for file in (*COMMITMENT_FILES, transcript_name(round_number), *_RESULT_FILES):
        if file not in found.files:
            found.name(file, "missing_file", "the file is not there")
    result = found.parse("result.json", parse_result)
    if result is not None:
        _check_result(found, result)
    if commitment is None:
        return found.problems
    _check_folder(found, folder, commitment)
    found.problems.extend(check_committed(found.files, commitment))
    transcript = _check_seed(found, commitment)
    if transcript is not None and result is not None:
        _check_beacon(found, commitment, transcript, result, allow_rehearsal, backend)
    if transcript is not None:
        _check_outcome(found, transcript_name(round_number))
    return found.problems


def _check_result(found: _Found, result: Result) -> None:
    for file, digest in result.sha256.items():
        if file not in found.files:
            found.name(file, "missing_file", "listed in result.json and not there")
        elif hashlib.sha256(found.files[file]).hexdigest() != digest:
            found.name(file, "digest_differs", "the sha256 is not the one in result.json")
    listed = {file: data for file, data in found.files.items() if file in result.sha256}
    for file in (*COMMITMENT_FILES, *_RESULT_FILES[:-1]):
        if file in found.files and file not in result.sha256:
            found.name(file, "not_listed", "result.json does not list the file")
    counts = describe(listed, result.beacon).counts
    if counts != result.counts:
        found.name(
            "result.json", "counts_differ", f"the files hold {dict(counts)}, not {dict(result.counts)}"
        )


def _check_folder(found: _Found, folder: Path, commitment: Commitment) -> None:
    """The round's folder, and the winners of the rounds before it."""
    match = _ROUND_FOLDER.fullmatch(folder.name)
    if match and int(match[1]) != commitment.round:
        found.name(
            "commit.json", "folder_round", f"round {commitment.round} lies in the folder {folder.name}"
        )
    excluded: set[str] = set()
    for earlier in range(1, commitment.round):
        sibling = round_folder(folder.parent, earlier)
        try:
            files = read_round(sibling)
            excluded.update(winner.entry_id for winner in parse_winners(split_lines(files["winners.csv"])))
        except (LotteryError, KeyError):
            found.name(
                "commit.json", "earlier_round", f"the winners of {sibling.name} cannot be read beside it"
            )
    found.excluded = frozenset(excluded)


def _check_seed(found: _Found, commitment: Commitment) -> Transcript | None:
    file = transcript_name(commitment.round)
    transcript = found.parse(file, parse_transcript)
    if transcript is None:
        return None
    try:
        check_transcript(transcript, commitment, commitment_digest(found.files["commit.json"]))
    except LotteryError as error:
        found.name(file, error.code, error.message)
    if transcript.round > 1 and transcript.exclude != exclude_digest(found.excluded):
        found.name(file, "exclude_differs", "the digest is not that of the earlier rounds' winners")
    return transcript


def _check_beacon(
    found: _Found,
    commitment: Commitment,
    transcript: Transcript,
    result: Result,
    allow_rehearsal: bool,
    backend: Backend | None,
) -> None:
    evidence = result.beacon
    try:
        kind, chain, _ = committed_beacon(commitment)
        value = parse_beacon_value(beacon_source(transcript)[1])
    except LotteryError as error:
        found.name("commit.json", error.code, error.message)
        return
    if (value.chain_hash, value.round, value.randomness) != (
        evidence.chain_hash,
        evidence.round,
        evidence.randomness,
    ):
        found.name("result.json", "beacon_differs", "another round of the beacon than the transcript's")
    if kind == "rehearsal" and not allow_rehearsal:
        found.name(
            "commit.json", "rehearsal_beacon", "the beacon is a rehearsal: it proves nothing about fairness"
        )
    if evidence.status == "unverified":
        found.name("result.json", "beacon_unverified", "the draw was made with a beacon nobody verified")
    else:
        if evidence.status != ("verified" if kind == "drand" else "rehearsal"):
            found.name("result.json", "beacon_status", f"a {kind} beacon is called {evidence.status}")
        try:
            verify_round(chain, BeaconRound(value.round, evidence.signature, value.randomness), backend)
        except LotteryError as error:
            found.name("result.json", f"beacon_{error.code}", error.message)
    published = round_time(chain, value.round)
    if published <= commitment.committed_at.timestamp():
        found.name(
            "commit.json", "beacon_before_commitment", "the beacon's round was public before the commitment"
        )
    due = next(source.due for source in commitment.sources if source.kind in BEACON_KINDS)
    if due.timestamp() < chain.genesis or round_at(chain, int(due.timestamp())) != value.round:
        found.name(
            "commit.json", "beacon_not_due", "the round is not the one that the beacon's due time fixes"
        )


def _check_outcome(found: _Found, transcript_file: str) -> None:
    """Draw again and compare; what stops the draw from being run has been named before."""
    try:
        rules = parse_rules(found.files["rules.json"])
        entries = tuple(parse_entries(split_lines(found.files["entries.csv"])))
    except (LotteryError, KeyError):
        return
    result = draw(entries, rules, seed_of(found.files[transcript_file]), found.excluded)
    for file, data in outcome_files(result).items():
        published = found.files.get(file)
        if published is not None and published != data:
            found.name(file, f"{file[:-4]}_differ", _difference(split_lines(published), split_lines(data)))


def _difference(published: list[bytes], expected: list[bytes]) -> str:
    for number, (line, other) in enumerate(zip(published, expected, strict=False), 1):
        if line != other:
            return f"line {number} is {_show(line)}, the draw gives {_show(other)}"
    return f"{len(published)} lines, the draw gives {len(expected)}"


def _show(line: bytes) -> str:
    return repr(line[:120].decode("ascii", "replace").rstrip("\n"))
