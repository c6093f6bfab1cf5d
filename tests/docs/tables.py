"""Tables of Markdown documents, read for tests."""

from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def rows(document: str, *head: str) -> list[list[str]]:
    """The rows of every table in docs/``document`` whose first columns are ``head``, without their back-ticks."""
    found: list[list[str]] = []
    inside = False
    for line in (DOCS / document).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif tuple(cells[: len(head)]) == head:
            inside = True
        elif inside and set("".join(cells)) - set("-: "):
            found.append(cells)
    assert found, f"no table {head} in {document}"
    return found
