"""The bench of the audit at a size that a test can wait for: nothing violated, no planted fault missed."""

import json
import shutil
from pathlib import Path

from tests.audit.bench import run, show
from tests.engines_fixture import scratch_directory


def test_the_bench_prints_its_figures_and_misses_no_fault() -> None:
    directory: Path = scratch_directory()
    try:
        figures = run(payments=2_000, new=100, rounds=1, faults=True, directory=directory)
    finally:
        shutil.rmtree(directory)
    assert (figures["violations"], figures["faults_missed"]) == (0, {})
    assert figures["seal_blocks"] > 0 and figures["transfers"] > 2_000
    assert set(figures["since_last"]["checks_ms"]) < set(figures["everything"]["checks_ms"])
    text = show(json.loads(json.dumps(figures)))
    assert "violations: 0; faults missed: none" in text and "payment_in_books, ms" in text
