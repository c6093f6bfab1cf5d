"""The beacon: genuine quicknet rounds pass and forged ones fail, alike in both BLS libraries."""

import dataclasses
import hashlib
import sys
from pathlib import Path

import pytest

from lottery import (
    QUICKNET,
    REHEARSAL,
    BeaconError,
    BeaconRound,
    BlsError,
    LotteryError,
    bls,
    choose_backend,
    parse_round,
    read_round,
    rehearsal_round,
    round_at,
    round_time,
    verify_round,
)
from lottery.beacon import round_message
from lottery.bls import FIELD_MODULUS, Backend, BackendName, check_g1, check_g2
from lottery.rehearsal import derived_public_key
from tests.lottery import vectors

# Points of the curve outside the subgroup, found by trial: x = 4 in G1, x = 2 in G2, with the flag of the compressed form.
NOT_IN_G1 = "80" + "00" * 46 + "04"
NOT_IN_G2 = "80" + "00" * 94 + "02"


@pytest.fixture(params=["arkworks", "py_ecc"])
def backend(request: pytest.FixtureRequest) -> Backend:
    name: BackendName = request.param
    if not bls.backend_installed(name):
        pytest.skip(f"the library for {name} has no wheel here")
    return choose_backend(name)


def beacon(round_number: int, signature: str) -> BeaconRound:
    """A round whose randomness fits, so that only the signature can be at fault."""
    return BeaconRound(round_number, signature, hashlib.sha256(bytes.fromhex(signature)).hexdigest())


@pytest.mark.parametrize("round_number", sorted(vectors.QUICKNET_ROUNDS))
def test_genuine_rounds(backend: Backend, round_number: int) -> None:
    verify_round(QUICKNET, BeaconRound(round_number, *vectors.QUICKNET_ROUNDS[round_number]), backend)


@pytest.mark.parametrize(
    ("round_number", "signature", "code"),
    [
        (1000, vectors.QUICKNET_ROUNDS[1001][0], "signature_wrong"),
        (999, vectors.QUICKNET_ROUNDS[1000][0], "signature_wrong"),
        (1000, "00" * 48, "encoding"),
        (1000, "c0" + "00" * 47, "infinity"),
        (1000, "e0" + "00" * 47, "infinity"),
        (1000, "ff" * 48, "infinity"),
        (1000, "9f" + "ff" * 47, "encoding"),
        (1000, (FIELD_MODULUS | 1 << 383).to_bytes(48, "big").hex(), "encoding"),
        (1000, "80" + "00" * 46 + "01", "point"),
        (1000, NOT_IN_G1, "point"),
        # The same x with the other y: the inverse of the genuine signature.
        (
            1000,
            f"{int(vectors.QUICKNET_ROUNDS[1000][0][:2], 16) ^ 0x20:02x}{vectors.QUICKNET_ROUNDS[1000][0][2:]}",
            "signature_wrong",
        ),
    ],
)
def test_forged_rounds(backend: Backend, round_number: int, signature: str, code: str) -> None:
    with pytest.raises(BeaconError) as caught:
        verify_round(QUICKNET, beacon(round_number, signature), backend)
    assert caught.value.code == code


def test_the_point_outside_the_subgroup_lies_on_the_curve() -> None:
    """Otherwise the case above would only test the curve equation."""
    square = (4**3 + 4) % FIELD_MODULUS
    root = pow(square, (FIELD_MODULUS + 1) // 4, FIELD_MODULUS)
    assert root * root % FIELD_MODULUS == square


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"signature": vectors.QUICKNET_ROUNDS[1000][0][:-1]}, "signature_form"),
        ({"signature": vectors.QUICKNET_ROUNDS[1000][0] + "00"}, "signature_form"),
        ({"signature": vectors.QUICKNET_ROUNDS[1000][0].upper()}, "signature_form"),
        ({"signature": vectors.QUICKNET_ROUNDS[1000][0][:-2] + " 0"}, "signature_form"),
        ({"signature": ""}, "signature_form"),
        ({"randomness": vectors.QUICKNET_ROUNDS[42][1]}, "randomness_differs"),
        ({"randomness": "00"}, "randomness_form"),
        ({"round": 0}, "round"),
        ({"round": -5}, "round"),
        ({"round": 10**15}, "round"),
    ],
)
def test_malformed_rounds_fail_before_any_library(change: dict[str, object], code: str) -> None:
    class Untouched:
        name: BackendName = "py_ecc"

        def verify(self, *_: bytes) -> bool:
            raise AssertionError("called with unchecked bytes")

        def sign(self, *_: object) -> bytes:
            raise AssertionError

        def public_key(self, *_: object) -> bytes:
            raise AssertionError

    genuine = BeaconRound(1000, *vectors.QUICKNET_ROUNDS[1000])
    with pytest.raises(BeaconError) as caught:
        verify_round(QUICKNET, dataclasses.replace(genuine, **change), Untouched())  # type: ignore[arg-type]
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (QUICKNET.public_key[:-2], "length"),
        ("c0" + "00" * 95, "infinity"),
        ("00" * 96, "encoding"),
        (QUICKNET.public_key[:96] + "ff" * 48, "encoding"),
        (QUICKNET.public_key[:-2] + "00", "point"),
        (NOT_IN_G2, "point"),
    ],
)
def test_bad_public_keys(backend: Backend, key: str, code: str) -> None:
    chain = dataclasses.replace(QUICKNET, public_key=key)
    with pytest.raises(BeaconError) as caught:
        verify_round(chain, BeaconRound(1000, *vectors.QUICKNET_ROUNDS[1000]), backend)
    assert caught.value.code == code


def test_another_chains_round_fails(backend: Backend) -> None:
    with pytest.raises(BeaconError, match="signature_wrong"):
        verify_round(QUICKNET, rehearsal_round(1000, backend), backend)
    with pytest.raises(BeaconError, match="signature_wrong"):
        verify_round(REHEARSAL, BeaconRound(1000, *vectors.QUICKNET_ROUNDS[1000]), backend)


def test_rehearsal_rounds_verify(backend: Backend) -> None:
    made = rehearsal_round(12_345_678, backend)
    verify_round(REHEARSAL, made, backend)
    assert made == rehearsal_round(12_345_678)
    assert made.randomness != rehearsal_round(12_345_679, backend).randomness
    assert derived_public_key(backend) == REHEARSAL.public_key
    assert REHEARSAL.chain_hash != QUICKNET.chain_hash


def test_round_message_is_the_big_endian_round() -> None:
    assert round_message(1000) == hashlib.sha256(bytes([0, 0, 0, 0, 0, 0, 3, 232])).digest()


def test_round_at() -> None:
    assert [round_at(QUICKNET, QUICKNET.genesis + s) for s in (0, 2, 3, 5, 6)] == [1, 1, 2, 2, 3]
    assert round_time(QUICKNET, 1) == 1_692_803_367
    assert round_at(QUICKNET, round_time(QUICKNET, 1000)) == 1000
    assert round_at(QUICKNET, round_time(QUICKNET, 1000) - 1) == 999
    assert round_at(REHEARSAL, 1_577_836_800) == 1
    with pytest.raises(BeaconError, match="before_genesis"):
        round_at(QUICKNET, QUICKNET.genesis - 1)


def test_read_round_in_drands_form(tmp_path: Path) -> None:
    signature, randomness = vectors.QUICKNET_ROUNDS[42]
    path = tmp_path / "round.json"
    path.write_text(f'{{"round": 42, "randomness": "{randomness}", "signature": "{signature}"}}\n')
    assert read_round(path) == BeaconRound(42, signature, randomness)
    path.write_text(f'{{"round":42,"signature":"{signature}"}}')
    assert read_round(path) == BeaconRound(42, signature, randomness)
    with pytest.raises(BeaconError, match="no_file"):
        read_round(tmp_path / "absent.json")
    with pytest.raises(BeaconError, match="no_file"):
        read_round(tmp_path)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_json"),
        ("[" * 60_000, "not_json"),
        ("[]", "shape"),
        ('"round"', "shape"),
        ("{}", "round"),
        ('{"round":"42","signature":"S"}', "round"),
        ('{"round":true,"signature":"S"}', "round"),
        ('{"round":42.0,"signature":"S"}', "round"),
        ('{"round":42,"round":43,"signature":"S"}', "doubled_member"),
        ('{"round":42}', "signature_form"),
        ('{"round":42,"signature":7}', "signature_form"),
        ('{"round":42,"signature":"S0"}', "signature_form"),
        ('{"round":0,"signature":"S"}', "round"),
        ('{"round":42,"signature":"S","randomness":7}', "randomness_form"),
        ('{"round":42,"signature":"S","randomness":"ab"}', "randomness_form"),
        ('{"round":42,"signature":"S","previous_signature":""}', "unknown_member"),
        (" " * 70_000, "too_large"),
    ],
)
def test_round_files_that_are_refused(text: str, code: str) -> None:
    with pytest.raises(BeaconError) as caught:
        parse_round(text.replace('"S"', f'"{vectors.QUICKNET_ROUNDS[42][0]}"').encode())
    assert caught.value.code == code


def test_encodings_are_checked_alike() -> None:
    check_g1(bytes.fromhex(vectors.QUICKNET_ROUNDS[42][0]))
    check_g2(bytes.fromhex(QUICKNET.public_key))
    for length in (0, 47, 49, 96):
        with pytest.raises(BlsError, match="length"):
            check_g1(b"\x80" * length)
    with pytest.raises(BlsError, match="length"):
        check_g2(b"\x80" * 48)


def test_no_library_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bls, "backend_installed", lambda name: False)
    with pytest.raises(LotteryError, match="no_bls"):
        choose_backend()


def test_importing_py_ecc_leaves_the_recursion_limit_alone() -> None:
    choose_backend("py_ecc")
    assert sys.getrecursionlimit() < 100_000
