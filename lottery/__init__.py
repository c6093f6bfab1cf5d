"""The public draw: `hashrank-1` and `split-1`, recomputable by anyone with ordinary tools.

A draw has two acts. At the freeze, `freeze` closes the list, `build_commitment` fixes list, rules and sources of
randomness, and `commitment_files` gives what is published. After the ceremony, `check_beacon` verifies the last
source, `draw_files` runs the draw, and `write_round` publishes. `verify_directory` recomputes all of it.
"""

from lottery.beacon import (
    QUICKNET,
    BeaconError,
    BeaconRound,
    Chain,
    Scheme,
    parse_round,
    read_round,
    round_at,
    round_time,
    verify_round,
)
from lottery.bls import BlsError, choose_backend
from lottery.checks import Problem, check_committed
from lottery.core.amounts import winner_amounts_fen
from lottery.core.commitment import (
    Commitment,
    EntriesDigest,
    LogDigest,
    commitment_digest,
    format_commitment,
    parse_commitment,
)
from lottery.core.draw import Cutoff, DrawResult, Waiting, Winner, draw, entry_key, rank_entries, substitute
from lottery.core.entries import Entry, format_entries, parse_entries
from lottery.core.errors import (
    CommitmentError,
    DocumentError,
    EntriesError,
    LineError,
    LotteryError,
    ResultError,
    RulesError,
    SeedError,
    SplitError,
    TranscriptError,
)
from lottery.core.files import LogLine, Struck
from lottery.core.freeze import Frozen, freeze, summarize_entries
from lottery.core.merkle import StreamingRoot, Tree, merkle_root, verify_consistency, verify_inclusion
from lottery.core.rules import ANY_STRATUM, Group, Rules, format_rules, parse_rules
from lottery.core.seed import seed_of
from lottery.core.sources import MISSING, Source, office_secret_digest
from lottery.core.split import Split, split_amounts
from lottery.core.transcript import build_transcript, exclude_digest, parse_transcript
from lottery.directory import DirectoryError, write_round
from lottery.publication import (
    Drawn,
    beacon_source_due,
    build_commitment,
    check_beacon,
    commitment_files,
    committed_beacon,
    draw_files,
    unverified_beacon,
)
from lottery.rehearsal import REHEARSAL, rehearsal_round
from lottery.result import BeaconEvidence, Result, parse_result
from lottery.verification import verify_directory

__all__ = [
    "ANY_STRATUM",
    "MISSING",
    "QUICKNET",
    "REHEARSAL",
    "BeaconError",
    "BeaconEvidence",
    "BeaconRound",
    "BlsError",
    "Chain",
    "Commitment",
    "CommitmentError",
    "Cutoff",
    "DirectoryError",
    "DocumentError",
    "DrawResult",
    "Drawn",
    "EntriesDigest",
    "EntriesError",
    "Entry",
    "Frozen",
    "Group",
    "LineError",
    "LogDigest",
    "LogLine",
    "LotteryError",
    "Problem",
    "Result",
    "ResultError",
    "Rules",
    "RulesError",
    "Scheme",
    "SeedError",
    "Source",
    "Split",
    "SplitError",
    "StreamingRoot",
    "Struck",
    "TranscriptError",
    "Tree",
    "Waiting",
    "Winner",
    "beacon_source_due",
    "build_commitment",
    "build_transcript",
    "check_beacon",
    "check_committed",
    "choose_backend",
    "commitment_digest",
    "commitment_files",
    "committed_beacon",
    "draw",
    "draw_files",
    "entry_key",
    "exclude_digest",
    "format_commitment",
    "format_entries",
    "format_rules",
    "freeze",
    "merkle_root",
    "office_secret_digest",
    "parse_commitment",
    "parse_entries",
    "parse_result",
    "parse_round",
    "parse_rules",
    "parse_transcript",
    "rank_entries",
    "read_round",
    "rehearsal_round",
    "round_at",
    "round_time",
    "seed_of",
    "split_amounts",
    "substitute",
    "summarize_entries",
    "unverified_beacon",
    "verify_consistency",
    "verify_directory",
    "verify_inclusion",
    "verify_round",
    "winner_amounts_fen",
    "write_round",
]
