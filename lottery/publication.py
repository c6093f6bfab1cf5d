"""The two acts of a draw as files: the commitment (before the randomness exists) and the result (after).

Both are functions from bytes to bytes, so that whoever holds the published files can run them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from lottery.beacon import QUICKNET, BeaconError, BeaconRound, Chain, round_at, verify_round
from lottery.bls import Backend
from lottery.checks import Problem, check_committed
from lottery.core.amounts import winner_amounts_fen
from lottery.core.commitment import Commitment, commitment_digest, format_commitment, parse_commitment
from lottery.core.draw import DrawResult, draw
from lottery.core.entries import parse_entries
from lottery.core.errors import CommitmentError, LotteryError
from lottery.core.files import format_cutoffs, format_waitlist, format_winners, split_lines
from lottery.core.freeze import Frozen
from lottery.core.rules import Rules, format_rules, parse_rules, rules_digest
from lottery.core.seed import HEX_64, seed_of
from lottery.core.sources import BEACON_KINDS, Kind, Source, beacon_value, parse_beacon_spec
from lottery.core.transcript import build_transcript, exclude_digest
from lottery.rehearsal import REHEARSAL
from lottery.result import BeaconEvidence, Result, format_result

COMMITMENT_FILES = ("entries.csv", "log.csv", "struck.csv", "rules.json", "commit.json")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A finished draw: the files to publish beside the commitment's, the seed, who won and what (fen, in the order of
    `result.winners`)."""

    files: Mapping[str, bytes]
    seed: str
    result: DrawResult
    amounts_fen: tuple[int, ...]


def software_name() -> str:
    """Name and version of this software as commitments and results carry it."""
    try:
        return f"hongbao {version('hongbao')}"
    except PackageNotFoundError:
        return "hongbao"


def transcript_name(round_number: int) -> str:
    """The file name of a round's transcript."""
    return f"seed-r{round_number}.txt"


def chain_of(kind: str) -> Chain:
    """The chain behind a kind of beacon source."""
    assert kind in BEACON_KINDS, kind
    return QUICKNET if kind == "drand" else REHEARSAL


def beacon_source_due(kind: Kind, due: datetime) -> Source:
    """The beacon source of a commitment whose ceremony ends at `due`: the last round of the chain by that time."""
    chain = chain_of(kind)
    return Source(kind, due, "wait", f"{chain.chain_hash}:{round_at(chain, int(due.timestamp()))}")


def build_commitment(
    frozen: Frozen,
    rules: Rules,
    *,
    campaign: str,
    draw_id: str,
    programme: str,
    round_number: int,
    committed_at: datetime,
    sources: tuple[Source, ...],
    office_secret_sha256: str = "",
) -> Commitment:
    """The commitment to a closed list, rules and sources; CommitmentError for what a commitment may not say."""
    if round_number > rules.rounds:
        raise CommitmentError("round", "round", f"the rules allow {rules.rounds} rounds")
    return Commitment(
        campaign=campaign,
        committed_at=committed_at,
        draw=draw_id,
        entries=frozen.entries_digest,
        log=frozen.log_digest,
        office_secret_sha256=office_secret_sha256,
        programme=programme,
        round=round_number,
        rules_sha256=rules_digest(format_rules(rules)),
        software=software_name(),
        sources=sources,
    )


def commitment_files(frozen: Frozen, rules: Rules, commitment: Commitment) -> dict[str, bytes]:
    """The files published at the commitment, by name. LotteryError when the commitment is to something else."""
    files = {
        "entries.csv": frozen.entries_csv,
        "log.csv": frozen.log_csv,
        "struck.csv": frozen.struck_csv,
        "rules.json": format_rules(rules),
        "commit.json": format_commitment(commitment),
    }
    _refuse(check_committed(files, commitment))
    return files


def check_beacon(
    commitment: Commitment,
    beacon: BeaconRound,
    *,
    allow_rehearsal: bool = False,
    backend: Backend | None = None,
) -> BeaconEvidence:
    """Verify the beacon's round and that it is the committed one; the evidence goes into the result.

    Raises BeaconError: `rehearsal_refused` unless rehearsals are allowed (demo mode alone may), `chain_unknown`,
    `round_differs`, or as `verify_round`.
    """
    kind, chain, round_number = committed_beacon(commitment)
    if kind == "rehearsal" and not allow_rehearsal:
        raise BeaconError(
            "rehearsal_refused", "the rehearsal beacon proves nothing and is refused outside demo mode"
        )
    if beacon.round != round_number:
        raise BeaconError("round_differs", f"round {beacon.round} given, round {round_number} committed")
    verify_round(chain, beacon, backend)
    return BeaconEvidence(
        status="verified" if kind == "drand" else "rehearsal",
        chain_hash=chain.chain_hash,
        round=beacon.round,
        randomness=beacon.randomness,
        signature=beacon.signature,
    )


def unverified_beacon(commitment: Commitment, randomness: str) -> BeaconEvidence:
    """Evidence that says outright that nobody checked the beacon; a draw by it is published as such.

    BeaconError `randomness_form` unless `randomness` is 64 lower-case hex characters.
    """
    if not HEX_64.fullmatch(randomness):
        raise BeaconError("randomness_form", "the randomness must be 64 lower-case hex characters")
    _, chain, round_number = committed_beacon(commitment)
    return BeaconEvidence("unverified", chain.chain_hash, round_number, randomness, "")


def committed_beacon(commitment: Commitment) -> tuple[Kind, Chain, int]:
    """Kind, chain and round of the committed beacon; BeaconError `chain_unknown` for a chain we have no key of."""
    source = next(source for source in commitment.sources if source.kind in BEACON_KINDS)
    chain_hash, round_number = parse_beacon_spec(source.spec)
    chain = chain_of(source.kind)
    if chain_hash != chain.chain_hash:
        raise BeaconError("chain_unknown", f"no public key is known for the {source.kind} chain {chain_hash}")
    return source.kind, chain, round_number


def draw_files(
    files: Mapping[str, bytes],
    values: Mapping[str, str],
    evidence: BeaconEvidence,
    exclude: Collection[str] = (),
) -> Drawn:
    """Run a committed draw: `files` are the commitment's, `values` those of the sources other than the beacon.

    `exclude` holds the winners of earlier rounds. Raises LotteryError when a file is missing, when the files are not
    those committed to, or when round 1 is to exclude somebody; TranscriptError as `build_transcript`.
    """
    absent = [name for name in COMMITMENT_FILES if name not in files]
    if absent:
        raise LotteryError("missing_file", f"{', '.join(absent)} of the commitment is not there")
    committed = {name: files[name] for name in COMMITMENT_FILES}
    commitment = parse_commitment(committed["commit.json"])
    _refuse(check_committed(committed, commitment))
    if exclude and commitment.round == 1:
        raise LotteryError("exclude_not_allowed", "round 1 excludes nobody")
    rules = parse_rules(committed["rules.json"])
    kind, _, _ = committed_beacon(commitment)
    beacon = beacon_value(evidence.chain_hash, evidence.round, evidence.randomness)
    transcript = build_transcript(
        commitment,
        commitment_digest(committed["commit.json"]),
        {**values, kind: beacon},
        exclude_digest(exclude) if commitment.round > 1 else "",
    )
    seed = seed_of(transcript)
    result = draw(parse_entries(split_lines(committed["entries.csv"])), rules, seed, exclude)
    produced = {transcript_name(commitment.round): transcript, **outcome_files(result)}
    produced["result.json"] = format_result(describe({**committed, **produced}, evidence))
    return Drawn(produced, seed, result, winner_amounts_fen(result, rules, seed))


def outcome_files(result: DrawResult) -> dict[str, bytes]:
    """The files that say who won."""
    return {
        "winners.csv": format_winners(result.winners),
        "waitlist.csv": format_waitlist(result.waitlist),
        "cutoffs.csv": format_cutoffs(result.cutoffs),
    }


def describe(files: Mapping[str, bytes], evidence: BeaconEvidence) -> Result:
    """What `result.json` says of the other files."""
    return Result(
        beacon=evidence,
        counts={name[:-4]: data.count(b"\n") for name, data in files.items() if name.endswith(".csv")},
        sha256={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        software=software_name(),
    )


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise LotteryError("commitment_differs", "; ".join(f"{p.file}: {p.message}" for p in problems))
