"""What a campaign file's plan means for the draw: groups, strata, deadlines, substitutes."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from campaigns.domain.definition.load import load
from campaigns.domain.definition.model import Definition
from campaigns.domain.draw_plan import draw_rules, first_deadline, first_waiting, stratum_of
from lottery.core.rules import format_rules, parse_rules
from tests.support.campaign_files import draw_file, moments
from tests.support.draw_world import FILE

NOW = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)
START, END = NOW, NOW + timedelta(days=7)


def definition() -> Definition:
    source = FILE.format(
        programme="test", code="test-draw", t=moments(NOW), budget_fen=29_001, gold=10, quota=6, rest=4, waitlist=7,
        sources='    - {kind: rehearsal, due: "2026-01-06 13:00"}',
    )  # fmt: skip
    loaded = load(source.encode())
    assert loaded.definition is not None, loaded.problems
    return loaded.definition


def test_groups_follow_the_tiers_and_their_quotas() -> None:
    rules = draw_rules(definition())
    assert [(g.name, g.stratum, g.capacity, g.amount_fen) for g in rules.groups] == [
        ("gold", "370124", 6, 2_000),
        ("gold", "370102", 4, 2_000),
        ("luck", "*", 5, None),
    ]
    split = rules.groups[2].split
    assert split is not None and (split.total, split.count, split.low, split.high) == (5_000, 5, 500, 2_000)
    assert (rules.waitlist, rules.spill, rules.rounds) == (7, "none", 1)
    assert parse_rules(format_rules(rules)) == rules


@pytest.mark.parametrize(
    ("place", "stratum"),
    [
        ("370124", "370124"),
        ("370124001", "370124"),
        ("370124001000", "370124"),
        ("370102", "370102"),
        ("3701", None),
        ("370103", None),
        ("37", None),
        ("abc", None),
        ("３７０１２４", None),
    ],
)
def test_a_stratum_is_the_quota_place_that_holds_the_entrant(place: str, stratum: str | None) -> None:
    assert stratum_of(definition(), place) == stratum


def test_without_quotas_the_own_place_is_the_stratum() -> None:
    loaded = load(draw_file(NOW).encode())
    assert loaded.definition is not None
    assert stratum_of(loaded.definition, "370124001") == "370124001"
    assert stratum_of(loaded.definition, "370102") is None
    open_to_all = msgspec.structs.replace(loaded.definition, places=("37",))
    assert stratum_of(open_to_all, "370102") == "370102"


@pytest.mark.parametrize(
    ("published", "waitlist", "deadline"),
    [
        (START - timedelta(days=1), 0, END),
        (START - timedelta(days=1), 1, START + timedelta(days=3, hours=12)),
        (START + timedelta(days=1), 5, START + timedelta(days=4)),
        (END - timedelta(minutes=3), 5, END - timedelta(minutes=2)),
        (END - timedelta(minutes=1), 5, END),
    ],
)
def test_with_a_waitlist_winners_have_half_the_window(
    published: datetime, waitlist: int, deadline: datetime
) -> None:
    assert first_deadline(published, START, END, waitlist) == deadline


def test_the_first_waiting_of_the_group_takes_its_place() -> None:
    waiting = [(16, "a"), (17, "b"), (20, "a")]
    assert first_waiting(waiting, "*") == 16
    assert first_waiting(waiting, "b") == 17
    assert first_waiting(waiting, "c") is None
    assert first_waiting([], "*") is None
