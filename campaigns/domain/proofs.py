"""Proofs and tokens of persons: their normal forms, and the HMAC that stands for them in the database.

The number itself is never stored. HMAC-SHA256(key, kind || 0 || normal form): without the key, which lies outside
the database, nobody can try all phone numbers against a copy of the rows.
"""

import hmac
import re
import unicodedata
from typing import Final, Literal, get_args

import phonenumbers
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from campaigns.domain.errors import Invalid

ProofKind = Literal["phone", "id_number", "social_card"]
TokenKind = Literal["chat", "paper", "card"]
PROOF_KINDS: Final[tuple[ProofKind, ...]] = get_args(ProofKind)
MAX_VALUE = 128
HOME_REGION = "CN"

_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
_ANY_PHONE = re.compile(r"\+?[0-9()]{5,24}")  # the library would take letters, extensions and other digits
_SOCIAL_CARD = re.compile(r"[0-9A-Z]{6,32}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,128}")


def normal_form(kind: ProofKind, value: str) -> str:
    """The one way a proof is written: E.164, 18 characters of GB 11643, or upper-case letters and digits.

    Full-width digits, spaces and hyphens are forgiven. Raises Invalid ``proof_invalid``, which never repeats the value.
    """
    if len(value) <= MAX_VALUE:
        plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", value))
        found = _FORMS[kind](plain)
        if found is not None:
            return found
    raise Invalid("proof_invalid", kind=kind)


def token_form(kind: TokenKind, value: str) -> str:
    """A token's number as printed or as the channel knows it. Raises Invalid ``proof_invalid``."""
    plain = unicodedata.normalize("NFKC", value[: MAX_VALUE + 1]).strip()
    if _TOKEN.fullmatch(plain) is None:
        raise Invalid("proof_invalid", kind=kind)
    return plain


def keyed(key: bytes, kind: str, normal: str) -> bytes:
    """What the database keeps of a proof or token: 32 bytes."""
    return hmac.digest(key, kind.encode() + b"\0" + normal.encode(), "sha256")


def _phone(plain: str) -> str | None:
    mobile = _MOBILE.fullmatch(plain)
    if mobile is not None:
        return "+86" + mobile[1]
    if _ANY_PHONE.fullmatch(plain) is None:
        return None
    try:
        number = phonenumbers.parse(plain, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _id_number(plain: str) -> str | None:
    if not plain.isascii():
        return None
    try:
        return str(ric.validate(plain.upper()))
    except ValidationError:
        return None


def _social_card(plain: str) -> str | None:
    upper = plain.upper()
    return upper if _SOCIAL_CARD.fullmatch(upper) else None


_FORMS = {"phone": _phone, "id_number": _id_number, "social_card": _social_card}
