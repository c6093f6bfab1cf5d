"""BLS signatures on BLS12-381 with signatures in G1 and keys in G2, by either of two libraries.

`py-arkworks-bls12381` is native and takes milliseconds but has no wheel everywhere; `py-ecc` is pure Python and takes
about half a second. Both get the same checks of encoding first, because they differ in what they let pass: arkworks
reads 48 bytes of 0xff as the point at infinity.
"""

from __future__ import annotations

import importlib.util
from typing import Literal, Protocol

from lottery.core.errors import LotteryError

G1_BYTES = 48
G2_BYTES = 96
FIELD_MODULUS = int(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16
)
GROUP_ORDER = int("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001", 16)

BackendName = Literal["arkworks", "py_ecc"]

_COMPRESSED_FLAG = 0x80
_INFINITY_FLAG = 0x40
_SIGN_FLAG = 0x20
_FLAGS = _COMPRESSED_FLAG | _INFINITY_FLAG | _SIGN_FLAG


class BlsError(LotteryError):
    """Bytes are not a usable point: wrong length or encoding, at infinity, off the curve or out of the subgroup."""


class Backend(Protocol):
    """What a BLS library must do."""

    name: BackendName

    def verify(self, public_key: bytes, message: bytes, signature: bytes, dst: bytes) -> bool:
        """Whether the pairing equation holds.

        BlsError, as `check_g1` and `check_g2`, or `point` for a point off the curve or outside the subgroup.
        """

    def sign(self, secret: int, message: bytes, dst: bytes) -> bytes:
        """The compressed G1 signature over the message."""

    def public_key(self, secret: int) -> bytes:
        """The compressed G2 key of a secret."""


def check_g1(data: bytes) -> None:
    """Raise BlsError unless `data` is the canonical encoding of a finite G1 candidate."""
    if len(data) != G1_BYTES:
        raise BlsError("length", f"a G1 point has {G1_BYTES} bytes, not {len(data)}")
    _check_coordinates(data, (data,))


def check_g2(data: bytes) -> None:
    """Raise BlsError unless `data` is the canonical encoding of a finite G2 candidate."""
    if len(data) != G2_BYTES:
        raise BlsError("length", f"a G2 point has {G2_BYTES} bytes, not {len(data)}")
    _check_coordinates(data, (data[:G1_BYTES], b"\x00" + data[G1_BYTES:]))


def _check_coordinates(data: bytes, coordinates: tuple[bytes, ...]) -> None:
    flags = data[0] & _FLAGS
    if not flags & _COMPRESSED_FLAG:
        raise BlsError("encoding", "the flag of the compressed form is not set")
    if flags & _INFINITY_FLAG:
        raise BlsError("infinity", "the point at infinity is no signature and no key")
    first = bytes([coordinates[0][0] & ~_FLAGS & 0xFF]) + coordinates[0][1:]
    for coordinate in (first, *coordinates[1:]):
        if int.from_bytes(coordinate, "big") >= FIELD_MODULUS:
            raise BlsError("encoding", "a coordinate is not below the field's modulus")


def backend_installed(name: BackendName) -> bool:
    """Whether the library of this name can be imported here."""
    module = "py_arkworks_bls12381" if name == "arkworks" else "py_ecc"
    return importlib.util.find_spec(module) is not None


def choose_backend(name: BackendName | None = None) -> Backend:
    """The named backend, or the fastest one installed. LotteryError `no_bls` when there is none."""
    names: tuple[BackendName, ...] = (name,) if name else ("arkworks", "py_ecc")
    for candidate in names:
        if backend_installed(candidate):
            return _load(candidate)
    raise LotteryError(
        "no_bls", "checking a beacon needs py-arkworks-bls12381 or py-ecc; neither is installed"
    )


def _load(name: BackendName) -> Backend:
    # Imported only when used: py-ecc alone takes a third of a second.
    if name == "arkworks":
        from lottery.bls_arkworks import ArkworksBackend

        return ArkworksBackend()
    from lottery.bls_py_ecc import PyEccBackend

    return PyEccBackend()
