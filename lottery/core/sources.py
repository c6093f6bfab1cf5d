"""The sources of randomness of a draw: their kinds, what a commitment may fix about them, what a transcript may say.

A value is what stands after `source.NN.kind=`. `missing` stands for a source that let its deadline pass; only sources
whose commitment says so may be missing. A beacon is waited for: nobody can choose its value, so nobody may drop it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from lottery.core.seed import HEX_64

Kind = Literal["drand", "rehearsal", "ssq", "office", "notary"]
MissingPolicy = Literal["wait", "missing"]

KINDS: tuple[Kind, ...] = get_args(Kind)
BEACON_KINDS: tuple[Kind, ...] = ("drand", "rehearsal")
MISSING = "missing"
OFFICE_SECRET_BYTES = 32

BEACON_SPEC = re.compile(r"([0-9a-f]{64}):([1-9][0-9]{0,14})", re.ASCII)
_BEACON_VALUE = re.compile(r"([0-9a-f]{64}):([1-9][0-9]{0,14}):([0-9a-f]{64})", re.ASCII)
_SSQ_ISSUE = re.compile(r"[0-9]{7}", re.ASCII)
_SSQ_VALUE = re.compile(r"([0-9]{7}):((?:[0-9]{2},){5}[0-9]{2})\+([0-9]{2})", re.ASCII)
_NOTARY_VALUE = re.compile(r"[0-9]{2}(?:,[0-9]{2}){0,31}", re.ASCII)
_SSQ_RED_MAX = 33
_SSQ_BLUE_MAX = 16


@dataclass(frozen=True, slots=True)
class Source:
    """A source as the commitment fixes it.

    `due` is an aware time in whole seconds. `spec`: for a beacon `<chain hash>:<round>`, for the state lottery the
    issue number (seven digits), empty for the office and the notary.
    """

    kind: Kind
    due: datetime
    missing: MissingPolicy
    spec: str = ""


@dataclass(frozen=True, slots=True)
class BeaconValue:
    """A beacon's value taken apart."""

    chain_hash: str
    round: int
    randomness: str


def check_spec(kind: str, spec: str) -> str:
    """What is wrong with a source's `spec`, as a sentence; empty when nothing is."""
    if kind in BEACON_KINDS:
        return "" if BEACON_SPEC.fullmatch(spec) else "must be <64 hex of the chain>:<round>"
    if kind == "ssq":
        return "" if _SSQ_ISSUE.fullmatch(spec) else "must be the issue number, seven digits"
    return "" if spec == "" else "must be empty"


def check_value(kind: str, value: str) -> str:
    """What is wrong with the form of a source's value, as a sentence; empty when nothing is."""
    if value == MISSING:
        return ""
    if kind in BEACON_KINDS:
        return "" if _BEACON_VALUE.fullmatch(value) else "must be <chain>:<round>:<64 hex of randomness>"
    if kind == "ssq":
        return _check_ssq(value)
    if kind == "office":
        return "" if HEX_64.fullmatch(value) else "must be 64 lower-case hex characters"
    return "" if _NOTARY_VALUE.fullmatch(value) else "must be 1 to 32 two-digit numbers with commas"


def beacon_value(chain_hash: str, round_number: int, randomness: str) -> str:
    """The value of a `drand` or `rehearsal` source."""
    value = f"{chain_hash}:{round_number}:{randomness}"
    assert _BEACON_VALUE.fullmatch(value), value
    return value


def parse_beacon_value(value: str) -> BeaconValue:
    """Take a beacon's value apart; ValueError when it has another form."""
    match = _BEACON_VALUE.fullmatch(value)
    if match is None:
        raise ValueError(f"not a beacon value: {value[:80]!r}")
    return BeaconValue(match[1], int(match[2]), match[3])


def parse_beacon_spec(spec: str) -> tuple[str, int]:
    """Chain hash and round of a beacon source's `spec`; ValueError when it has another form."""
    match = BEACON_SPEC.fullmatch(spec)
    if match is None:
        raise ValueError(f"not a beacon spec: {spec[:80]!r}")
    return match[1], int(match[2])


def office_secret_digest(secret: bytes) -> str:
    """What the commitment says of the office's secret: the sha256 of its 32 bytes (not of their hex)."""
    if len(secret) != OFFICE_SECRET_BYTES:
        raise ValueError(f"the office's secret is {OFFICE_SECRET_BYTES} bytes, not {len(secret)}")
    return hashlib.sha256(secret).hexdigest()


def _check_ssq(value: str) -> str:
    match = _SSQ_VALUE.fullmatch(value)
    if match is None:
        return "must be like 2025001:02,05,08,10,12,33+07"
    reds = [int(number) for number in match[2].split(",")]
    if reds != sorted(set(reds)) or not 1 <= reds[0] <= reds[-1] <= _SSQ_RED_MAX:
        return f"the six numbers must ascend within 01..{_SSQ_RED_MAX}"
    return (
        "" if 1 <= int(match[3]) <= _SSQ_BLUE_MAX else f"the last number must be within 01..{_SSQ_BLUE_MAX}"
    )
