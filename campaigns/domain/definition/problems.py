"""What is wrong with a campaign file: where it stands, which code says it, and the facts of its sentence."""

from collections.abc import Iterable
from typing import NamedTuple

from campaigns.domain.codes import sentence
from campaigns.domain.definition.characters import printable
from campaigns.domain.errors import Fact, Facts

MAX_PROBLEMS = 200
MAX_NOTED = 2_000  # beyond it problems are counted, no longer kept
MAX_SHOWN = 400

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """A position in a file, both numbers counted from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """One thing that is wrong. ``path`` reads like ``issuing.tiers[0].count``; empty for the file as a whole."""

    code: str
    path: str
    line: int
    column: int
    facts: Facts

    def say(self, language: str) -> str:
        """What is wrong and what to write instead, in ``zh`` or ``en``."""
        return sentence(self.code, self.facts, language)


def show_path(path: Path) -> str:
    """Write a path as people read it: ``("issuing", "tiers", 0)`` is ``issuing.tiers[0]``."""
    shown = ""
    for step in path:
        if isinstance(step, int):
            shown += f"[{step}]"
        else:
            shown += f".{step}" if shown else step
    return shown


class Ledger:
    """Collects problems, knows where every member stands and which parts of the file are sound."""

    def __init__(self) -> None:
        self.places: dict[Path, Place] = {(): Place(1, 1)}
        self._bad: set[Path] = set()
        self._broken_above: set[Path] = set()
        self._beyond = 0
        self._problems: dict[tuple[str, str, int, int], Problem] = {}

    def add(self, code: str, path: Path, /, **facts: Fact) -> None:
        """Note a problem of the member at ``path``, where that member (or what should hold it) stands."""
        self.add_at(code, path, self._find(path), **facts)

    def add_at(self, code: str, path: Path, place: Place, /, **facts: Fact) -> None:
        """Note a problem of the member at ``path`` that stands at ``place``."""
        if len(self._problems) >= MAX_NOTED:
            self._beyond += 1
            return
        clean = {
            name: printable(fact, MAX_SHOWN) if isinstance(fact, str) else fact
            for name, fact in facts.items()
        }
        shown = printable(show_path(path), MAX_SHOWN)
        problem = Problem(code, shown, place.line, place.column, clean)
        self._problems.setdefault((code, shown, place.line, place.column), problem)

    def distrust(self, path: Path) -> None:
        """Say that the value at ``path`` could not be read, so that no check builds on it."""
        self._bad.add(path)
        for length in range(len(path) + 1):
            self._broken_above.add(path[:length])

    @property
    def full(self) -> bool:
        """Whether so much is wrong already that no further help is worth its cost."""
        return len(self._problems) >= MAX_NOTED

    def distrusted(self, path: Path) -> bool:
        """Whether the very value at ``path`` was refused already, so that nobody complains about it twice."""
        return path in self._bad

    def sound(self, *paths: Path) -> bool:
        """Whether every value at these paths, all that it holds and all that holds it could be read."""
        return not any(
            path in self._broken_above or any(path[:n] in self._bad for n in range(len(path) + 1))
            for path in paths
        )

    def problems(self) -> tuple[Problem, ...]:
        """All problems in the order of the file, at most `MAX_PROBLEMS`; the last then says how many follow."""
        found = sorted(self._problems.values(), key=lambda p: (p.line, p.column, p.path, p.code))
        if len(found) <= MAX_PROBLEMS:
            return tuple(found)
        shown, rest = found[: MAX_PROBLEMS - 1], found[MAX_PROBLEMS - 1 :]
        more = Problem(
            "file_more_problems", "", rest[0].line, rest[0].column, {"count": len(rest) + self._beyond}
        )
        return (*shown, more)

    def _find(self, path: Path) -> Place:
        while path not in self.places:
            path = path[:-1]
        return self.places[path]


def codes_of(problems: Iterable[Problem]) -> list[str]:
    """The codes alone, in order: what tests and programs compare."""
    return [problem.code for problem in problems]
