"""A small demonstration survives the kill of PostgreSQL in the payments and its own in the freeze."""

from pathlib import Path

import pytest

from tests.demo_kill.evidence import told_in
from tests.demo_kill.moments import DEMO, NAMES, POSTGRES, moments
from tests.demo_kill.processes import end_all, homes_of, places
from tests.demo_kill.trial import JOURNAL, NEXT_RUN, SAME_RUN, Asked, Ended, Trial
from tests.demo_kill.verdict import judge

SCALE = 0.02
SEED = 7
STAGES = (
    "engines", "server", "office", "campaign", "merchants", "registration", "freeze", "draw", "payments",
    "expiry", "close", "report", "audit",
)  # fmt: skip


@pytest.fixture
def data_dir(tmp_path: Path):
    place = tmp_path / "demo"
    yield place
    end_all(places(place))


def _trial(target: str, names: tuple[str, ...], data_dir: Path) -> Ended:
    asked = Asked(target, moments(names, "smoke", {}), data_dir, SCALE, SEED, STAGES)
    return Trial(asked, lambda kill: None).run()


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("target", "moment", "outcome"), [(POSTGRES, "50", SAME_RUN), (DEMO, "freeze", NEXT_RUN)]
)
def test_a_killed_part_comes_back_and_nothing_is_lost(
    target: str, moment: str, outcome: str, data_dir: Path
) -> None:
    ended = _trial(target, (moment,), data_dir)
    assert [kill.outcome for kill in ended.kills] == [outcome]
    assert ended.figures["resumed"] is (outcome == NEXT_RUN)
    verdict = judge(ended, data_dir, {})
    assert verdict.failures == []
    assert verdict.violations == 0 and verdict.found == verdict.told > 0
    assert not data_dir.exists() and homes_of(data_dir) == []


def test_the_same_seed_gives_the_same_moments() -> None:
    seconds = {"freeze": 1.0, "draw": 0.8, "close": 0.01}
    chosen = moments(NAMES, "1|demo", seconds)
    assert chosen == moments(NAMES, "1|demo", seconds) != moments(NAMES, "2|demo", seconds)
    assert [moment.name for moment in chosen] == list(NAMES)
    assert all(moment.delay_seconds <= 0.5 for moment in chosen)


def test_a_line_that_a_kill_cut_off_was_not_told(tmp_path: Path) -> None:
    journal = tmp_path / JOURNAL.name
    answer = (
        '{"what":"answer","op":"E-1","number":1,"key":"k","status":201,"kind":"redeem","entry":"E",'
        '"payment":"p1","refund":"","amount_fen":100,"code":"","final":true}\n'
    )
    journal.write_text(answer + answer[:40])
    assert list(told_in(journal).done) == ["E-1"]
    other = answer.replace("p1", "p2").replace('"number":1', '"number":2')
    journal.write_text(answer + other)
    assert told_in(journal).differing == ["E-1 was answered twice, differently"]
