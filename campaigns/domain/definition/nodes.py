"""YAML as a tree that knows lines and columns, and refuses what YAML offers beyond plain data.

Only mappings with text keys, lists and scalars pass. Anchors, aliases, merge keys, tags, a second document,
doubled members, hidden characters and anything deeper or larger than the named limits is a problem, not data.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from campaigns.domain.definition.characters import HIDDEN, hidden_character, name_of
from campaigns.domain.definition.problems import Ledger, Path, Place

MAX_FILE_BYTES = 262_144
MAX_DEPTH = 16
MAX_NODES = 20_000
MAX_BAD_CHARACTERS = 20

# The C parser stops at a surrogate written as an escape, the Python one lets it pass.
_LONE_SURROGATE = re.compile(r"\\u([dD][89a-fA-F][0-9a-fA-F]{2})")
_PLAIN_STYLES = (None, "")  # the Python and the C parser differ
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Scalar:
    """Text as written; ``plain`` tells whether it stood without quotes."""

    place: Place
    text: str
    plain: bool


@dataclass(slots=True)
class Listing:
    place: Place
    items: list["Node"] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """Members in the order of the file; a doubled one is a problem and only its first value is kept."""

    place: Place
    members: dict[str, tuple[Scalar, "Node"]] = field(default_factory=dict)


Node = Scalar | Listing | Mapping


class _Stop(Exception):
    """The file cannot be read any further; the ledger says why."""


def parse(source: bytes | str, ledger: Ledger) -> Node | None:
    """Read a campaign file's YAML. None when it cannot be read at all; ``ledger`` then holds at least one problem."""
    try:
        text = _decode(source, ledger)
        return _Tree(ledger).grow(text)
    except _Stop:
        return None


def _decode(source: bytes | str, ledger: Ledger) -> str:
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "surrogatepass"))
    if size > MAX_FILE_BYTES:
        ledger.add("file_too_large", (), limit_bytes=MAX_FILE_BYTES)
        raise _Stop
    text = source if isinstance(source, str) else _decode_utf8(source, ledger)
    if text.startswith("\ufeff"):
        ledger.add("file_byte_order_mark", ())
        text = text[1:]
    hidden = 0
    for number, line in enumerate(re.split("\r\n|\r|\n", text), start=1):
        for found in HIDDEN.finditer(line):
            hidden += 1
            if hidden <= MAX_BAD_CHARACTERS:
                at = Place(number, found.start() + 1)
                ledger.add_at("file_text_hidden", (), at, character=name_of(found.group()))
    if hidden:
        raise _Stop
    return text


def _decode_utf8(source: bytes, ledger: Ledger) -> str:
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        ledger.add_at("file_not_utf8", (), Place(line, column))
        raise _Stop from None


class _Tree:
    """Builds nodes from YAML events with a stack of its own, so that depth is a problem and never a crash."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.stack: list[tuple[Listing | Mapping, list[Scalar]]] = []
        self.root: Node | None = None
        self.nodes = 0
        self.documents = 0

    def grow(self, text: str) -> Node | None:
        if not text.strip():
            self.ledger.add("file_empty", ())
            raise _Stop
        try:
            for event in yaml.parse(text, Loader=_LOADER):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            self._malformed(text, error)
        except yaml.YAMLError as error:
            self.ledger.add("file_malformed", (), detail=str(error).splitlines()[0][:120])
            raise _Stop from None
        if self.root is None:
            self.ledger.add("file_empty", ())
        return self.root

    def _malformed(self, text: str, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        lines = text.splitlines()
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        escape = _LONE_SURROGATE.search(line)
        if escape:
            self.ledger.add_at("file_text_hidden", (), place, character=f"U+{escape.group(1).upper()}")
        elif "\t" in line[: len(line) - len(line.lstrip())]:
            self.ledger.add_at("file_tab", (), place)
        else:
            self.ledger.add_at("file_malformed", (), place, detail=str(error.problem or error.context)[:120])
        raise _Stop from None

    def _take(self, event: Any) -> None:
        place = Place(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.ledger.add_at("file_second_document", (), place)
                raise _Stop
        elif isinstance(event, yaml.AliasEvent):
            self.ledger.add_at("file_anchor", self._path(), place, name=f"*{event.anchor}")
            self.ledger.distrust(self._path())
            self._place_node(Scalar(place, "", True))
        elif isinstance(event, yaml.ScalarEvent):
            self._refuse_extras(event, place)
            self._place_node(Scalar(place, event.value, event.style in _PLAIN_STYLES))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._refuse_extras(event, place)
            self._open(Listing(place) if isinstance(event, yaml.SequenceStartEvent) else Mapping(place))
        elif isinstance(event, yaml.CollectionEndEvent):
            closed, _ = self.stack.pop()
            self._place_node(closed)

    def _refuse_extras(self, event: Any, place: Place) -> None:
        if event.anchor is not None:
            self.ledger.add_at("file_anchor", self._path(), place, name=f"&{event.anchor}")
        if event.tag is not None:
            self.ledger.add_at("file_tag", self._path(), place, tag=str(event.tag)[:60])
            self.ledger.distrust(self._path())

    def _open(self, node: Listing | Mapping) -> None:
        if len(self.stack) >= MAX_DEPTH:
            self.ledger.add_at("file_too_deep", self._path(), node.place, limit=MAX_DEPTH)
            raise _Stop
        self.stack.append((node, []))

    def _place_node(self, node: Node) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.ledger.add_at("file_too_many_values", self._path(), node.place, limit=MAX_NODES)
            raise _Stop
        if not self.stack:
            self.root = node
            return
        parent, keys = self.stack[-1]
        if isinstance(parent, Listing):
            parent.items.append(node)
        elif not keys:
            keys.append(self._key(node))
        else:
            self._member(parent, keys.pop(), node)

    def _key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            hidden = hidden_character(node.text)
            if hidden:
                self.ledger.add_at("file_text_hidden", self._path(), node.place, character=hidden)
            return node
        self.ledger.add_at("file_key_not_text", self._path(), node.place)
        return Scalar(node.place, "…", True)

    def _member(self, parent: Mapping, key: Scalar, value: Node) -> None:
        path = (*self._path(), key.text)
        if key.plain and key.text == "<<":
            self.ledger.add_at("file_anchor", path, key.place, name="<<")
        elif key.text in parent.members:
            first = parent.members[key.text][0].place
            self.ledger.add_at("file_member_doubled", path, key.place, member=key.text, first_line=first.line)
        else:
            parent.members[key.text] = (key, value)

    def _path(self) -> Path:
        path: list[str | int] = []
        for node, keys in self.stack:
            if isinstance(node, Listing):
                path.append(len(node.items))
            elif keys:
                path.append(keys[0].text)
        return tuple(path)
