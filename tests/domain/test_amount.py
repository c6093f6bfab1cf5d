"""The amount function and the eligible part of a basket."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.domain.terms.amount import amount, eligible_after, excluded_amount, minimum_spend
from campaigns.domain.terms.model import Percentage, SpendAndSave, Step, StoredValue, Terms
from tests.domain.decide_cases import items, stored
from tests.domain.decide_strategies import BENEFITS, MONEY_FEN

MANY = settings(max_examples=500, deadline=None)
MONEY_TERMS = st.builds(Terms, benefit=BENEFITS, min_spend_fen=st.just(0) | MONEY_FEN)
STEPS = Terms(
    benefit=SpendAndSave(steps=(Step(spend_fen=100, save_fen=30), Step(spend_fen=200, save_fen=70)))
)


@MANY
@given(MONEY_TERMS, MONEY_FEN, st.integers(0, 10_000), MONEY_FEN)
def test_never_falls_as_the_basket_grows(
    terms: Terms, eligible_fen: int, more_fen: int, available_fen: int
) -> None:
    assert amount(terms, eligible_fen, available_fen) <= amount(terms, eligible_fen + more_fen, available_fen)


@MANY
@given(MONEY_TERMS, MONEY_FEN, MONEY_FEN, st.integers(0, 10_000))
def test_never_falls_as_more_is_available(
    terms: Terms, eligible_fen: int, available_fen: int, more_fen: int
) -> None:
    assert amount(terms, eligible_fen, available_fen) <= amount(terms, eligible_fen, available_fen + more_fen)


@MANY
@given(MONEY_TERMS, MONEY_FEN, MONEY_FEN)
def test_stays_within_both_operands(terms: Terms, eligible_fen: int, available_fen: int) -> None:
    assert 0 <= amount(terms, eligible_fen, available_fen) <= max(0, min(eligible_fen, available_fen))


@pytest.mark.parametrize(
    ("terms", "eligible_fen", "available_fen", "expected_fen"),
    [
        (stored(), 100, 60, 60),
        (stored(), 60, 100, 60),
        (stored(min_spend_fen=61), 60, 100, 0),
        (stored(min_spend_fen=60), 60, 100, 60),
        (STEPS, 99, 100, 0),
        (STEPS, 100, 100, 30),
        (STEPS, 199, 100, 30),
        (STEPS, 200, 100, 70),
        (STEPS, 200, 70, 70),
        (STEPS, 200, 69, 30),
        (STEPS, 200, 29, 0),
        (Terms(benefit=SpendAndSave(steps=(Step(spend_fen=10, save_fen=1),))), 10, 10, 1),
        (Terms(benefit=SpendAndSave(steps=(Step(spend_fen=10, save_fen=-1),))), 10, 10, 0),
        (Terms(benefit=Percentage(basis_points=3_333, cap_fen=50)), 100, 100, 33),
        (Terms(benefit=Percentage(basis_points=3_333, cap_fen=50)), 3, 100, 0),
        (Terms(benefit=Percentage(basis_points=3_333, cap_fen=50)), 1_000, 100, 50),
        (Terms(benefit=Percentage(basis_points=3_333, cap_fen=50)), 1_000, 49, 49),
        (Terms(benefit=Percentage(basis_points=10_000, cap_fen=500)), 123, 500, 123),
    ],
)
def test_amounts(terms: Terms, eligible_fen: int, available_fen: int, expected_fen: int) -> None:
    assert amount(terms, eligible_fen, available_fen) == expected_fen


def test_steps_in_any_order_give_the_highest_saving() -> None:
    assert isinstance(STEPS.benefit, SpendAndSave)
    turned = Terms(benefit=SpendAndSave(steps=STEPS.benefit.steps[::-1]))
    assert amount(turned, 250, 100) == 70


def test_minimum_spend() -> None:
    assert minimum_spend(stored()) == 0
    assert minimum_spend(stored(min_spend_fen=7)) == 7
    assert minimum_spend(STEPS) == 100
    assert minimum_spend(Terms(benefit=STEPS.benefit, min_spend_fen=101)) == 101
    assert minimum_spend(Terms(benefit=SpendAndSave(steps=()))) == 0


def test_excluded_amount() -> None:
    basket = items(tobacco=5, lottery=3, food=100)
    assert excluded_amount(basket, {"tobacco", "lottery"}) == 8
    assert excluded_amount(basket, set()) == 0
    assert excluded_amount(items(tobacco=-5), {"tobacco"}) == 0


@pytest.mark.parametrize(
    ("returned_fen", "returned_excluded_fen", "left_fen"),
    [
        (0, 0, 60),
        (1, 0, 59),  # goods count as eligible first
        (60, 0, 0),
        (100, 0, 0),
        (40, 40, 60),  # known to be excluded
        (50, 40, 50),
        (50, 99, 50),  # no more excluded goods than the basket held
        (10, 40, 60),
        (10, -5, 50),
        (-10, 0, 60),
    ],
)
def test_eligible_part_after_a_return(returned_fen: int, returned_excluded_fen: int, left_fen: int) -> None:
    assert eligible_after(100, 60, returned_fen, returned_excluded_fen) == left_fen


def test_stored_value_is_the_smaller_operand() -> None:
    assert amount(Terms(benefit=StoredValue()), 1, 1) == 1
