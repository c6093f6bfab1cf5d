"""`make bench-pay --quick`: every contestant, every figure, nothing left behind."""

import json
from pathlib import Path

import pytest

from tests.loadtests.conftest import Command

FIGURES = {
    "echo_rps", "redeem_rps", "bsql_rps", "borm_rps", "connections", "p99_ms_at_70pct", "rows_per_payment", "fsync_us",
    "server_cpu", "driver_cpu", "rounds", "violations", "of_echo", "times_bsql", "times_borm", "two_of_one", "two_processes_cpu",
}  # fmt: skip


@pytest.mark.timeout(300)
def test_a_quick_benchmark_measures_everything(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    said = command.run("loadtests.bench", ["--quick", "--search", "0.3", "--json", file])
    figures = json.loads(file.read_text())
    assert figures.keys() >= FIGURES
    assert all(
        figures[name] is not None and figures[name] != 0 for name in FIGURES - {"violations", "driver_cpu"}
    ), said
    assert figures["violations"] == 0 and figures["audits"] == 2
    assert 6.5 <= figures["rows_per_payment"] <= 9 and "interrupted" not in said
    assert set(figures["connections"]) == {"echo", "hongbao", "bsql", "borm"}
    assert set(figures["latency_ms_at_70pct"]) == {"p50", "p90", "p99", "p99.9"}
    assert command.left() == []
