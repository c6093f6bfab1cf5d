"""The table of a list campaign: a tier and a person on each line, the person by id or by proofs."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from campaigns.domain.csv_text import (
    FIRST_DATA_LINE,
    CsvProblem,
    cells_problem,
    plain,
    read_head,
    read_table,
)
from campaigns.domain.proofs import PROOF_KINDS

MAX_LINES = 1_000_000

HEADS: Final[Mapping[str, str]] = {
    "tier": "档次", "person_id": "市民编号", "phone": "手机号", "id_number": "身份证号", "social_card": "社保卡号",
}  # fmt: skip
OPTIONAL: Final = frozenset(HEADS) - {"tier"}


class ListTable(NamedTuple):
    """Rows as plain members of a list row, the first of them on line 2, and every problem of the text itself."""

    rows: list[dict[str, object]]
    problems: list[CsvProblem]


def read_list(content: bytes) -> ListTable:
    """Take a file apart. Raises Invalid ``import_not_text``, ``import_empty`` and ``import_too_many``."""
    first, lines = read_table(content, MAX_LINES)
    head, problems = read_head(first, HEADS, OPTIONAL)
    if problems:
        return ListTable([], problems)
    rows: list[dict[str, object]] = []
    for number, cells in enumerate(lines, start=FIRST_DATA_LINE):
        wrong = cells_problem(number, cells, head)
        if wrong is not None:
            problems.append(wrong)
            continue
        row = dict(zip(head, (plain(cell) for cell in cells), strict=True))
        proofs = [{"kind": kind, "value": row[kind]} for kind in PROOF_KINDS if row.get(kind)]
        rows.append({"tier": row["tier"], "person_id": row.get("person_id") or None, "proofs": proofs})
    return ListTable(rows, problems)
