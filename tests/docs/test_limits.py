"""docs/limits.md names each limit with the value that its constant has and that something keeps, and leaves none out."""

import ast
import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from tests.docs.tables import rows

ROOT = Path(__file__).parents[2]
LIMITS = rows("limits.md", "limit", "value", "where")
_PLACE = re.compile(r'([\w/]+)\.py:([A-Z_0-9]+)(?:\["(\w+)"\](?:\[(\d)\]|\.(\w+))?)?')
# Rooms whose limits a user, operator or integrator meets. The formats of the draw name theirs in docs of their own.
ROOMS = ("campaigns/domain", "campaigns/gate", "campaigns/services", "campaigns/store", "api")
APART = ("api/cli", "api/demo", "api/report")
_NAMED = re.compile(r"(MAX|MOST)_[A-Z_0-9]+|[A-Z_0-9]+_MAX")
# Derived or beyond reach: bounds behind an earlier limit of the table.
BEHIND = {
    "api/exchange.py:MOST_LENGTH",
    "campaigns/domain/calendar.py:MAX_DAYS",
    "campaigns/domain/windows.py:MAX_VALID_DAYS",
    "campaigns/gate/valkey.py:MAX_CONNECTIONS",
}


def _value(place: str) -> object:
    found = _PLACE.fullmatch(place)
    assert found, place
    file, name, key, index, part = found.groups()
    value = getattr(import_module(file.replace("/", ".")), name)
    if key is not None:
        value = value[key]
    if index is not None:
        value = value[int(index)]
    return value if part is None else getattr(value, part)


@pytest.mark.parametrize("row", LIMITS, ids=lambda row: row[0])
def test_a_limit_has_the_value_its_constant_has(row: list[str]) -> None:
    _, shown, places, beyond = row
    number = re.match(r"[\d,]+", shown)
    assert number and beyond
    for place in places.split(", "):
        assert _value(place) == int(number[0].replace(",", "")), place


def test_every_named_limit_is_documented() -> None:
    listed = {place.split("[")[0] for row in LIMITS for place in row[2].split(", ")}
    missing = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            file = str(path.relative_to(ROOT))
            if file.startswith(APART):
                continue
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                targets = node.targets if isinstance(node, ast.Assign) else []
                for target in [node.target] if isinstance(node, ast.AnnAssign) else targets:
                    if isinstance(target, ast.Name) and _NAMED.fullmatch(target.id):
                        missing.append(f"{file}:{target.id}")
    undocumented = sorted(set(missing) - listed - BEHIND)
    assert not undocumented, "say in docs/limits.md what happens beyond these"


def test_every_documented_limit_is_kept_somewhere() -> None:
    product = "".join(
        path.read_text(encoding="utf-8")
        for room in (*ROOMS, "campaigns/runtime", "lottery")
        for path in (ROOT / room).rglob("*.py")
    )
    words = Counter(re.findall(r"\w+", product))
    names = {
        place.split(":")[1].split("[")[0].split(".")[0] for row in LIMITS for place in row[2].split(", ")
    }
    assert [name for name in sorted(names) if words[name] < 2] == [], "defined, documented and never asked"
