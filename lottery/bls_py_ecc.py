"""BLS by `py-ecc` (pure Python), put together from its hash to G1 and its pairing.

Its own BLS classes are for keys in G1. Its decompression checks the equation of the curve but neither refuses
infinity nor checks the subgroup, so both are done here.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import warnings
from functools import lru_cache
from typing import Any

from lottery.bls import GROUP_ORDER, BackendName, BlsError, check_g1, check_g2

_recursion_limit = sys.getrecursionlimit()
with warnings.catch_warnings():
    # py-ecc brings eth-typing and eth-utils, whose versions it leaves open; a deprecation one of them meets at import
    # is theirs to mend and must not stop a process that treats warnings as errors.
    warnings.simplefilter("ignore", DeprecationWarning)
    # As untyped modules: its annotations do not describe what its functions take (a class where they call it).
    _curve: Any = importlib.import_module("py_ecc.optimized_bls12_381")
    _hashing: Any = importlib.import_module("py_ecc.bls.hash_to_curve")
    _compression: Any = importlib.import_module("py_ecc.bls.point_compression")
# py-ecc raises the limit to 100,000 for the whole process, which turns a runaway recursion anywhere into a crash of
# the C stack. What is used here recurses once per bit of a scalar at most, far below the ordinary limit.
sys.setrecursionlimit(_recursion_limit)

_COORDINATE_BYTES = 48


class PyEccBackend:
    """See `lottery.bls.Backend`."""

    name: BackendName = "py_ecc"

    def verify(self, public_key: bytes, message: bytes, signature: bytes, dst: bytes) -> bool:
        point, key = _decode_g1(signature), _decode_g2(public_key)
        hashed = _hashing.hash_to_G1(message, dst, hashlib.sha256)
        # e(signature, G2) * e(H(message), -key) = 1: two Miller loops, one final exponentiation.
        product = _curve.pairing(_curve.G2, point, final_exponentiate=False) * _curve.pairing(
            _curve.neg(key), hashed, final_exponentiate=False
        )
        return bool(_curve.final_exponentiate(product) == _curve.FQ12.one())

    def sign(self, secret: int, message: bytes, dst: bytes) -> bytes:
        point = _curve.multiply(_hashing.hash_to_G1(message, dst, hashlib.sha256), secret)
        return int(_compression.compress_G1(point)).to_bytes(_COORDINATE_BYTES, "big")

    def public_key(self, secret: int) -> bytes:
        first, second = _compression.compress_G2(_curve.multiply(_curve.G2, secret))
        return int(first).to_bytes(_COORDINATE_BYTES, "big") + int(second).to_bytes(_COORDINATE_BYTES, "big")


def _decode_g1(data: bytes) -> Any:
    check_g1(data)
    try:
        point = _compression.decompress_G1(int.from_bytes(data, "big"))  # checks the curve's equation
    except ValueError as error:
        raise BlsError("point", "the signature is not a point of the group") from error
    if not _curve.is_inf(_curve.multiply(point, GROUP_ORDER)):
        raise BlsError("point", "the signature is not a point of the group")
    return point


@lru_cache(maxsize=8)
def _decode_g2(data: bytes) -> Any:
    check_g2(data)
    halves = int.from_bytes(data[:_COORDINATE_BYTES], "big"), int.from_bytes(data[_COORDINATE_BYTES:], "big")
    try:
        point = _compression.decompress_G2(halves)  # checks the curve's equation
    except ValueError as error:
        raise BlsError("point", "the public key is not a point of the group") from error
    if not _curve.is_inf(_curve.multiply(point, GROUP_ORDER)):
        raise BlsError("point", "the public key is not a point of the group")
    return point
