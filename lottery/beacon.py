"""Public randomness from a drand chain: which round belongs to a time, and whether a round's signature is genuine.

A round of an unchained chain is a BLS signature over sha256(round as 8 bytes, big-endian); its randomness is the
sha256 of the signature. Whoever has the chain's public key can check it, and nobody can choose it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lottery.bls import G1_BYTES, Backend, BlsError, choose_backend
from lottery.core.errors import LotteryError
from lottery.core.seed import HEX_64

ROUND_MAX = 10**15 - 1  # as many digits as a transcript takes
ROUND_FILE_BYTES_MAX = 64 * 1024

_SIGNATURE = re.compile(rf"[0-9a-f]{{{2 * G1_BYTES}}}", re.ASCII)


class BeaconError(LotteryError):
    """A round of a beacon is malformed or not genuine."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a chain signs: drand's name of the scheme and the domain separation tag of the hash to the curve."""

    name: str
    dst: bytes


@dataclass(frozen=True, slots=True)
class Chain:
    """A drand chain: its hash (64 hex) and public key (192 hex), genesis in Unix seconds, period in seconds."""

    name: str
    chain_hash: str
    public_key: str
    genesis: int
    period: int
    scheme: Scheme


@dataclass(frozen=True, slots=True)
class BeaconRound:
    """One round as a beacon publishes it: signature (96 hex) and randomness (64 hex)."""

    round: int
    signature: str
    randomness: str


QUICKNET_SCHEME = Scheme(
    name="bls-unchained-g1-rfc9380",
    dst=b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_",
)
QUICKNET = Chain(
    name="quicknet",
    chain_hash="52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
    public_key=(
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
        "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
    ),
    genesis=1692803367,
    period=3,
    scheme=QUICKNET_SCHEME,
)


def round_at(chain: Chain, unix_seconds: int) -> int:
    """The last round of the chain at a time: floor((T - genesis) / period) + 1. BeaconError before genesis."""
    if unix_seconds < chain.genesis:
        raise BeaconError(
            "before_genesis", f"the chain {chain.name} begins at {chain.genesis}, after {unix_seconds}"
        )
    return (unix_seconds - chain.genesis) // chain.period + 1


def round_time(chain: Chain, round_number: int) -> int:
    """The Unix second at which a round is published."""
    return chain.genesis + (round_number - 1) * chain.period


def round_message(round_number: int) -> bytes:
    """What the beacon signs in this round."""
    return hashlib.sha256(round_number.to_bytes(8, "big")).digest()


def verify_round(chain: Chain, beacon: BeaconRound, backend: Backend | None = None) -> None:
    """Raise BeaconError unless the round is genuine: form, randomness = sha256(signature), BLS signature.

    Codes: `round`, `signature_form`, `randomness_form`, `randomness_differs`, `length`, `encoding`, `infinity`,
    `point`, `signature_wrong`.
    """
    _check_form(beacon)
    signature = bytes.fromhex(beacon.signature)
    if hashlib.sha256(signature).hexdigest() != beacon.randomness:
        raise BeaconError("randomness_differs", "the randomness is not the sha256 of the signature")
    public_key = bytes.fromhex(chain.public_key)
    with _as_beacon_error():
        genuine = (backend or choose_backend()).verify(
            public_key, round_message(beacon.round), signature, chain.scheme.dst
        )
    if not genuine:
        raise BeaconError(
            "signature_wrong", f"the signature is not that of round {beacon.round} of the chain {chain.name}"
        )


def round_of_signature(round_number: int, signature: str) -> BeaconRound:
    """The round that a signature (96 hex) stands for; its randomness follows. BeaconError for another form."""
    if not _SIGNATURE.fullmatch(signature):
        raise BeaconError("signature_form", f"the signature must be {2 * G1_BYTES} lower-case hex characters")
    return BeaconRound(round_number, signature, hashlib.sha256(bytes.fromhex(signature)).hexdigest())


def parse_round(data: bytes) -> BeaconRound:
    """Read a round in drand's form `{"round":1000,"signature":"..","randomness":".."}` (randomness may be left out).

    Raises BeaconError for anything else; the signature itself is checked by `verify_round`.
    """
    if len(data) > ROUND_FILE_BYTES_MAX:
        raise BeaconError("too_large", f"more than {ROUND_FILE_BYTES_MAX} bytes")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_members)
    except (ValueError, RecursionError) as error:
        raise BeaconError("not_json", "the file is not JSON") from error
    if not isinstance(value, dict):
        raise BeaconError("shape", "the file must hold one object with round, signature and randomness")
    unknown = sorted(set(value) - {"round", "signature", "randomness"})
    if unknown:
        raise BeaconError("unknown_member", f"member {unknown[0][:40]!r} is not known")
    round_number, signature = value.get("round"), value.get("signature")
    if not isinstance(round_number, int) or isinstance(round_number, bool):
        raise BeaconError("round", "round must be an integer")
    if not isinstance(signature, str):
        raise BeaconError("signature_form", "signature must be a string")
    beacon = round_of_signature(round_number, signature)
    if "randomness" in value:
        if not isinstance(value["randomness"], str):
            raise BeaconError("randomness_form", "randomness must be a string")
        beacon = BeaconRound(round_number, signature, value["randomness"])
    _check_form(beacon)
    return beacon


def read_round(path: Path) -> BeaconRound:
    """Read a round from a file; BeaconError `no_file` when it cannot be read, else as `parse_round`."""
    try:
        with path.open("rb") as file:
            data = file.read(ROUND_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise BeaconError("no_file", f"cannot read {path}: {error.strerror}") from error
    return parse_round(data)


def _check_form(beacon: BeaconRound) -> None:
    if not 1 <= beacon.round <= ROUND_MAX:
        raise BeaconError("round", f"a round is a number from 1 to {ROUND_MAX}")
    if not _SIGNATURE.fullmatch(beacon.signature):
        raise BeaconError("signature_form", f"the signature must be {2 * G1_BYTES} lower-case hex characters")
    if not HEX_64.fullmatch(beacon.randomness):
        raise BeaconError("randomness_form", "the randomness must be 64 lower-case hex characters")


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BeaconError("doubled_member", "a member occurs twice")
    return members


@contextmanager
def _as_beacon_error() -> Iterator[None]:
    try:
        yield
    except BlsError as error:
        raise BeaconError(error.code, error.message) from error
