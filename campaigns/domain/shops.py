"""What a merchant, a store and a till must be like, as rules over plain text: forms and imports use the same ones."""

import re
from collections.abc import Callable
from typing import NamedTuple

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from campaigns.domain.errors import Facts
from campaigns.domain.places import is_known, significant
from campaigns.domain.scenarios import spendable_ids
from campaigns.domain.terms.model import CHANNELS

MAX_NAME = 200
MAX_LABELS = 50
MAX_LATITUDE_E6 = 90_000_000
MAX_LONGITUDE_E6 = 180_000_000

_CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_LABEL = re.compile(r"[\w-]{1,40}")
_MCC = re.compile(r"[0-9]{4}")
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}")


class Wrong(NamedTuple):
    """What is wrong with a member: a code and its facts."""

    member: str
    code: str
    facts: Facts


class MerchantFields(NamedTuple):
    """A merchant: ``operator`` is the code of the one who receives for it."""

    code: str
    name: str
    credit_code: str
    operator: str
    tags: tuple[str, ...]
    mcc: str


class StoreFields(NamedTuple):
    """A store: ``place`` in significant digits; position in WGS 84 degrees times 1,000,000 or None."""

    code: str
    name: str
    place: str
    zones: tuple[str, ...]
    scenario: str
    latitude_e6: int | None
    longitude_e6: int | None


class TerminalFields(NamedTuple):
    """A till and the channel its payments go through."""

    code: str
    channel: str


def check_merchant(fields: MerchantFields) -> list[Wrong]:
    """Everything wrong with a merchant, the operator's existence apart."""
    wrong = [*_forms(("code", fields.code, _is_code), ("name", fields.name, _is_name))]
    if not is_credit_code(fields.credit_code):
        wrong.append(Wrong("credit_code", "credit_code_invalid", {"given": _short(fields.credit_code)}))
    if _MCC.fullmatch(fields.mcc) is None:
        wrong.append(Wrong("mcc", "mcc_invalid", {"given": _short(fields.mcc)}))
    return wrong + _labels("tags", fields.tags)


def check_store(fields: StoreFields) -> list[Wrong]:
    """Everything wrong with a store."""
    wrong = [*_forms(("code", fields.code, _is_code), ("name", fields.name, _is_name))]
    if significant(fields.place) != fields.place or not is_known(fields.place):
        wrong.append(Wrong("place", "place_unknown", {"given": _short(fields.place)}))
    if fields.scenario not in spendable_ids():
        allowed = ", ".join(spendable_ids())
        wrong.append(
            Wrong("scenario", "scenario_unknown", {"given": _short(fields.scenario), "allowed": allowed})
        )
    latitude, longitude = fields.latitude_e6, fields.longitude_e6
    if (latitude is None) != (longitude is None):
        wrong.append(Wrong("latitude_e6", "position_half", {}))
    for member, value, most in (
        ("latitude_e6", latitude, MAX_LATITUDE_E6),
        ("longitude_e6", longitude, MAX_LONGITUDE_E6),
    ):
        if value is not None and abs(value) > most:
            wrong.append(_value(member, str(value), f"-{most}..{most}"))
    return wrong + _labels("zones", fields.zones)


def check_terminal(fields: TerminalFields) -> list[Wrong]:
    """Everything wrong with a till."""
    wrong = [*_forms(("code", fields.code, _is_code))]
    if fields.channel not in CHANNELS:
        wrong.append(_value("channel", fields.channel, ", ".join(CHANNELS)))
    return wrong


def is_credit_code(text: str) -> bool:
    """Whether this is a unified social credit code (GB 32100) as it is printed: 18 characters, check character right."""
    try:
        return bool(text.isascii() and uscc.validate(text) == text)
    except ValidationError:
        return False


def _forms(*members: tuple[str, str, Callable[[str], str | None]]) -> list[Wrong]:
    found = ((member, given, form(given)) for member, given, form in members)
    return [_value(member, given, detail) for member, given, detail in found if detail]


def _is_code(text: str) -> str | None:
    return None if _CODE.fullmatch(text) else "a-z 0-9 . _ -"


def _is_name(text: str) -> str | None:
    return None if _NAME.fullmatch(text) and text.strip() == text else f"1..{MAX_NAME}"


def _labels(member: str, labels: tuple[str, ...]) -> list[Wrong]:
    wrong = [_value(member, label, "A-Z a-z 0-9 _ -") for label in labels if not _LABEL.fullmatch(label)]
    if len(labels) > MAX_LABELS:
        wrong.append(_value(member, str(len(labels)), f"<= {MAX_LABELS}"))
    return wrong


def _value(member: str, given: str, detail: str) -> Wrong:
    return Wrong(member, "import_value", {"column": member, "given": _short(given), "detail": detail})


def _short(text: str) -> str:
    return text[:60]
