"""The typed model laid over a tree of YAML: every member that does not fit is a problem of its own.

The reader follows `msgspec.inspect`, so a field added to the model is read here with no further word.
"""

import difflib
from typing import Any

import msgspec
from msgspec.inspect import (
    BoolType,
    DateType,
    DictType,
    Field,
    IntType,
    LiteralType,
    NoneType,
    StrType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from campaigns.domain.definition.limits import integer_range, list_limit
from campaigns.domain.definition.members import example_of
from campaigns.domain.definition.nodes import Listing, Mapping, Node, Scalar
from campaigns.domain.definition.problems import Ledger, Path, Place, show_path
from campaigns.domain.definition.scalars import (
    BAD,
    Bad,
    is_empty,
    read_boolean,
    read_date,
    read_integer,
    read_text,
    shorten,
)

_CLOSE_ENOUGH = 0.6
_LONGEST_SLIP = 40


def read(node: Node, model: type[msgspec.Struct], ledger: Ledger) -> Any:
    """Lay ``model`` over ``node``: an instance in which `BAD` stands for each value that could not be read.

    Every such value is distrusted in ``ledger``, so `Ledger.sound` tells which parts may be looked at.
    Answers `BAD` when the node is no mapping at all.
    """
    return _Reader(ledger).value(node, type_info(model), (), node.place)


class _Reader:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def value(self, node: Node, kind: Type, path: Path, key_place: Place) -> Any:
        """One value of the type ``kind``; collections stand, for messages, where their key stands."""
        self.ledger.places[path] = node.place if isinstance(node, Scalar) else key_place
        if self.ledger.distrusted(path):
            return BAD
        if isinstance(kind, UnionType):
            return self._union(node, kind, path, key_place)
        if isinstance(node, Scalar) and is_empty(node):
            return self._refuse("file_value_missing", path, example=self._example(path))
        if isinstance(kind, StructType):
            return self._struct(node, kind, path)
        if isinstance(kind, VarTupleType):
            return self._listing(node, kind, path)
        if isinstance(kind, DictType):
            return self._dictionary(node, kind, path)
        if not isinstance(node, Scalar):
            return self._refuse("file_not_single", path)
        return self._scalar(node, kind, path)

    def _scalar(self, node: Scalar, kind: Type, path: Path) -> Any:
        if isinstance(kind, IntType):
            return self._integer(node, path)
        if isinstance(kind, BoolType):
            return read_boolean(node, path, self.ledger)
        if isinstance(kind, DateType):
            return read_date(node, path, self.ledger)
        if isinstance(kind, StrType):
            return read_text(node, path, self.ledger)
        assert isinstance(kind, LiteralType), f"no reader for {kind}"
        if node.text in kind.values:
            return node.text
        allowed = ", ".join(str(value) for value in kind.values)
        return self._refuse("file_not_choice", path, given=shorten(node.text), allowed=allowed)

    def _integer(self, node: Scalar, path: Path) -> Any:
        number = read_integer(node, path, self.ledger)
        bounds = integer_range(path)
        if isinstance(number, Bad) or bounds is None or bounds[0] <= number <= bounds[1]:
            return number
        if str(path[-1]).endswith("_fen"):
            return self._refuse(
                "file_amount_out_of_range",
                path,
                given=number,
                low=bounds[0],
                high=bounds[1],
                given_fen=number,
                high_fen=bounds[1],
            )
        return self._refuse("file_out_of_range", path, given=number, low=bounds[0], high=bounds[1])

    def _union(self, node: Node, kind: UnionType, path: Path, key_place: Place) -> Any:
        members = [t for t in kind.types if not isinstance(t, NoneType)]
        if len(members) < len(kind.types) and isinstance(node, Scalar) and is_empty(node):
            return None
        if len(members) == 1:
            return self.value(node, members[0], path, key_place)
        choices = {t.tag: t for t in members if isinstance(t, StructType)}
        assert len(choices) == len(members), f"no reader for {kind}"
        tag_field = next(iter(choices.values())).tag_field
        assert tag_field is not None
        allowed = ", ".join(str(tag) for tag in choices)
        if not isinstance(node, Mapping):
            return self._refuse("file_not_mapping", path, example=f"{tag_field}: {allowed.split(',')[0]}")
        if tag_field not in node.members:
            self.ledger.add("file_kind_missing", path, member=tag_field, allowed=allowed)
            self.ledger.distrust(path)
            return BAD
        tag = node.members[tag_field][1]
        chosen = choices.get(tag.text) if isinstance(tag, Scalar) else None
        if chosen is None:
            given = shorten(tag.text) if isinstance(tag, Scalar) else "[…]"
            self.ledger.add_at("file_not_choice", (*path, tag_field), tag.place, given=given, allowed=allowed)
            self.ledger.distrust(path)
            return BAD
        self.ledger.places[*path, tag_field] = tag.place
        return self._struct(node, chosen, path)

    def _struct(self, node: Node, kind: StructType, path: Path) -> Any:
        if not isinstance(node, Mapping):
            first = kind.fields[0].encode_name if kind.fields else "kind"
            return self._refuse("file_not_mapping", path, example=f"{first}: …")
        fields = {field.encode_name: field for field in kind.fields}
        given = {name: pair for name, pair in node.members.items() if name != kind.tag_field}
        absent = [field for name, field in fields.items() if name not in given and field.required]
        for name, (key, _) in given.items():
            if name not in fields:
                self._unknown(name, key.place, path, fields, absent, given)
        values: dict[str, Any] = {}
        for name, field in fields.items():
            if name in given:
                key, value = given[name]
                values[field.name] = self.value(value, field.type, (*path, name), key.place)
            elif field.required:
                values[field.name] = BAD
                self.ledger.distrust((*path, name))
                if field in absent:
                    self._absent(field, kind, path, node.place)
        return kind.cls(**values)

    def _absent(self, field: Field, kind: StructType, path: Path, place: Place) -> None:
        example = example_of(kind.cls.__name__, field.encode_name)
        at = self.ledger.places.get(path, place)
        self.ledger.add_at(
            "file_member_missing", (*path, field.encode_name), at, member=field.encode_name, example=example
        )

    def _unknown(
        self,
        name: str,
        place: Place,
        path: Path,
        fields: dict[str, Field],
        absent: list[Field],
        given: dict[str, Any],
    ) -> None:
        """Report an unknown member; one that misspells a missing member is reported once, as that."""
        free = [field for field in fields if field not in given]
        helpful = not self.ledger.full and len(name) <= _LONGEST_SLIP
        close = difflib.get_close_matches(name, free, n=1, cutoff=_CLOSE_ENOUGH) if helpful else []
        shown = shorten(name)
        if not close:
            allowed = ", ".join(free) or "-"
            self.ledger.add_at("file_member_unknown", (*path, shown), place, member=shown, allowed=allowed)
            return
        self.ledger.add_at("file_member_misspelt", (*path, shown), place, member=shown, suggestion=close[0])
        self.ledger.distrust((*path, close[0]))
        absent[:] = [field for field in absent if field.encode_name != close[0]]

    def _listing(self, node: Node, kind: VarTupleType, path: Path) -> Any:
        if not isinstance(node, Listing):
            return self._refuse("file_not_list", path, member=show_path(path[-1:]))
        limit = list_limit(path)
        if len(node.items) > limit:
            return self._refuse("file_list_too_long", path, count=len(node.items), limit=limit)
        return tuple(
            self.value(item, kind.item_type, (*path, i), item.place) for i, item in enumerate(node.items)
        )

    def _dictionary(self, node: Node, kind: DictType, path: Path) -> Any:
        if not isinstance(node, Mapping):
            return self._refuse("file_not_mapping", path, example=self._example(path))
        limit = list_limit(path)
        if len(node.members) > limit:
            return self._refuse("file_list_too_long", path, count=len(node.members), limit=limit)
        answer: dict[Any, Any] = {}
        for name, (key, value) in node.members.items():
            quoted = Scalar(key.place, key.text, plain=False)
            read_key = read_text(quoted, (*path, name), self.ledger)
            answer[read_key] = self.value(value, kind.value_type, (*path, name), key.place)
        return answer

    def _example(self, path: Path) -> str:
        names = [step for step in path if isinstance(step, str)]
        return example_of(None, names[-1]) if names else "…"

    def _refuse(self, code: str, path: Path, **facts: str | int) -> Any:
        self.ledger.add(code, path, **facts)
        self.ledger.distrust(path)
        return BAD
