"""Payment codes, store codes and telling schemes apart."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import damm

from campaigns.domain.payment_code import (
    LENGTH,
    PREFIX,
    check_digit,
    looks_like,
    looks_like_store_code,
    make_payment_code,
    make_store_code,
    scheme_of,
)

SIXTEEN = st.binary(min_size=16, max_size=16)


@given(SIXTEEN)
def test_a_payment_code_is_18_digits_with_our_prefix(randomness: bytes) -> None:
    code = make_payment_code(randomness)
    assert len(code) == LENGTH == 18
    assert code.isascii() and code.isdigit() and code.startswith(PREFIX)
    assert looks_like(code) and scheme_of(code) == "payment_code"
    assert make_payment_code(randomness) == code


def test_known_codes() -> None:
    assert make_payment_code(bytes(16)) == "77000000000000000" + check_digit("77000000000000000")
    assert make_payment_code((123_456).to_bytes(16, "big"))[:17] == "77000000000123456"
    assert make_payment_code((10**15 + 7).to_bytes(16, "big"))[:17] == "77000000000000007"


def test_codes_use_all_their_digits() -> None:
    seeded = random.Random(1)
    codes = {make_payment_code(seeded.randbytes(16)) for _ in range(2_000)}
    assert len(codes) == 2_000
    for place in range(2, LENGTH):
        assert {code[place] for code in codes} == set("0123456789")


@pytest.mark.parametrize("length", [0, 15, 17])
def test_randomness_has_its_length(length: int) -> None:
    with pytest.raises(AssertionError):
        make_payment_code(bytes(length))
    with pytest.raises(AssertionError):
        make_store_code(bytes(length))


@given(st.text("0123456789", min_size=1, max_size=20))
def test_the_check_digit_is_damms(digits: str) -> None:
    assert check_digit(digits) == damm.calc_check_digit(digits)


def test_every_wrong_digit_and_every_exchange_of_neighbours_is_found() -> None:
    seeded = random.Random(2)
    for _ in range(20):
        code = make_payment_code(seeded.randbytes(16))
        for place in range(LENGTH):
            for digit in set("0123456789") - {code[place]}:
                assert not looks_like(code[:place] + digit + code[place + 1 :])
        for place in range(LENGTH - 1):
            swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
            assert swapped == code or not looks_like(swapped)


@pytest.mark.parametrize("change", ["{}0", "0{}", " {}", "{}\n", "{}A"])
def test_other_forms_are_none_of_ours(change: str) -> None:
    assert not looks_like(change.format(make_payment_code(bytes(16))))


def test_unicode_digits_are_none_of_ours() -> None:
    code = make_payment_code(bytes(16))
    assert not looks_like(code.translate({ord("7"): "７"}))
    assert scheme_of(code.translate({ord("0"): "٠"})) == "unknown"


@given(st.binary(min_size=10, max_size=10))
def test_store_codes(randomness: bytes) -> None:
    code = make_store_code(randomness)
    assert len(code) == 17 and code.startswith("S")
    assert looks_like_store_code(code) and scheme_of(code) == "store_code"
    assert not looks_like(code)
    assert not looks_like_store_code(code.lower()) and not looks_like_store_code(code + "A")


def test_store_codes_differ() -> None:
    assert make_store_code(bytes(10)) == "SAAAAAAAAAAAAAAAA"
    assert make_store_code(b"\xff" * 10) == "S7777777777777777"


@pytest.mark.parametrize(
    ("code", "scheme"),
    [
        ("10" + "1" * 16, "wechat"),
        ("15" + "1" * 16, "wechat"),
        ("16" + "1" * 16, "unknown"),
        ("09" + "1" * 16, "unknown"),
        ("10" + "1" * 15, "unknown"),
        ("25" + "1" * 14, "alipay"),
        ("28" + "1" * 16, "alipay"),
        ("30" + "1" * 22, "alipay"),
        ("30" + "1" * 23, "unknown"),
        ("31" + "1" * 16, "unknown"),
        ("24" + "1" * 16, "unknown"),
        ("62" + "1" * 17, "unionpay"),
        ("61" + "1" * 17, "unknown"),
        ("01" + "1" * 17, "ecny"),
        ("01" + "1" * 16, "unknown"),
        ("77" + "1" * 15, "mistyped"),
        ("77" + "1" * 20, "mistyped"),
        ("", "unknown"),
        ("7", "unknown"),
        ("77" + "1" * 62, "mistyped"),
        ("77" + "1" * 63, "unknown"),
        ("77 discount", "unknown"),
        ("hello", "unknown"),
    ],
)
def test_schemes(code: str, scheme: str) -> None:
    assert scheme_of(code) == scheme


@given(st.text())
def test_any_text_has_a_scheme(text: str) -> None:
    assert (scheme_of(text) == "payment_code") == looks_like(text)


@pytest.mark.parametrize(
    "prefix", ["10", "11", "12", "13", "14", "15", "25", "26", "27", "28", "29", "30", "62", "01"]
)
def test_our_prefix_is_no_other_schemes(prefix: str) -> None:
    assert not PREFIX.startswith(prefix) and len(PREFIX) == 2
