"""docs/errors.md, the table of codes and the sources say the same."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from campaigns.domain.codes import CODES, sentence
from campaigns.domain.codes.__main__ import document

ROOT = Path(__file__).parents[2]
RAISED = {"Refused", "Denied", "Invalid", "TryAgain", "Broken", "Denial", "LineProblem"}
TABLE = ROOT / "campaigns/domain/codes"
# These list codes for their readers; that alone makes none reachable.
NOT_A_USE = (TABLE, ROOT / "api/routes", ROOT / "api/openapi.py", ROOT / "api/demo", ROOT / "api/report")
# The only codes put together from parts; any other f-string is no code.
COMPOSED = ("cap_reached_", "file_")


def _sources() -> Iterator[tuple[Path, ast.Module]]:
    for room in ("campaigns", "api", "lottery"):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def _raised(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED):
            continue
        named = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        place = 2 if node.func.id == "LineProblem" else 0
        for value in named or node.args[place : place + 1]:
            if isinstance(value, ast.Constant):
                yield node.lineno, value.value


def _texts(tree: ast.Module) -> Iterator[str]:
    """Every text in the code that is not a docstring; an f-string as a pattern with ``*`` for its holes."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values]
            yield "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_the_document_is_the_table() -> None:
    assert (ROOT / "docs/errors.md").read_text(encoding="utf-8") == document()


def test_every_code_that_is_raised_stands_in_the_table() -> None:
    unknown = [
        f"{path.relative_to(ROOT)}:{line}: {code}"
        for path, tree in _sources()
        for line, code in _raised(tree)
        if code not in CODES
    ]
    assert not unknown


def test_every_code_of_the_table_is_used() -> None:
    used: set[str] = set()
    for path, tree in _sources():
        if not any(path.is_relative_to(place) for place in NOT_A_USE):
            used |= set(_texts(tree))
    patterns = [
        re.compile(re.escape(text).replace(r"\*", "[a-z0-9_]+"))
        for text in used
        if text.startswith(COMPOSED) and "*" in text
    ]
    dead = [code for code in CODES if code not in used and not any(one.fullmatch(code) for one in patterns)]
    assert not dead


def _placeholders(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name is not None]


def test_no_sentence_has_an_unnamed_or_formatted_placeholder() -> None:
    for code, meaning in CODES.items():
        for template in (meaning.zh, meaning.en):
            for _, name, spec, conversion in Formatter().parse(template):
                assert name is None or (name.isidentifier() and not spec and conversion is None), code


# A fact that exists in each language once: the other language's sentence uses its twin.
_TWINS = re.compile(r"_(zh|en)$")
_ENGLISH_TWIN = {"detail_zh": "detail"}


def _language_free(template: str) -> set[str]:
    names = {_ENGLISH_TWIN.get(name, name) for name in _placeholders(template)}
    return {_TWINS.sub("", name) for name in names}


@pytest.mark.parametrize("code", CODES)
def test_both_languages_tell_the_same_facts(code: str) -> None:
    assert _language_free(CODES[code].zh) == _language_free(CODES[code].en)


@pytest.mark.parametrize("code", [code for code, meaning in CODES.items() if "_fen}" in meaning.en])
def test_money_in_a_sentence_is_shown_as_money(code: str) -> None:
    names = [name for name in _placeholders(CODES[code].en) if name.endswith("_fen")]
    facts = dict.fromkeys(names, 123450)
    for language in ("zh", "en"):
        said = sentence(code, facts, language)
        assert said.count("¥1,234.50") == len(names) and "123450" not in said
