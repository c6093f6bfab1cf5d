"""A table of merchants as offices keep it: CSV in UTF-8 (with or without mark) or GB18030, heads in Chinese or English.

Codes and numbers typed in full width are read as plain ones. Nothing here knows a database.
"""

import csv
import io
import unicodedata
from collections.abc import Mapping
from typing import Final, NamedTuple

from campaigns.domain.errors import Facts, Invalid

MAX_LINES = 10_000
FIRST_DATA_LINE = 2

HEADS: Final[Mapping[str, str]] = {
    "merchant": "商户编号", "name": "商户名称", "credit_code": "统一社会信用代码", "operator": "收单机构",
    "mcc": "商户类别码", "tags": "标签", "store": "门店编号", "store_name": "门店名称", "place": "地区代码",
    "zones": "专区", "scenario": "场景", "latitude_e6": "纬度", "longitude_e6": "经度", "terminal": "终端编号",
    "channel": "渠道",
}  # fmt: skip
OPTIONAL: Final = frozenset({"tags", "zones", "latitude_e6", "longitude_e6", "channel"})
_LISTS: Final = frozenset({"tags", "zones"})
_INTEGERS: Final = frozenset({"latitude_e6", "longitude_e6"})
_NAMES: Final = frozenset({"name", "store_name"})


class CsvProblem(NamedTuple):
    """What is wrong on a line of the file (the head is line 1)."""

    line: int
    column: str
    code: str
    facts: Facts


class Table(NamedTuple):
    """Rows as plain members, the first of them on line 2, and every problem of the text itself."""

    rows: list[dict[str, object]]
    problems: list[CsvProblem]


def read_csv(content: bytes) -> Table:
    """Take a file apart. Raises Invalid ``import_not_text`` and ``import_empty``; blank lines at the end are skipped."""
    try:
        lines = list(csv.reader(io.StringIO(_decode(content), newline="")))
    except csv.Error:  # a cell beyond the module's limit: a quote that never ends
        raise Invalid("import_not_text") from None
    while lines and not any(cell.strip() for cell in lines[-1]):
        lines.pop()
    if len(lines) < FIRST_DATA_LINE:
        raise Invalid("import_empty")
    if len(lines) > MAX_LINES + 1:
        raise Invalid("import_too_many", limit=MAX_LINES)
    head, problems = _head(lines[0])
    if problems:
        return Table([], problems)
    rows: list[dict[str, object]] = []
    for number, cells in enumerate(lines[1:], start=FIRST_DATA_LINE):
        if len(cells) != len(head):
            facts: Facts = {"found": len(cells), "wanted": len(head)}
            problems.append(CsvProblem(number, "", "import_cells", facts))
            continue
        row, wrong = _row(number, dict(zip(head, cells, strict=True)))
        rows.append(row)
        problems += wrong
    return Table(rows, problems)


def _decode(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Invalid("import_not_text")


def _head(cells: list[str]) -> tuple[list[str], list[CsvProblem]]:
    chinese = {zh: name for name, zh in HEADS.items()}
    head = [chinese.get(cell.strip(), cell.strip()) for cell in cells]
    problems = [
        CsvProblem(1, name, "import_column_unknown", {"column": name[:60], "allowed": ", ".join(HEADS)})
        for name in head
        if name not in HEADS
    ]
    problems += [
        CsvProblem(1, name, "import_column_missing", {"column": name})
        for name in HEADS
        if name not in head and name not in OPTIONAL
    ]
    if len(set(head)) < len(head) and not problems:
        doubled = next(name for name in head if head.count(name) > 1)
        problems.append(CsvProblem(1, doubled, "line_doubled", {"first_line": 1}))
    return head, problems


def _row(number: int, cells: dict[str, str]) -> tuple[dict[str, object], list[CsvProblem]]:
    row: dict[str, object] = {}
    problems: list[CsvProblem] = []
    for name, cell in cells.items():
        text = cell.strip() if name in _NAMES else unicodedata.normalize("NFKC", cell).strip()
        if name in _LISTS:
            parts = text.replace("、", ";").replace(",", ";").split(";")
            row[name] = [part.strip() for part in parts if part.strip()]
        elif name in _INTEGERS:
            if text and not (
                text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and len(text) < 11
            ):
                facts: Facts = {"column": name, "given": text[:60], "detail": "36289000"}
                problems.append(CsvProblem(number, name, "import_value", facts))
            elif text:
                row[name] = int(text)
        elif text or name not in OPTIONAL:
            row[name] = text
    return row, problems
