"""What is shown and written of a run: a line for each round, a table by fault, the same as JSON."""

import os
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from rich.console import Console

from tests.crash.history import NOTHING, OK, REFUSED, UNKNOWN
from tests.crash.rounds import Outcome
from tests.crash.violations import Violation

VIOLATIONS_SHOWN = 10
FAULT_WIDTH, CELL_WIDTH = 23, 11
_HEADS = {"fault": "FAULT", "times": "TIMES", "median_seconds": "MEDIAN S", "max_seconds": "MAX S", OK: "OK",
          REFUSED: "REFUSED", NOTHING: "NOTHING", UNKNOWN: "UNKNOWN", "violations": "VIOLATIONS"}  # fmt: skip


def line_of(outcome: Outcome) -> str:
    """A round in one line."""
    said = " ".join(
        f"{one.fault} back after {one.seconds:.2f} s{f' ({one.note})' if one.note else ''}"
        for one in outcome.recoveries
    )
    counted = " ".join(f"{name} {number}" for name, number in outcome.operations.items())
    return (
        f"round {outcome.number} seed {outcome.seed}: {said}; {counted};"
        f" violations {len(outcome.violations)}; {outcome.seconds:.1f} s"
    )


def show_violations(console: Console, violations: Sequence[Violation]) -> None:
    """The first of them, whole."""
    for violation in violations[:VIOLATIONS_SHOWN]:
        console.print(
            f"  {violation.name}: {violation.what}",
            style="red",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    if len(violations) > VIOLATIONS_SHOWN:
        console.print(f"  and {len(violations) - VIOLATIONS_SHOWN} more", style="red")


def by_fault(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """A row for each fault: rounds, recovery, and the operations of the rounds it was played in."""
    rows = []
    for fault in dict.fromkeys(one.fault for outcome in outcomes for one in outcome.recoveries):
        played = [o for o in outcomes if any(one.fault == fault for one in o.recoveries)]
        seconds = [one.seconds for o in played for one in o.recoveries if one.fault == fault]
        counted: Counter[str] = sum((o.operations for o in played), Counter())
        rows.append(
            {"fault": fault, "times": len(seconds), "median_seconds": round(median(seconds), 2),
             "max_seconds": round(max(seconds), 2), **{name: counted[name] for name in (OK, REFUSED, NOTHING, UNKNOWN)},
             "violations": sum(len(o.violations) for o in played)}
        )  # fmt: skip
    return sorted(rows, key=lambda row: str(row["fault"]))


def show_table(console: Console, outcomes: Sequence[Outcome]) -> None:
    """The table by fault."""
    for row in (dict(_HEADS), *by_fault(outcomes)):
        cells = [f"{value:,}" if isinstance(value, int) else str(value) for value in row.values()]
        line = "".join(cell.rjust(CELL_WIDTH) for cell in cells[1:])
        console.print(cells[0].ljust(FAULT_WIDTH) + line, highlight=False, markup=False, soft_wrap=True)


def facts(
    what: str, seed: int, outcomes: Sequence[Outcome], late: Sequence[Violation], seconds: float
) -> dict[str, Any]:
    """The run as JSON: the sums, the table, and every round."""
    counted: Counter[str] = sum((outcome.operations for outcome in outcomes), Counter())
    violations = [*(v for outcome in outcomes for v in outcome.violations), *late]
    return {
        "what": what, "seed": seed, "cpus": os.cpu_count(), "seconds": round(seconds, 1), "rounds": len(outcomes),
        "faults": sum(len(outcome.recoveries) for outcome in outcomes),
        "operations": {name: counted[name] for name in (OK, REFUSED, NOTHING, UNKNOWN)},
        "violations": len(violations), "by_fault": by_fault(outcomes),
        "found": [list(violation) for violation in violations],
        "each": [
            {"round": o.number, "seed": o.seed, "seconds": round(o.seconds, 2), "parts": o.parts, "machine_load": o.machine_load,
             "recoveries": [{"fault": r.fault, "seconds": r.seconds, "note": r.note} for r in o.recoveries],
             "operations": dict(o.operations), "violations": len(o.violations)}
            for o in outcomes
        ],
    }  # fmt: skip
