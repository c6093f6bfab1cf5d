"""Small demonstrations from the command line: whole, shown again, killed and resumed, and with a promise not kept."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.demo.folder import Folder
from api.demo.journal import Answer, Journal
from api.demo.memory import family, pss_mb
from campaigns.domain.codes.decide import CODES
from campaigns.domain.ids import new_id

SCALE = "0.05"
WAIT_SECONDS = 110
COMMAND = (sys.executable, "-c", "from api.cli import main; main()", "demo", "--exit", "--scale", SCALE)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A demonstration that ran through, and its figures."""
    place = tmp_path_factory.mktemp("whole") / "demo"
    done = _run(place)
    yield place, _figures(done, place)
    Folder(place).remove()


def _run(place: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    command = [*COMMAND, "--data-dir", str(place), "--json", str(place) + ".json", "--language", "en", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)


def _figures(done: "subprocess.CompletedProcess[str]", place: Path) -> dict[str, Any]:
    assert done.returncode == 0, done.stdout + done.stderr
    figures: dict[str, Any] = json.loads(Path(str(place) + ".json").read_text())
    return figures


@pytest.mark.timeout(2 * WAIT_SECONDS)
def test_a_small_demonstration_runs_through(whole: tuple[Path, dict[str, Any]]) -> None:
    place, figures = whole
    assert figures["violations"] == 0 and figures["invariants_checked"]
    assert figures["entries"] == 1_500 and figures["winners"] == 150
    assert figures["accepted"] > 130 and figures["accepted_untried"] == 0
    assert figures["payments"] > 200 and figures["acknowledgements"] > figures["payments"]
    assert len(figures["refusal_codes"]) >= 8 and set(figures["refusal_codes"]) <= set(CODES)
    assert figures["refused"] == sum(figures["refusal_codes"].values()) < 0.05 * figures["attempts"]
    assert figures["spent_fen"] > 0 and figures["payments_per_second"] > 0 and figures["peak_mb"] > 50
    assert sum(figures["seconds_by_stage"].values()) <= figures["seconds_total"]
    assert "<html" in (place / "report.html").read_text()


@pytest.mark.timeout(2 * WAIT_SECONDS)
def test_a_killed_demonstration_goes_on_where_it_was(
    whole: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    place = tmp_path / "demo"
    try:
        pids = _killed_at(place, "payments", 40)
        assert _run(place, "--seed", "2").returncode == 1, "another seed is another demonstration"
        figures = _figures(_run(place), place)
        assert figures["resumed"] and figures["violations"] == 0
        for name in ("plan_sha256", "entries_sha256", "winners_sha256", "accepted", "payments"):
            assert figures[name] == whole[1][name], name
        assert not [pid for pid in pids if pss_mb([pid]) > 0], "nothing is left running"
    finally:
        Folder(place).remove()


def _killed_at(place: Path, stage: str, percent: int) -> set[int]:
    """Start a demonstration and kill it in the middle; answers the processes it had."""
    command = [*COMMAND, "--data-dir", str(place), "--progress-json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            event = json.loads(line)
            if event.get("stage") == stage and percent <= event["percent"] < 100:
                pids = family([running.pid, event["pids"]["supervisor"]])
                os.kill(event["pids"]["demo"], signal.SIGKILL)
                return pids
    pytest.fail(f"the demonstration never came to {percent}% of {stage}")


@pytest.mark.timeout(2 * WAIT_SECONDS)
def test_a_promise_that_the_books_do_not_bear_out_is_a_violation(
    whole: tuple[Path, dict[str, Any]],
) -> None:
    place, figures = whole
    path = place / "run" / "journal.jsonl"
    kept = path.read_bytes()
    with Journal(path) as journal:
        entry = next(iter(journal.answers.values())).entry
        lie = Answer(
            op="lie", number=1, key="lie", status=201, kind="redeem", entry=entry, payment=str(new_id())
        )
        journal.write(lie)
    try:
        done = _run(place)
    finally:
        path.write_bytes(kept)
    assert done.returncode == 1 and "no such payment" in done.stdout
    told = json.loads(Path(str(place) + ".json").read_text())
    assert told["violations"] == told["acknowledgements_lost"] == 1
    assert told["plan_sha256"] == figures["plan_sha256"]
