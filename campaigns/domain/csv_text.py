"""Tables as offices keep them: CSV in UTF-8 (with or without mark) or GB18030, heads in Chinese or English."""

import csv
import io
import unicodedata
from collections.abc import Collection, Mapping
from typing import NamedTuple

from campaigns.domain.errors import Facts, Invalid

FIRST_DATA_LINE = 2


class CsvProblem(NamedTuple):
    """What is wrong on a line of the file (the head is line 1)."""

    line: int
    column: str
    code: str
    facts: Facts


def read_table(content: bytes, most_lines: int) -> tuple[list[str], list[list[str]]]:
    """The head and the lines below it; blank lines at the end are skipped.

    Raises Invalid ``import_not_text``, ``import_empty``, ``import_too_many``.
    """
    try:
        lines = list(csv.reader(io.StringIO(_decode(content), newline="")))
    except csv.Error:  # a cell beyond the module's limit: a quote that never ends
        raise Invalid("import_not_text") from None
    while lines and not any(cell.strip() for cell in lines[-1]):
        lines.pop()
    if len(lines) < FIRST_DATA_LINE:
        raise Invalid("import_empty")
    if len(lines) > most_lines + 1:
        raise Invalid("import_too_many", limit=most_lines)
    return lines[0], lines[1:]


def read_head(
    cells: list[str], heads: Mapping[str, str], optional: Collection[str]
) -> tuple[list[str], list[CsvProblem]]:
    """Column names of a head written in English or Chinese, and what is wrong with it."""
    chinese = {zh: name for name, zh in heads.items()}
    head = [chinese.get(cell.strip(), cell.strip()) for cell in cells]
    problems = [
        CsvProblem(1, name, "import_column_unknown", {"column": name[:60], "allowed": ", ".join(heads)})
        for name in head
        if name not in heads
    ]
    problems += [
        CsvProblem(1, name, "import_column_missing", {"column": name})
        for name in heads
        if name not in head and name not in optional
    ]
    if len(set(head)) < len(head) and not problems:
        doubled = next(name for name in head if head.count(name) > 1)
        problems.append(CsvProblem(1, doubled, "line_doubled", {"first_line": 1}))
    return head, problems


def cells_problem(number: int, cells: list[str], head: list[str]) -> CsvProblem | None:
    """A line with more or fewer cells than the head."""
    if len(cells) == len(head):
        return None
    return CsvProblem(number, "", "import_cells", {"found": len(cells), "wanted": len(head)})


def plain(cell: str) -> str:
    """A code or number as meant: full-width characters made plain, no blanks around."""
    return unicodedata.normalize("NFKC", cell).strip()


def _decode(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Invalid("import_not_text")
