"""Canonical JSON as in RFC 8785, restricted to strings, integers, arrays and objects.

The restriction (no floats, booleans or null) removes every place where two implementations could differ. A file is
the canonical text followed by one LF; digests are over the file's bytes, so that `sha256sum` gives the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

from lottery.core.errors import DocumentError

Value = str | int | Sequence["Value"] | Mapping[str, "Value"]

INTEGER_MAX = 2**53 - 1  # RFC 8785 numbers are doubles; beyond this they lose digits
DOCUMENT_BYTES_MAX = 8 * 1024 * 1024
DEPTH_MAX = 16

_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def dumps(value: Value) -> bytes:
    """The canonical UTF-8 text of `value`, without a final LF.

    Raises DocumentError for a type outside the subset, an integer beyond 2**53-1 or a lone surrogate.
    """
    try:
        return _text(value, "", 0).encode("utf-8")
    except UnicodeEncodeError as error:
        raise DocumentError("", "surrogate", "a string holds a lone surrogate") from error


def dump_file(value: Value) -> bytes:
    """The bytes of a canonical JSON file: the canonical text and one LF."""
    return dumps(value) + b"\n"


def loads(data: bytes, error: type[DocumentError] = DocumentError) -> Value:
    """Read canonical JSON text; anything not byte for byte canonical is refused with `error`."""
    if len(data) > DOCUMENT_BYTES_MAX:
        raise error("", "too_large", f"more than {DOCUMENT_BYTES_MAX} bytes")
    _check_depth(data, error)
    try:
        value: Value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=lambda pairs: _object(pairs, error),
            parse_float=lambda text: _refuse_number(text, error),
            parse_constant=lambda text: _refuse_number(text, error),
        )
    except ValueError as problem:
        raise error("", "not_json", f"not JSON: {problem}") from problem
    try:
        canonical = dumps(value)
    except DocumentError as problem:
        raise error(problem.where, problem.code, problem.message) from problem
    if canonical != data:
        raise error("", "not_canonical", "not in canonical form (order of members, spaces or escapes)")
    return value


def load_file(data: bytes, error: type[DocumentError] = DocumentError) -> Value:
    """Read a canonical JSON file: the canonical text and exactly one LF."""
    if not data.endswith(b"\n"):
        raise error("", "no_final_newline", "the file does not end with LF")
    return loads(data[:-1], error)


def _text(value: object, where: str, depth: int) -> str:
    if depth > DEPTH_MAX:
        raise DocumentError(where, "too_deep", f"nested deeper than {DEPTH_MAX}")
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > INTEGER_MAX:
            raise DocumentError(where, "integer_range", "integer beyond 2**53-1")
        return str(value)
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise DocumentError(where, "type", "member names are strings")
        # RFC 8785 3.2.3: members are sorted by the UTF-16 code units of their names.
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        parts = (
            f"{json.dumps(name, ensure_ascii=False)}:{_text(value[name], f'{where}.{name}', depth + 1)}"
            for name in names
        )
        return "{" + ",".join(parts) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)) + "]"
    raise DocumentError(where, "type", f"{type(value).__name__} is not a string, integer, array or object")


def _object(pairs: list[tuple[str, Value]], error: type[DocumentError]) -> dict[str, Value]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise error("", "doubled_member", "a member occurs twice in one object")
    return members


def _refuse_number(text: str, error: type[DocumentError]) -> NoReturn:
    raise error("", "type", f"{text[:40]} is not an integer")


def _check_depth(data: bytes, error: type[DocumentError]) -> None:
    """Refuse deep nesting before the recursive parser sees it."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(data):
        token = match.group()
        if token in (b"[", b"{"):
            depth += 1
            if depth > DEPTH_MAX:
                raise error("", "too_deep", f"nested deeper than {DEPTH_MAX}")
        elif token in (b"]", b"}"):
            depth -= 1


class Reader:
    """A typed view of one value of a parsed document that knows its path, for errors that name the place."""

    def __init__(self, value: Value, where: str, error: type[DocumentError]) -> None:
        self._value = value
        self._where = where
        self._error = error

    def fail(self, code: str, message: str) -> NoReturn:
        """Raise the document's error at this place."""
        raise self._error(self._where, code, message)

    def members(self, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Reader]:
        """The members of an object that has all of `required` and nothing beyond `optional`."""
        if not isinstance(self._value, Mapping):
            self.fail("type", "must be an object")
        for name in required:
            if name not in self._value:
                self.fail("missing_member", f"member {name!r} is missing")
        for name in self._value:
            if name not in required and name not in optional:
                self.fail("unknown_member", f"member {name!r} is not known")
        return self._children(self._value)

    def mapping(self, most: int) -> dict[str, Reader]:
        """The members of an object whose names are data."""
        if not isinstance(self._value, Mapping):
            self.fail("type", "must be an object")
        if len(self._value) > most:
            self.fail("too_many", f"more than {most} members")
        return self._children(self._value)

    def items(self, most: int) -> list[Reader]:
        """The items of an array of at most `most`."""
        if isinstance(self._value, str) or not isinstance(self._value, Sequence):
            self.fail("type", "must be an array")
        if len(self._value) > most:
            self.fail("too_many", f"more than {most} items")
        return [Reader(item, f"{self._where}[{i}]", self._error) for i, item in enumerate(self._value)]

    def text(self) -> str:
        """A string."""
        if not isinstance(self._value, str):
            self.fail("type", "must be a string")
        return self._value

    def integer(self) -> int:
        """An integer."""
        if not isinstance(self._value, int):
            self.fail("type", "must be an integer")
        return self._value

    def _children(self, value: Mapping[str, Value]) -> dict[str, Reader]:
        prefix = f"{self._where}." if self._where else ""
        return {name: Reader(item, prefix + name, self._error) for name, item in value.items()}
