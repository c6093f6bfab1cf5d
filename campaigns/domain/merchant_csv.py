"""A table of merchants, a line per till.

Codes and numbers typed in full width are read as plain ones. Nothing here knows a database.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from campaigns.domain.csv_text import FIRST_DATA_LINE, CsvProblem, cells_problem, plain, read_head, read_table
from campaigns.domain.errors import Facts

MAX_LINES = 10_000

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


class Table(NamedTuple):
    """Rows as plain members, the first of them on line 2, and every problem of the text itself."""

    rows: list[dict[str, object]]
    problems: list[CsvProblem]


def read_csv(content: bytes) -> Table:
    """Take a file apart. Raises Invalid ``import_not_text``, ``import_empty`` and ``import_too_many``."""
    first, lines = read_table(content, MAX_LINES)
    head, problems = read_head(first, HEADS, OPTIONAL)
    if problems:
        return Table([], problems)
    rows: list[dict[str, object]] = []
    for number, cells in enumerate(lines, start=FIRST_DATA_LINE):
        wrong_cells = cells_problem(number, cells, head)
        if wrong_cells is not None:
            problems.append(wrong_cells)
            continue
        row, wrong = _row(number, dict(zip(head, cells, strict=True)))
        rows.append(row)
        problems += wrong
    return Table(rows, problems)


def _row(number: int, cells: dict[str, str]) -> tuple[dict[str, object], list[CsvProblem]]:
    row: dict[str, object] = {}
    problems: list[CsvProblem] = []
    for name, cell in cells.items():
        text = cell.strip() if name in _NAMES else plain(cell)
        if name in _LISTS:
            parts = text.replace("、", ";").replace(",", ";").split(";")
            row[name] = [part.strip() for part in parts if part.strip()]
        elif name in _INTEGERS:
            if text and not (
                text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and len(text) < 11
            ):
                facts: Facts = {"column": name, "given": text[:60], "detail": "36289000 (= 36.289°)"}
                problems.append(CsvProblem(number, name, "import_value", facts))
            elif text:
                row[name] = int(text)
        elif text or name not in OPTIONAL:
            row[name] = text
    return row, problems
