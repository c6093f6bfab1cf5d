"""From the text of a campaign file to a `Definition`, or to every problem in it at once."""

from typing import NamedTuple

import msgspec

from campaigns.domain.definition.check import check
from campaigns.domain.definition.model import Definition
from campaigns.domain.definition.nodes import parse
from campaigns.domain.definition.problems import Ledger, Problem
from campaigns.domain.definition.shape import read
from campaigns.domain.errors import Invalid


class Loaded(NamedTuple):
    """Either a definition without problems, or problems without a definition."""

    definition: Definition | None
    problems: tuple[Problem, ...]


def load(source: bytes | str) -> Loaded:
    """Read a campaign file (YAML, UTF-8). Never raises for what the file says: every problem is in the answer.

    Members that cannot be read do not stop the others from being checked; only a file that is no YAML does.
    """
    ledger = Ledger()
    root = parse(source, ledger)
    if root is None:
        return Loaded(None, ledger.problems())
    draft = read(root, Definition, ledger)
    if isinstance(draft, Definition):
        check(draft, ledger)
    problems = ledger.problems()
    if problems:
        return Loaded(None, problems)
    return Loaded(from_plain(to_plain(draft)), ())


def load_or_raise(source: bytes | str) -> Definition:
    """Read a campaign file. Raises Invalid ``definition_invalid`` with the count and the first problem."""
    definition, problems = load(source)
    if definition is None:
        first = problems[0]
        raise Invalid(
            "definition_invalid",
            count=len(problems),
            line=first.line,
            column=first.column,
            first=first.code,
            first_zh=first.say("zh"),
            first_en=first.say("en"),
        )
    return definition


def to_plain(definition: Definition) -> object:
    """The definition as JSON data: what is stored with a version of a campaign."""
    return msgspec.to_builtins(definition)


def from_plain(plain: object) -> Definition:
    """Read back what `to_plain` wrote, strictly. Raises `msgspec.ValidationError` for anything else."""
    return msgspec.convert(plain, Definition, strict=True)
