"""Capture and refund over stacked lines: examples, bounds, and that splitting changes nothing."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from campaigns.domain.refunds import Line, amount_left, capture, refund
from campaigns.domain.terms.amount import amount
from campaigns.domain.terms.model import Percentage, SpendAndSave, Step, StoredValue, Terms
from tests.domain.decide_cases import stored

MANY = settings(max_examples=500, deadline=None)
STEP = Terms(benefit=SpendAndSave(steps=(Step(spend_fen=10_000, save_fen=3_000),)))
STEPS = Terms(
    benefit=SpendAndSave(
        steps=(Step(spend_fen=5_000, save_fen=1_000), Step(spend_fen=10_000, save_fen=3_000))
    )
)
TENTH = Terms(benefit=Percentage(basis_points=1_000, cap_fen=10_000))


def line(terms: Terms, held_fen: int, basket_fen: int = 10_000, **members: int) -> Line:
    return Line(
        **{
            "terms": terms,
            "eligible_fen": basket_fen,
            "available_fen": 20_000,
            "held_fen": held_fen,
            **members,
        }
    )


def captured(lines: Sequence[Line], basket_fen: int, captured_basket_fen: int) -> list[Line]:
    """The lines after capture, the rest of each hold returned."""
    parts_fen = capture(lines, basket_fen, captured_basket_fen)
    return [replace(one, captured_fen=fen, held_fen=0) for one, fen in zip(lines, parts_fen, strict=True)]


def returned(lines: Sequence[Line], basket_fen: int, kept_from_fen: int, cumulated_fen: int) -> list[Line]:
    """The lines after a refund that brings the returned goods to ``cumulated_fen``."""
    parts_fen = refund(lines, basket_fen, kept_from_fen, cumulated_fen)
    assert all(fen >= 0 for fen in parts_fen)
    return [
        replace(one, refunded_fen=one.refunded_fen + fen) for one, fen in zip(lines, parts_fen, strict=True)
    ]


@pytest.mark.parametrize(
    ("terms", "held_fen", "captured_basket_fen", "expected_fen"),
    [
        (stored(), 10_000, 10_000, 10_000),
        (stored(), 10_000, 6_000, 6_000),
        (stored(), 4_000, 6_000, 4_000),  # never more than is held
        (STEP, 3_000, 10_000, 3_000),
        (STEP, 3_000, 9_999, 0),
        (STEPS, 3_000, 9_999, 1_000),
        (STEPS, 3_000, 4_999, 0),
        (TENTH, 1_000, 5_555, 555),
        (stored(min_spend_fen=5_000), 10_000, 4_999, 0),
    ],
)
def test_capture_of_one_line(
    terms: Terms, held_fen: int, captured_basket_fen: int, expected_fen: int
) -> None:
    assert capture([line(terms, held_fen)], 10_000, captured_basket_fen) == (expected_fen,)


def test_capture_counts_missing_goods_as_eligible_first() -> None:
    """Basket 10,000 with 4,000 excluded: of 7,000 left, 3,000 count, unless the till says what stayed behind."""
    only = line(stored(), 6_000, eligible_fen=6_000)
    assert capture([only], 10_000, 7_000) == (3_000,)
    assert capture([replace(only, gone_excluded_fen=3_000)], 10_000, 7_000) == (6_000,)


def test_capture_takes_what_is_missing_from_the_last_line() -> None:
    lines = [
        line(stored(), 5_000, available_fen=5_000),
        line(TENTH, 1_000),
        line(stored(), 4_000, available_fen=4_000),
    ]
    assert capture(lines, 10_000, 10_000) == (5_000, 1_000, 4_000)
    assert capture(lines, 10_000, 8_000) == (5_000, 1_000, 2_000)
    assert capture(lines, 10_000, 5_500) == (5_000, 500, 0)


@pytest.mark.parametrize(
    ("terms", "subsidy_fen", "goods_fen", "expected_fen"),
    [
        (stored(), 10_000, 4_000, 4_000),
        (stored(), 6_000, 4_000, 0),  # 6,000 of goods are kept and still earn 6,000 of subsidy
        (STEP, 3_000, 1, 1),  # falls below the threshold, but gives back no more than the goods returned
        (STEP, 3_000, 2_999, 2_999),
        (STEP, 3_000, 3_000, 3_000),
        (STEP, 3_000, 9_000, 3_000),
        (STEPS, 3_000, 4_000, 2_000),
        (STEPS, 3_000, 5_000, 2_000),
        (STEPS, 3_000, 5_001, 3_000),
        (TENTH, 1_000, 5_000, 500),
        (TENTH, 1_000, 1, 1),
        (TENTH, 1_000, 11, 2),
    ],
)
def test_refund_of_one_line(terms: Terms, subsidy_fen: int, goods_fen: int, expected_fen: int) -> None:
    available_fen = subsidy_fen if isinstance(terms.benefit, StoredValue) else 20_000
    only = line(terms, 0, captured_fen=subsidy_fen, available_fen=available_fen)
    assert refund([only], 10_000, 10_000, goods_fen) == (expected_fen,)


def test_refund_moves_only_the_difference_to_the_last() -> None:
    lines = [line(STEPS, 0, captured_fen=3_000)]
    lines = returned(lines, 10_000, 10_000, 1_000)
    assert lines[0].refunded_fen == 1_000
    assert refund(lines, 10_000, 10_000, 1_000) == (0,)
    assert refund(lines, 10_000, 10_000, 6_000) == (2_000,)


def test_refund_after_a_smaller_capture_starts_from_the_captured_basket() -> None:
    """Held for 20,000, captured 12,000: goods worth 2,000 may come back before the threshold is lost."""
    lines = captured([line(STEP, 3_000, 20_000)], 20_000, 12_000)
    assert lines[0].captured_fen == 3_000
    assert refund(lines, 20_000, 12_000, 2_000) == (0,)
    assert refund(lines, 20_000, 12_000, 2_001) == (2_001,)
    assert refund(lines, 20_000, 12_000, 99_999) == (3_000,)


def test_refund_goes_back_to_the_last_line_first() -> None:
    lines = [line(stored(), 0, captured_fen=6_000, available_fen=6_000), line(STEP, 0, captured_fen=3_000)]
    lines = returned(lines, 10_000, 10_000, 2_000)
    assert [one.refunded_fen for one in lines] == [0, 2_000]
    lines = returned(lines, 10_000, 10_000, 5_000)
    assert [one.refunded_fen for one in lines] == [1_000, 3_000]
    lines = returned(lines, 10_000, 10_000, 10_000)
    assert [one.refunded_fen for one in lines] == [6_000, 3_000]


def test_refund_of_excluded_goods_gives_nothing_back() -> None:
    only = line(TENTH, 0, eligible_fen=6_000, captured_fen=600)
    assert refund([only], 10_000, 10_000, 4_000) == (400,)
    assert refund([replace(only, gone_excluded_fen=4_000)], 10_000, 10_000, 4_000) == (0,)
    assert refund([replace(only, gone_excluded_fen=4_000)], 10_000, 10_000, 5_000) == (100,)


def test_what_is_left_never_exceeds_the_goods_left() -> None:
    lines = [line(stored(), 5_000), line(stored(), 5_000)]
    assert amount_left(lines, 10_000, 0) == 10_000
    assert amount_left(lines, 10_000, 4_000) == 6_000
    assert amount_left(lines, 10_000, 10_000) == 0
    assert amount_left(lines, 10_000, 10_001) == 0


def test_a_line_starts_with_nothing_moved() -> None:
    fresh = Line(terms=stored(), eligible_fen=1, available_fen=1, held_fen=1)
    assert (fresh.captured_fen, fresh.refunded_fen, fresh.gone_excluded_fen) == (0, 0, 0)


BASKET_FEN = st.integers(1, 20_000)
STEP_LISTS = st.lists(
    st.tuples(st.integers(1, 20_000), st.integers(1, 20_000)).map(
        lambda pair: Step(spend_fen=max(pair), save_fen=min(pair))
    ),
    min_size=1,
    max_size=3,
)
SANE_TERMS = st.builds(
    Terms,
    benefit=st.one_of(
        st.just(StoredValue()),
        STEP_LISTS.map(lambda steps: SpendAndSave(steps=tuple(steps))),
        st.builds(Percentage, basis_points=st.integers(1, 10_000), cap_fen=st.integers(1, 20_000)),
    ),
    min_spend_fen=st.just(0) | st.integers(0, 15_000),
)


@st.composite
def authorizations(draw: st.DrawFn) -> tuple[int, list[Line]]:
    """A basket and one to three lines, cut at the basket from the last one as `stacking.choose` does."""
    basket_fen = draw(BASKET_FEN)
    rest_fen = basket_fen
    lines = []
    for terms in draw(st.lists(SANE_TERMS, min_size=1, max_size=3)):
        eligible_fen = draw(st.just(basket_fen) | st.integers(0, basket_fen))
        available_fen = draw(st.integers(1, 20_000))
        held_fen = min(rest_fen, amount(terms, eligible_fen, available_fen))
        rest_fen -= held_fen
        lines.append(
            Line(terms=terms, eligible_fen=eligible_fen, available_fen=available_fen, held_fen=held_fen)
        )
    return basket_fen, lines


@MANY
@given(authorizations(), st.data())
def test_capture_stays_within_the_holds(authorized: tuple[int, list[Line]], data: st.DataObject) -> None:
    basket_fen, lines = authorized
    kept_fen = data.draw(st.integers(0, basket_fen))
    parts_fen = capture(lines, basket_fen, kept_fen)
    assert all(0 <= fen <= one.held_fen for fen, one in zip(parts_fen, lines, strict=True))
    assert sum(parts_fen) <= kept_fen
    assert sum(parts_fen) == min(
        sum(one.held_fen for one in lines), amount_left(lines, basket_fen, basket_fen - kept_fen)
    )
    cut = [index for index, fen in enumerate(parts_fen) if fen < lines[index].held_fen]
    assert all(fen == 0 for fen in parts_fen[cut[0] + 1 :]) if cut else True
    assert capture(lines, basket_fen, basket_fen) == tuple(one.held_fen for one in lines)


@MANY
@given(authorizations(), st.data())
def test_refunds_are_cumulated_and_bounded(authorized: tuple[int, list[Line]], data: st.DataObject) -> None:
    basket_fen, lines = authorized
    kept_fen = data.draw(st.integers(1, basket_fen))
    paid = captured(lines, basket_fen, kept_fen)
    subsidy_fen = sum(one.captured_fen for one in paid)
    stops = sorted(data.draw(st.lists(st.integers(0, kept_fen), min_size=1, max_size=5)))
    now = paid
    for cumulated_fen in stops:
        now = returned(now, basket_fen, kept_fen, cumulated_fen)
        back_fen = sum(one.refunded_fen for one in now)
        still_fen = amount_left(paid, basket_fen, basket_fen - kept_fen + cumulated_fen)
        assert back_fen == min(subsidy_fen - still_fen, cumulated_fen)
        assert 0 <= back_fen <= min(subsidy_fen, cumulated_fen)
        assert all(one.refunded_fen <= one.captured_fen for one in now)
    assert now == returned(paid, basket_fen, kept_fen, stops[-1])
    everything = returned(now, basket_fen, kept_fen, kept_fen)
    assert [one.refunded_fen for one in everything] == [one.captured_fen for one in paid]


@MANY
@given(authorizations(), st.data())
def test_splitting_with_named_excluded_goods_changes_nothing(
    authorized: tuple[int, list[Line]], data: st.DataObject
) -> None:
    basket_fen, lines = authorized
    paid = captured(lines, basket_fen, basket_fen)
    cumulated_fen, named_fen, now = 0, 0, paid
    for _ in range(3):
        goods_fen = data.draw(st.integers(0, basket_fen - cumulated_fen))
        named_fen += data.draw(st.integers(0, goods_fen))
        cumulated_fen += goods_fen
        now = [replace(one, gone_excluded_fen=named_fen) for one in now]
        now = returned(now, basket_fen, basket_fen, cumulated_fen)
    at_once = [replace(one, gone_excluded_fen=named_fen) for one in paid]
    assert now == returned(at_once, basket_fen, basket_fen, cumulated_fen)


@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(-5, 5))
def test_odd_numbers_move_nothing_wrong(basket_fen: int, kept_fen: int, goods_fen: int) -> None:
    lines = [line(stored(), 2, 3, captured_fen=2)]
    assert 0 <= sum(capture(lines, basket_fen, kept_fen)) <= 2
    assert 0 <= sum(refund(lines, basket_fen, kept_fen, goods_fen)) <= 2
