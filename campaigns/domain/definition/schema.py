"""The JSON Schema (2020-12) of a campaign file, for editors: titles, descriptions, examples and limits in place.

It is derived from the typed model; `members` adds the words and `limits` the numbers. What spans several members
(windows in order, shares that add up) only `hongbao campaign validate` can tell.
"""

from typing import Any

import msgspec
import yaml

from campaigns.domain.definition.limits import LISTS, MAX_LIST, RANGES, RANGES_INSIDE
from campaigns.domain.definition.members import MEMBERS
from campaigns.domain.definition.model import Definition
from campaigns.domain.definition.scalars import MAX_TEXT
from campaigns.domain.scenarios import spendable_ids

SCHEMA_ID = "urn:hongbao:campaign:1"

_LOCAL_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$"
_PLACE = "^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9})$"
_ID = "^[a-z0-9][a-z0-9-]{0,39}$"
_PATTERNS: dict[str, str] = {
    "start": _LOCAL_TIME,
    "end": _LOCAL_TIME,
    "due": _LOCAL_TIME,
    "at": _LOCAL_TIME,
    "place": _PLACE,
    "programme": _ID,
    "code": _ID,
    "id": _ID,
    "stacking_class": "^[a-z0-9][a-z0-9_-]{0,31}$",
}
_ITEM_PATTERNS: dict[str, str] = {
    "places": _PLACE,
    "mcc": "^[0-9]{4}$",
    "hours": "^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$",
    "wallet_operators": _ID,
    "excluded_categories": _ID,
}
_NOT_EMPTY = frozenset(
    {"tiers", "sources", "openings", "funders", "custody_operators", "steps", "weekdays", "channels"}
)
# Caps live in a list of that name; every other amount has one range.
_INSIDE = {"Cap": "caps"}


def json_schema() -> dict[str, Any]:
    """The whole schema as JSON data."""
    schema: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(Definition)))
    for struct, described in schema["$defs"].items():
        described.pop("description", None)
        for member, rules in described.get("properties", {}).items():
            _enrich(struct, member, rules)
    schema["$defs"]["Definition"]["properties"]["places"]["minItems"] = 1
    schema["$defs"]["Definition"]["properties"]["scenario"]["enum"] = list(spendable_ids())
    schema["$defs"]["Terms"]["properties"]["scenarios"]["items"]["enum"] = list(spendable_ids())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "hongbao campaign / 消费券活动",
        **schema,
    }


def _enrich(struct: str, member: str, rules: dict[str, Any]) -> None:
    help_ = MEMBERS.get(struct, {}).get(member)
    if help_ is not None:
        rules["title"] = help_.zh
        rules["description"] = help_.en
        rules["examples"] = [_example(help_.example)]
    for kind in [rules, *rules.get("anyOf", [])]:
        if kind.get("type") == "integer":
            inside = (_INSIDE.get(struct, ""), member)
            bounds = RANGES_INSIDE.get(inside) or RANGES[member]
            kind["minimum"], kind["maximum"] = bounds
        if kind.get("type") == "string":
            kind["maxLength"] = MAX_TEXT
            if member in _PATTERNS:
                kind["pattern"] = _PATTERNS[member]
        if kind.get("type") == "array":
            kind["maxItems"] = LISTS.get(member, MAX_LIST)
            if member in _NOT_EMPTY:
                kind["minItems"] = 1
            if member in _ITEM_PATTERNS:
                kind["items"]["pattern"] = _ITEM_PATTERNS[member]
            elif kind["items"].get("type") == "string" and kind["items"].get("format") != "date":
                kind["items"]["maxLength"] = MAX_TEXT


def _example(text: str) -> Any:
    """An example as data; YAML's own dates become text again."""
    return msgspec.to_builtins(yaml.safe_load(text))
