"""The plan of a demonstration is a pure function of seed, file and winners, and provokes what it should."""

from collections import Counter
from datetime import datetime
from random import Random

import msgspec
import pytest

from api.demo.behaviour import load_behaviour, moment, names
from api.demo.holder_plan import Winner, World
from api.demo.plan import ACCEPT, REFUND, Step, by_slot, chains, read_plan, write_plan
from api.demo.planning import plan_substitutes, plan_winners
from api.demo.residents import Resident, residents
from api.demo.scale import campaign_source
from api.demo.shops import LABEL, make_shops
from campaigns.domain.codes.decide import CODES
from campaigns.domain.definition.model import Definition
from campaigns.domain.definition.plan import issue_plan
from campaigns.domain.windows import parse_window, zone_of
from campaigns.services.campaign_source import load_definition

BEHAVIOUR = load_behaviour("pingyin")
ZONE = zone_of("Asia/Shanghai")
FACES = (10_000, 6_000, 4_200, 3_300)


def _definition(scale: float = 1.0) -> Definition:
    return load_definition(campaign_source(BEHAVIOUR.campaign, scale))


def _everybody(seed: int, count: int = 3_000) -> list[Resident]:
    window = _definition().windows.registration
    assert window is not None
    return residents(BEHAVIOUR, seed, count, *parse_window(window.start, window.end, ZONE), ZONE)


def _world(seed: int) -> World:
    definition = _definition()
    window = definition.windows.spending
    tills = make_shops(BEHAVIOUR, seed, 100, ("bank-a", "bank-b")).tills
    return World(
        BEHAVIOUR, seed, definition.terms, ZONE, *parse_window(window.start, window.end, ZONE), tills
    )


def _winners(seed: int, count: int = 3_000) -> list[Winner]:
    award, until = (moment(text, ZONE) for text in (BEHAVIOUR.timeline.award, "2023-10-16 18:00"))
    return [
        Winner(one.code, FACES[number % 4], one.accept_if_won, award, until)
        for number, one in enumerate(_everybody(seed, count))
    ]


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    return plan_winners(_world(1), _winners(1))


def test_every_demonstration_has_a_file_that_fits() -> None:
    assert names() == ("pingyin",)
    assert load_behaviour("pingyin").entries == 30_000


def test_one_seed_gives_one_plan_whatever_the_order(steps: list[Step]) -> None:
    winners = _winners(1)
    Random(7).shuffle(winners)
    assert write_plan(plan_winners(_world(1), winners)) == write_plan(steps)
    assert write_plan(plan_winners(_world(2), _winners(2))) != write_plan(steps)


def test_the_plan_is_read_as_it_was_written(steps: list[Step]) -> None:
    assert read_plan(write_plan(steps), ZONE) == sorted(steps)


def test_residents_come_in_order_within_the_window_under_one_code_each() -> None:
    everybody = _everybody(3)
    assert everybody == _everybody(3) and everybody != _everybody(4)
    times = [one.at for one in everybody]
    assert times == sorted(times)
    assert moment("2023-10-09 09:00", ZONE) <= times[0] and times[-1] < moment("2023-10-13 18:00", ZONE)
    assert len({one.code for one in everybody}) == len({one.phone for one in everybody}) == 3_000


def test_refusals_are_of_many_codes_at_least_100_and_below_5_percent(steps: list[Step]) -> None:
    attempts = [step for step in steps if step.pays]
    codes = Counter(step.expected for step in attempts if step.expected)
    assert set(codes) <= set(CODES) and len(codes) >= 8
    assert 100 <= codes.total() < 0.05 * len(attempts)


def test_everybody_who_accepts_tries_to_pay(steps: list[Step]) -> None:
    accepting = {w.entry for w in _winners(1) if w.ticked} | {s.entry for s in steps if s.kind == ACCEPT}
    assert {step.entry for step in steps if step.pays} == accepting
    assert len(accepting) > 0.9 * 3_000


def test_nobody_pays_before_accepting_and_returns_follow_their_payment(steps: list[Step]) -> None:
    accepted: dict[str, datetime] = {s.entry: s.slot for s in steps if s.kind == ACCEPT}
    paid = {(s.entry, s.number): s for s in steps if s.pays}
    for step in steps:
        if step.pays and step.entry in accepted:
            assert step.slot > accepted[step.entry]
        if step.kind == REFUND:
            bought = paid[step.entry, step.of]
            assert bought.slot < step.slot and 0 < step.then_fen <= bought.basket_fen


def test_a_holder_comes_once_at_a_time(steps: list[Step]) -> None:
    for part in by_slot(steps).values():
        for chain in chains(part):
            assert [step.number for step in chain] == sorted(step.number for step in chain)
            assert len({step.entry for step in chain}) == 1


def test_substitutes_accept_after_they_were_called_in() -> None:
    called = moment(BEHAVIOUR.timeline.substitutes, ZONE)
    until = moment("2023-10-19 00:00", ZONE)
    winners = [w._replace(since=called, until=until) for w in _winners(5, 200)]
    steps = plan_substitutes(_world(5), winners)
    assert steps and all(step.slot > called for step in steps)
    assert all(step.slot < until for step in steps if step.kind == ACCEPT)


@pytest.mark.parametrize("scale", [0.02, 0.05, 0.3, 1.0])
def test_a_smaller_campaign_is_of_the_same_shape(scale: float) -> None:
    plan, whole = issue_plan(_definition(scale)), issue_plan(_definition())
    assert [tier.tier_id for tier in plan.tiers] == [tier.tier_id for tier in whole.tiers]
    assert plan.count == pytest.approx(whole.count * scale, rel=0.1)


def test_shops_hold_those_that_do_not_fit() -> None:
    shops = make_shops(BEHAVIOUR, 1, 100, ("bank-a", "bank-b"))
    assert shops == make_shops(BEHAVIOUR, 1, 100, ("bank-a", "bank-b"))
    assert len({row.merchant for row in shops.rows}) == 100
    kinds = Counter(till.kind for till in shops.tills if till.terminal.endswith("-1"))
    assert kinds == {"listed": 92, "not_listed": 3, "outside": 2, "other_scenario": 3}
    assert sum(LABEL not in row.tags for row in shops.rows) == 3


def test_a_behaviour_file_with_an_unknown_member_is_refused() -> None:
    plain = msgspec.to_builtins(BEHAVIOUR)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(plain | {"charm": 1}, type(BEHAVIOUR))
