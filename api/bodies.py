"""Reading what a client sent: bytes to typed values, or a typed error. Nothing is guessed or repaired.

msgspec decodes strictly (no "5" for 5, no 5.0 for 5, no unknown members), but takes the last of two equal
members and lets NUL through; both are looked for here.
"""

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from msgspec import inspect

from api.wording import Explained, explain, shorten
from campaigns.domain.errors import Invalid, not_found

MOST_QUERY_PARAMETERS = 32
TOO_DEEP = Explained("$", "a number is too long or the nesting too deep", "数字过长或嵌套过深")
EMPTY_BODIES = (b"", b"{}")

# In order: an escaped backslash, a whole surrogate pair, and then what is refused: NUL and half a pair.
_ESCAPES = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u0000|\\u[dD][89a-fA-F])"
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_PATH_TEXT = re.compile(r"[A-Za-z0-9._~-]{1,200}")
_KEY = re.compile(r"[\x21-\x7e]{1,64}")
_TRUTH = {"true": True, "false": False}


class _Doubled(Exception):
    """A member that stands twice in one object."""


def parse_json(raw: bytes, body_type: Any) -> Any:
    """Decode a JSON body into ``body_type``.

    Raises Invalid: ``body_text_bad`` or ``body_malformed`` (400), ``body_invalid`` (422, with where it is wrong).
    """
    text = _checked_text(raw)
    try:
        body = msgspec.json.decode(raw, type=body_type)
    except msgspec.ValidationError as error:
        raise Invalid("body_invalid", **explain(str(error))._asdict()) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid("body_malformed", status=400, detail=shorten(str(error))) from None
    _refuse_doubled(text)
    return body


def _checked_text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("body_text_bad", status=400) from None
    if "\0" in text:
        raise Invalid("body_text_bad", status=400)
    if "\\u" in text and any(found[1] for found in _ESCAPES.finditer(text)):
        raise Invalid("body_text_bad", status=400)
    return text


def _refuse_doubled(text: str) -> None:
    try:
        _DECODER.decode(text)
    except _Doubled as error:
        raise Invalid("body_invalid", **explain(f"member `{error}` stands twice")._asdict()) from None
    except (ValueError, RecursionError):  # an integer of thousands of digits, or endless brackets
        raise Invalid("body_invalid", **TOO_DEEP._asdict()) from None


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Doubled(next(name for name in names if names.count(name) > 1))


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def parse_query(raw: str, query_type: Any) -> Any:
    """Decode a query string into ``query_type``; every parameter at most once.

    Raises Invalid ``body_text_bad`` (400) or ``query_invalid`` (422).
    """
    if not raw and query_type is None:
        return None
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=MOST_QUERY_PARAMETERS)
    except UnicodeDecodeError:
        raise Invalid("body_text_bad", status=400) from None
    except ValueError:
        raise _query_invalid("?", "too many parameters") from None
    kinds = {} if query_type is None else _parameter_kinds(query_type)
    values: dict[str, Any] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise Invalid("body_text_bad", status=400)
        if name not in kinds:
            raise _query_invalid(shorten(name), "not a parameter of this address")
        if name in values:
            raise _query_invalid(name, "stands twice")
        values[name] = _scalar(name, value, kinds[name])
    if query_type is None:
        return None
    try:
        return msgspec.convert(values, query_type)
    except msgspec.ValidationError as error:
        message = str(error)
        named = re.search(r"\$\.(\w+)|field `(\w+)`", message)
        parameter = (named[1] or named[2]) if named else "?"
        raise _query_invalid(parameter, message) from None


def _query_invalid(parameter: str, message: str) -> Invalid:
    said = explain(message)
    return Invalid("query_invalid", parameter=parameter, detail=said.detail, detail_zh=said.detail_zh)


def _scalar(name: str, text: str, kind: str) -> object:
    if kind == "int":
        if _INTEGER.fullmatch(text) is None:
            raise _query_invalid(name, "Expected an integer in ASCII digits")
        return int(text)
    if kind == "bool":
        if text not in _TRUTH:
            raise _query_invalid(name, "Expected true or false")
        return _TRUTH[text]
    return text


@lru_cache(maxsize=1_024)
def _parameter_kinds(query_type: Any) -> dict[str, str]:
    info = inspect.type_info(query_type)
    assert isinstance(info, inspect.StructType), f"the query {query_type} is not a Struct"
    return {field.encode_name: _kind(field.type) for field in info.fields}


def _kind(found: inspect.Type) -> str:
    options = found.types if isinstance(found, inspect.UnionType) else (found,)
    if any(isinstance(option, inspect.IntType) for option in options):
        return "int"
    return "bool" if any(isinstance(option, inspect.BoolType) for option in options) else "text"


def parse_path(parameters: dict[str, str]) -> dict[str, UUID | str]:
    """The parts of an address: a UUID for each ``x_id``, plain text otherwise. Raises Refused ``not_found``."""
    parsed: dict[str, UUID | str] = {}
    for name, text in parameters.items():
        if name.endswith("_id"):
            parsed[name] = parse_id(text, name.removesuffix("_id"))
        elif _PATH_TEXT.fullmatch(text):
            parsed[name] = text
        else:
            raise not_found(name)
    return parsed


def parse_id(text: str, subject: str) -> UUID:
    """A UUID as this service writes them. Raises Refused ``not_found`` for anything else."""
    if _UUID.fullmatch(text) is None:
        raise not_found(subject)
    return UUID(text)


def parse_key(values: list[str]) -> str:
    """The value of the header Idempotency-Key. Raises Invalid ``idempotency_key_missing`` or ``_bad`` (400)."""
    if not values or values == [""]:
        raise Invalid("idempotency_key_missing", status=400)
    if len(values) > 1 or _KEY.fullmatch(values[0]) is None:
        raise Invalid("idempotency_key_bad", status=400)
    return values[0]
