"""Codes shown at a till: our payment code and store code, and which scheme a scanned code belongs to.

A payment code is 18 digits: the prefix 77, 15 random digits and a check digit by Damm's method, which finds
every single wrong digit and every two neighbours exchanged. Other schemes at the same till begin
otherwise: WeChat 18 digits 10-15, Alipay 16-24 digits 25-30, UnionPay 62, e-CNY 19 digits 01.
A store code is ``S`` and 16 base32 characters.
"""

import re
from base64 import b32encode
from typing import Literal

Scheme = Literal["payment_code", "store_code", "mistyped", "wechat", "alipay", "unionpay", "ecny", "unknown"]

PREFIX = "77"
LENGTH = 18
RANDOM_DIGITS = 15
PAYMENT_RANDOM_BYTES = 16
STORE_RANDOM_BYTES = 10
MAX_SCANNED_LENGTH = 64

_OURS = re.compile(rf"{PREFIX}[0-9]{{{LENGTH - len(PREFIX)}}}")
_STORE = re.compile(r"S[A-Z2-7]{16}")
_OTHERS: tuple[tuple[Scheme, re.Pattern[str]], ...] = (
    ("wechat", re.compile(r"1[0-5][0-9]{16}")),
    ("alipay", re.compile(r"(?:2[5-9]|30)[0-9]{14,22}")),
    ("unionpay", re.compile(r"62[0-9]{14,17}")),
    ("ecny", re.compile(r"01[0-9]{17}")),
)
# Damm's totally anti-symmetric quasigroup of order 10
_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)

# by the interim digit and the character of the next one
_STEPS = [dict(zip(b"0123456789", map(int, row), strict=True)) for row in _DAMM]


def check_digit(digits: str) -> str:
    """The digit that makes ``digits`` followed by it check to zero."""
    interim = 0
    for digit in digits.encode("ascii"):
        interim = _STEPS[interim][digit]
    return str(interim)


def make_payment_code(random: bytes) -> str:
    """A payment code from 16 random bytes; the bias of reducing them to 15 digits is below 2^-78."""
    assert len(random) == PAYMENT_RANDOM_BYTES
    digits = f"{PREFIX}{int.from_bytes(random, 'big') % 10**RANDOM_DIGITS:0{RANDOM_DIGITS}d}"
    return digits + check_digit(digits)


def looks_like(code: str) -> bool:
    """Say whether ``code`` has the form of a payment code of ours, check digit included. It may still not live."""
    return _OURS.fullmatch(code) is not None and check_digit(code) == "0"


def make_store_code(random: bytes) -> str:
    """A store code from 10 random bytes. It stands printed at the counter and is no secret, only unguessable."""
    assert len(random) == STORE_RANDOM_BYTES
    return "S" + b32encode(random).decode("ascii")


def looks_like_store_code(code: str) -> bool:
    """Say whether ``code`` has the form of a store code of ours."""
    return _STORE.fullmatch(code) is not None


def scheme_of(code: str) -> Scheme:
    """Which scheme a scanned code belongs to, so that a till can say what is wrong with it.

    ``mistyped`` is ours with a wrong check digit or length.
    """
    if len(code) > MAX_SCANNED_LENGTH:
        return "unknown"
    if looks_like(code):
        return "payment_code"
    if looks_like_store_code(code):
        return "store_code"
    for scheme, pattern in _OTHERS:
        if pattern.fullmatch(code):
            return scheme
    if code.startswith(PREFIX) and code.isascii() and code.isdigit():
        return "mistyped"
    return "unknown"
