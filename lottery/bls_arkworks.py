"""BLS by `py-arkworks-bls12381` (native)."""

from __future__ import annotations

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from lottery.bls import BackendName, BlsError, check_g1, check_g2


class ArkworksBackend:
    """See `lottery.bls.Backend`."""

    name: BackendName = "arkworks"

    def verify(self, public_key: bytes, message: bytes, signature: bytes, dst: bytes) -> bool:
        point, key = _decode_g1(signature), _decode_g2(public_key)
        hashed = G1Point.hash_to_curve(message, dst)
        # e(signature, G2) = e(H(message), key), as one product of two pairings. G2Point() is the generator.
        return GT.pairing_check([point, -hashed], [G2Point(), key])

    def sign(self, secret: int, message: bytes, dst: bytes) -> bytes:
        return bytes((G1Point.hash_to_curve(message, dst) * _scalar(secret)).to_compressed_bytes())

    def public_key(self, secret: int) -> bytes:
        return bytes((G2Point() * _scalar(secret)).to_compressed_bytes())


def _scalar(secret: int) -> Scalar:
    return Scalar.from_be_bytes(secret.to_bytes(32, "big"))


def _decode_g1(data: bytes) -> G1Point:
    check_g1(data)
    try:
        # Checks curve and subgroup; infinity has been refused by its encoding.
        return G1Point.from_compressed_bytes(data)
    except ValueError as error:
        raise BlsError("point", "the signature is not a point of the group") from error


def _decode_g2(data: bytes) -> G2Point:
    check_g2(data)
    try:
        return G2Point.from_compressed_bytes(data)
    except ValueError as error:
        raise BlsError("point", "the public key is not a point of the group") from error
