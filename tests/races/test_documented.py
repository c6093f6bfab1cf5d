"""The table of limits in docs/payments.md: its keys are in the database, its races are here, each with a control."""

import re
from pathlib import Path

import pytest

from tests.docs.tables import rows

HERE = Path(__file__).parent
CONSTRAINTS = HERE.parent / "store" / "constraints.txt"
HEADS = {"payments.md": "limit", "payments.zh.md": "限额"}

documents = pytest.mark.parametrize("document", sorted(HEADS))


def named(cell: str) -> set[str]:
    return set(re.findall(r"[a-z0-9_]+", cell))


@documents
def test_every_key_of_the_table_is_in_the_database(document: str) -> None:
    kept = named(CONSTRAINTS.read_text(encoding="utf-8"))
    keys = {key for row in rows(document, HEADS[document]) for key in named(row[2])}
    assert len(keys) > 10 and keys <= kept


@documents
def test_every_race_is_in_the_table_and_has_a_control(document: str) -> None:
    told = {race for row in rows(document, HEADS[document]) for race in named(row[3])}
    there = {file.stem: file.read_text(encoding="utf-8") for file in HERE.glob("test_*.py")}
    del there[Path(__file__).stem]
    assert told == there.keys()
    assert all("async def test_control_" in text for text in there.values())
