"""`result.json`: the digest of every published file, counts, and what is known of the beacon."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lottery.core.canonical import Reader, dump_file, load_file
from lottery.core.errors import ResultError
from lottery.core.seed import HEX_64

BeaconStatus = Literal["verified", "rehearsal", "unverified"]

FILES_MAX = 64
_SIGNATURE = re.compile(r"(?:[0-9a-f]{96})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class BeaconEvidence:
    """The beacon's round with its signature, so that anyone can check it without asking the beacon again.

    `unverified` draws carry no signature; `rehearsal` ones are signed by a key that is no secret.
    """

    status: BeaconStatus
    chain_hash: str
    round: int
    randomness: str
    signature: str


@dataclass(frozen=True, slots=True)
class Result:
    """`result.json` taken apart: lines by file (`winners`, `entries`, ..) and sha256 by file name."""

    beacon: BeaconEvidence
    counts: Mapping[str, int]
    sha256: Mapping[str, str]
    software: str


def format_result(result: Result) -> bytes:
    """The bytes of `result.json`."""
    beacon = result.beacon
    return dump_file(
        {
            "beacon": {
                "chain": beacon.chain_hash,
                "randomness": beacon.randomness,
                "round": beacon.round,
                "signature": beacon.signature,
                "status": beacon.status,
            },
            "counts": dict(result.counts),
            "sha256": dict(result.sha256),
            "software": result.software,
        }
    )


def parse_result(data: bytes) -> Result:
    """Read `result.json`; ResultError unless it is canonical and complete."""
    members = Reader(load_file(data, ResultError), "", ResultError).members(
        ("beacon", "counts", "sha256", "software")
    )
    return Result(
        beacon=_read_beacon(members["beacon"]),
        counts={name: count.integer() for name, count in members["counts"].mapping(FILES_MAX).items()},
        sha256={name: _hex(item, HEX_64) for name, item in members["sha256"].mapping(FILES_MAX).items()},
        software=members["software"].text(),
    )


def _read_beacon(reader: Reader) -> BeaconEvidence:
    members = reader.members(("chain", "randomness", "round", "signature", "status"))
    statuses: tuple[BeaconStatus, ...] = ("verified", "rehearsal", "unverified")
    status = next((known for known in statuses if known == members["status"].text()), None)
    if status is None:
        members["status"].fail("status", f"must be one of {', '.join(statuses)}")
    return BeaconEvidence(
        status=status,
        chain_hash=_hex(members["chain"], HEX_64),
        round=members["round"].integer(),
        randomness=_hex(members["randomness"], HEX_64),
        signature=_hex(members["signature"], _SIGNATURE),
    )


def _hex(reader: Reader, pattern: re.Pattern[str]) -> str:
    text = reader.text()
    if not pattern.fullmatch(text):
        reader.fail("form", "must be lower-case hex of the right length")
    return text
