"""The rehearsal beacon: a stand-in for drand in demonstrations that replay a past in which drand did not exist.

FOR DEMO MODE ONLY. It has quicknet's scheme and period but a key pair whose secret is printed below, so anyone can
compute every round beforehand: it proves that the code works, never that a draw was fair. A draw by it carries the
source kind `rehearsal` in its commitment and `rehearsal` in its result, and is refused unless the caller allows it.
"""

from __future__ import annotations

import hashlib

from lottery.beacon import QUICKNET_SCHEME, BeaconRound, Chain, round_message, round_of_signature
from lottery.bls import GROUP_ORDER, Backend, choose_backend

SECRET_PHRASE = b"hongbao rehearsal beacon: this key is public, for demonstrations only"
_SECRET = int.from_bytes(hashlib.sha256(SECRET_PHRASE).digest(), "big") % GROUP_ORDER
_PUBLIC_KEY = (
    "b6a5cd8bb36c891b12670ff745f8007d51a2d235138859d203ab2eb0f71aa52adc8d8c8d14086f786acf699201c394e0"
    "0237698808ce7c5471bb9ca9c3c523d951581a4acece02d688d74100ea8b32758d0b67745809dabf5db0f5f65d8e3892"
)
_GENESIS = 1577836800  # 2020-01-01T00:00:00Z
_PERIOD = 3


def _chain_hash() -> str:
    parts = (
        _PERIOD.to_bytes(4, "big") + _GENESIS.to_bytes(8, "big") + bytes.fromhex(_PUBLIC_KEY) + b"rehearsal"
    )
    return hashlib.sha256(parts).hexdigest()


REHEARSAL = Chain(
    name="rehearsal",
    chain_hash=_chain_hash(),
    public_key=_PUBLIC_KEY,
    genesis=_GENESIS,
    period=_PERIOD,
    scheme=QUICKNET_SCHEME,
)


def rehearsal_round(round_number: int, backend: Backend | None = None) -> BeaconRound:
    """The round of the rehearsal beacon, always the same for the same number; verified like any other round."""
    signer = backend or choose_backend()
    signature = signer.sign(_SECRET, round_message(round_number), REHEARSAL.scheme.dst)
    return round_of_signature(round_number, signature.hex())


def derived_public_key(backend: Backend | None = None) -> str:
    """The public key that belongs to the printed secret (tests compare it with the chain's)."""
    return (backend or choose_backend()).public_key(_SECRET).hex()
