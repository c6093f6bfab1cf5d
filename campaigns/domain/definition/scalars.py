"""Scalars of a campaign file, read by the type that is due: never a guess, never a float, never a silent "no".

YAML tools disagree about what ``no``, ``010``, ``1_000`` or ``12:30`` mean. Here a member's type decides, and
whatever another tool would read differently is a problem that says what to write.
"""

import re
from datetime import date

from campaigns.domain.definition.characters import hidden_character, printable
from campaigns.domain.definition.nodes import Scalar
from campaigns.domain.definition.problems import Ledger, Path
from campaigns.domain.money import parse_yuan

MAX_TEXT = 2_000
MAX_DIGITS = 18

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_GROUPED = re.compile(r"-?[0-9]+([_,][0-9]+)+")
_PADDED = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OTHER_NUMBERS = re.compile(r"[-+]?(0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+|\.(inf|nan|NaN|Inf|INF|NAN))")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"})
_SHOWN = 60


class Bad:
    """Stands where a value could not be read; no check looks at it."""


BAD = Bad()


def shorten(text: str) -> str:
    """What a message quotes of the file: one line, at most 60 characters."""
    return printable(text, _SHOWN)


def is_empty(node: Scalar) -> bool:
    """Whether nothing (or YAML's null) was written."""
    return node.plain and node.text.lower() in ("", "null", "~")


def read_text(node: Scalar, path: Path, ledger: Ledger) -> str | Bad:
    """Text: quoted, or plain where no YAML tool would read a number, a truth value or nothing at all."""
    if node.plain and _looks_otherwise(node.text):
        return _refuse(ledger, "file_text_unquoted", path, given=shorten(node.text))
    hidden = hidden_character(node.text)
    if hidden:
        return _refuse(ledger, "file_text_hidden", path, character=hidden)
    if len(node.text) > MAX_TEXT:
        return _refuse(ledger, "file_text_too_long", path, length=len(node.text), limit=MAX_TEXT)
    if not node.text.strip():
        return _refuse(ledger, "file_text_empty", path)
    return node.text


def read_integer(node: Scalar, path: Path, ledger: Ledger) -> int | Bad:
    """An integer in plain ASCII digits; amounts get a message that names the fen to write."""
    text = node.text
    if node.plain and _INTEGER.fullmatch(text):
        if len(text.lstrip("-")) > MAX_DIGITS:
            return _refuse(ledger, "file_number_huge", path, given=shorten(text), digits=MAX_DIGITS)
        return int(text)
    given = shorten(text)
    member = path[-1] if path else ""
    fen = _as_fen(text) if isinstance(member, str) and member.endswith("_fen") else None
    if fen is not None:
        return _refuse(ledger, "file_amount_not_fen", path, given=given, fen=fen)
    if not text.isascii() and any(c.isnumeric() or c in "．，－" for c in text):
        return _refuse(ledger, "file_digits_not_ascii", path, given=given)
    if not node.plain and _INTEGER.fullmatch(text):
        return _refuse(ledger, "file_integer_quoted", path, given=given)
    if _GROUPED.fullmatch(text):
        return _refuse(ledger, "file_integer_grouped", path, given=given, plain=re.sub("[_,]", "", text))
    if _PADDED.fullmatch(text):
        return _refuse(ledger, "file_integer_padded", path, given=given)
    if _FLOAT.fullmatch(text):
        return _refuse(ledger, "file_float", path, given=given)
    return _refuse(ledger, "file_not_integer", path, given=given)


def read_boolean(node: Scalar, path: Path, ledger: Ledger) -> bool | Bad:
    """``true`` or ``false``, unquoted and in lower case."""
    if node.plain and node.text in ("true", "false"):
        return node.text == "true"
    return _refuse(ledger, "file_not_boolean", path, given=shorten(node.text))


def read_date(node: Scalar, path: Path, ledger: Ledger) -> date | Bad:
    """A day of the calendar as ``YYYY-MM-DD``."""
    if _DATE.fullmatch(node.text):
        try:
            return date.fromisoformat(node.text)
        except ValueError:
            pass
    return _refuse(ledger, "file_not_date", path, given=shorten(node.text))


def _looks_otherwise(text: str) -> bool:
    """Whether some YAML tool reads this unquoted text as a number, a truth value or nothing."""
    return text.lower() in _WORDS or any(
        pattern.fullmatch(text) for pattern in (_PADDED, _FLOAT, _GROUPED, _OTHER_NUMBERS)
    )


def _as_fen(text: str) -> int | None:
    """Fen of an amount written in yuan (``¥30``, ``30.0``, ``30元``, ``1,200.50``), None for anything else."""
    bare = text.strip().removeprefix("￥").removesuffix("元").removesuffix("yuan").strip()
    if bare == text and _PADDED.fullmatch(bare):
        return None
    if re.fullmatch(r"¥?[0-9][0-9,]{0,14}(\.[0-9]{1,6})?", bare) is None:
        return None
    whole, dot, part = bare.partition(".")
    if dot and part.strip("0") == "":
        bare = whole
    try:
        return parse_yuan(bare)
    except ValueError:
        return None


def _refuse(ledger: Ledger, code: str, path: Path, **facts: str | int) -> Bad:
    ledger.add(code, path, **facts)
    ledger.distrust(path)
    return BAD
