"""Many problems in one refusal: a definition's or an import's lines, carried as JSON in the fact ``problems``."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from campaigns.domain.codes import sentence
from campaigns.domain.errors import Facts, Invalid

MAX_PROBLEMS = 200


class Said(msgspec.Struct, frozen=True):
    """One problem as an answer carries it: where, its code, and what to do about it in both languages."""

    line: int
    column: int
    path: str
    code: str
    zh: str
    en: str


class LineProblem(NamedTuple):
    """What is wrong on a line of an import; ``path`` is the column or member."""

    line: int
    path: str
    code: str
    facts: Facts


def refuse_all(code: str, problems: Sequence[Said], *, column: int = 1) -> Invalid:
    """The one Invalid for ``problems`` (not empty): how many, the first in words, and the first 200 as JSON."""
    first = problems[0]
    shown = msgspec.json.encode(list(problems[:MAX_PROBLEMS])).decode()
    return Invalid(
        code, count=len(problems), line=first.line, first=first.code, first_zh=first.zh, first_en=first.en,
        problems=shown, column=column,
    )  # fmt: skip


def said(problem: LineProblem) -> Said:
    """Say a line's problem in both languages."""
    zh, en = (sentence(problem.code, problem.facts, language) for language in ("zh", "en"))
    return Said(problem.line, 1, problem.path, problem.code, zh, en)


def lines_invalid(code: str, problems: Sequence[LineProblem]) -> Invalid:
    """The one Invalid for problems of lines, in the order of the lines."""
    ordered = sorted(problems, key=lambda problem: problem.line)
    return refuse_all(code, [said(problem) for problem in ordered])
