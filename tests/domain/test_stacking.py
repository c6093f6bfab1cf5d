"""The choice of vouchers for one payment."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from campaigns.domain.codes.decide import CODES
from campaigns.domain.terms.facts import Allowed, Denial
from campaigns.domain.terms.stacking import MAX_LINES, Offer, choose, nearest, preference
from tests.domain.decide_cases import NOON, VOUCHER


def offer(number: int, amount_fen: int, stacking_class: str = "default", days: int = 5) -> Offer:
    return Offer(
        voucher=replace(VOUCHER, id=UUID(int=number), expires_at=NOON + timedelta(days=days)),
        stacking_class=stacking_class,
        allowed=Allowed(amount_fen=amount_fen, eligible_fen=10**9, available_fen=amount_fen, at=NOON),
    )


def paid(offers: list[Offer], basket_fen: int = 10**6) -> list[tuple[int, int]]:
    return [(one.offer.voucher.id.int, one.amount_fen) for one in choose(offers, basket_fen)]


def test_one_voucher_of_a_class() -> None:
    assert paid([]) == []
    assert paid([offer(1, 500), offer(2, 700), offer(3, 600)]) == [(2, 700)]


def test_equal_subsidies_take_the_earliest_expiry_then_the_lowest_id() -> None:
    assert paid([offer(1, 500, days=6), offer(2, 500, days=5), offer(3, 500, days=7)]) == [(2, 500)]
    assert paid([offer(3, 500), offer(1, 500), offer(2, 500)]) == [(1, 500)]
    assert paid([offer(1, 500, days=1), offer(2, 501, days=9)]) == [(2, 501)]


def test_the_three_classes_with_the_largest_subsidy() -> None:
    offers = [
        offer(1, 100, "a"),
        offer(2, 400, "b"),
        offer(3, 300, "c"),
        offer(4, 200, "d"),
        offer(5, 399, "b"),
    ]
    assert paid(offers) == [(2, 400), (3, 300), (4, 200)]


def test_equal_classes_follow_the_same_order() -> None:
    offers = [
        offer(4, 100, "a"),
        offer(3, 100, "b", days=9),
        offer(2, 100, "c", days=1),
        offer(1, 100, "d", days=9),
    ]
    assert paid(offers) == [(2, 100), (4, 100), (1, 100)]


def test_the_sum_is_cut_at_the_basket_from_the_last_line() -> None:
    offers = [offer(1, 400, "a"), offer(2, 300, "b"), offer(3, 200, "c")]
    assert paid(offers, 900) == [(1, 400), (2, 300), (3, 200)]
    assert paid(offers, 899) == [(1, 400), (2, 300), (3, 199)]
    assert paid(offers, 701) == [(1, 400), (2, 300), (3, 1)]
    assert paid(offers, 700) == [(1, 400), (2, 300)]
    assert paid(offers, 650) == [(1, 400), (2, 250)]
    assert paid(offers, 1) == [(1, 1)]
    assert paid(offers, 0) == []


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.builds(offer, st.integers(0, 99), st.integers(1, 500), st.sampled_from("abcd"), st.integers(1, 3)),
        max_size=9,
    ),
    st.integers(1, 2_000),
    st.randoms(use_true_random=False),
)
def test_the_choice_is_bounded_ordered_and_free_of_the_order_of_asking(offers, basket_fen, random) -> None:  # type: ignore[no-untyped-def]
    chosen = choose(offers, basket_fen)
    assert len(chosen) <= MAX_LINES == 3
    assert sum(one.amount_fen for one in chosen) <= basket_fen
    assert all(0 < one.amount_fen <= one.offer.allowed.amount_fen for one in chosen)
    assert all(one.amount_fen == one.offer.allowed.amount_fen for one in chosen[:-1])
    classes = [one.offer.stacking_class for one in chosen]
    assert len(set(classes)) == len(classes)
    assert [one.offer for one in chosen] == sorted((one.offer for one in chosen), key=preference)
    assert bool(chosen) == bool(offers)
    ids = {one.voucher.id: one for one in offers}
    distinct = list(ids.values())
    shuffled = random.sample(distinct, len(distinct))
    assert choose(distinct, basket_fen) == choose(shuffled, basket_fen)


def test_the_nearest_refusal_is_told() -> None:
    early, late, latest = (
        Denial(code=code, facts={}, at=NOON)
        for code in ("window_over", "below_minimum_spend", "cap_reached_person_day")
    )
    assert nearest([]) is None
    assert nearest([early]) is early
    assert nearest([late, early]) is late
    assert nearest([early, latest, late]) is latest
    twin = Denial(code="window_over", facts={"ends": "x"}, at=NOON)
    assert nearest([twin, early]) is twin


def test_every_refusal_has_a_place_in_the_order() -> None:
    assert all(nearest([Denial(code=code, facts={}, at=NOON)]) for code in CODES)
