"""What must be found after a trial: the figures, the acknowledgements, nothing left over."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from campaigns.runtime.engines.clean import clean
from tests.demo_kill.evidence import compare, told_in
from tests.demo_kill.processes import end_all, homes_of, leftovers, places
from tests.demo_kill.trial import JOURNAL, Ended

EQUAL = (
    "entries_sha256",
    "winners_sha256",
    "plan_sha256",
    "entries",
    "winners",
    "accepted",
    "payments",
    "spent_fen",
)
DIFFERENCES_SHOWN = 10


@dataclass
class Verdict:
    """``told`` acknowledgements, ``found`` of them in the database; ``failures`` say what is not as promised."""

    violations: int = -1
    told: int = 0
    found: int = 0
    failures: list[str] = field(default_factory=list)


def judge(ended: Ended, data_dir: Path, undisturbed: Mapping[str, Any]) -> Verdict:
    """Check everything, and take the data away where all is well. The same demonstration ``undisturbed`` is the measure."""
    verdict = Verdict(failures=list(ended.failures))
    to = tuple(sorted(ended.places | set(places(data_dir))))
    verdict.failures += leftovers(to, set())
    if ended.figures:
        _figures(verdict, ended.figures, undisturbed)
        _acknowledgements(verdict, ended, data_dir)
        verdict.failures += leftovers(to, set())
    if verdict.failures:
        end_all(to)
        return verdict
    clean(data_dir)
    shutil.rmtree(data_dir)
    verdict.failures += leftovers(to, ended.postmasters) + homes_of(data_dir)
    verdict.failures += [f"directory {place}" for place in to if Path(place).exists()]
    return verdict


def _figures(verdict: Verdict, figures: Mapping[str, Any], undisturbed: Mapping[str, Any]) -> None:
    verdict.violations = figures["violations"]
    if figures["violations"]:
        verdict.failures.append(f"violations: {figures['violations']}")
    if figures["accepted_untried"]:
        verdict.failures.append(f"accepted packets never tried: {figures['accepted_untried']}")
    for name in EQUAL:
        if undisturbed and figures[name] != undisturbed[name]:
            verdict.failures.append(f"{name} is {figures[name]}, undisturbed {undisturbed[name]}")


def _acknowledgements(verdict: Verdict, ended: Ended, data_dir: Path) -> None:
    told = told_in(data_dir / JOURNAL)
    found = asyncio.run(compare(data_dir, told))
    verdict.told, verdict.found = found.told, found.found
    verdict.failures += found.differences[:DIFFERENCES_SHOWN]
    if found.told != ended.figures["acknowledgements"]:
        verdict.failures.append(
            f"the demonstration checked {ended.figures['acknowledgements']} of {found.told}"
        )
    for kill in ended.kills:
        if gone := kill.told - told.done.keys():
            verdict.failures.append(
                f"{kill.moment}: {len(gone)} acknowledgements left the journal after the kill"
            )
