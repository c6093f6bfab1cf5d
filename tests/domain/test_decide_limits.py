"""Rules of `decide` about the holder, uses, minimum spend, benefit, most per use and caps."""

import pytest

from campaigns.domain.terms.facts import Allowed, Denial, Holder, Used
from campaigns.domain.terms.model import Cap, Percentage, SpendAndSave, Step, Terms
from tests.domain.decide_cases import ask, code, given, items, local, stored

STEPS = SpendAndSave(steps=(Step(spend_fen=5_000, save_fen=1_000), Step(spend_fen=10_000, save_fen=3_000)))
TENTH = Percentage(basis_points=1_000, cap_fen=2_000)


@pytest.mark.parametrize(
    ("required", "bound", "expected"),
    [
        ((), (), "ok"),
        (("icbc",), (), "wallet_operator_required"),
        (("icbc",), ("boc",), "wallet_operator_required"),
        (("icbc", "abc"), ("boc", "abc"), "ok"),
    ],
)
def test_wallet_operator(required: tuple[str, ...], bound: tuple[str, ...], expected: str) -> None:
    assert (
        code(ask(stored(wallet_operators=required), holder=Holder(wallet_operators=frozenset(bound))))
        == expected
    )


@pytest.mark.parametrize(
    ("first_only", "bought_before", "expected"),
    [(True, True, "first_purchase_only"), (True, False, "ok"), (False, True, "ok")],
)
def test_first_purchase(first_only: bool, bought_before: bool, expected: str) -> None:
    terms = stored(first_purchase=first_only)
    assert code(ask(terms, holder=Holder(bought_before=bought_before))) == expected


@pytest.mark.parametrize(
    ("most", "uses", "expected"),
    [
        (None, 10_000, "ok"),
        (1, 0, "ok"),
        (1, 1, "uses_exhausted"),
        (3, 2, "ok"),
        (3, 3, "uses_exhausted"),
        (3, 4, "uses_exhausted"),
    ],
)
def test_number_of_uses(most: int | None, uses: int, expected: str) -> None:
    assert code(ask(stored(max_uses=most), voucher={"uses": uses})) == expected


@pytest.mark.parametrize(
    ("basket_fen", "expected"),
    [(4_999, "below_minimum_spend"), (5_000, "ok")],
)
def test_minimum_spend(basket_fen: int, expected: str) -> None:
    assert code(ask(stored(min_spend_fen=5_000), purchase={"basket_fen": basket_fen})) == expected


def test_minimum_spend_counts_eligible_goods_only() -> None:
    terms = stored(min_spend_fen=5_000)
    assert given(ask(terms, purchase={"items": items(tobacco=5_000)})) == 5_000
    decision = ask(terms, purchase={"items": items(tobacco=5_001)})
    assert isinstance(decision, Denial)
    assert (decision.code, decision.facts) == (
        "below_minimum_spend",
        {"minimum_fen": 5_000, "eligible_fen": 4_999},
    )


@pytest.mark.parametrize(
    ("basket_fen", "balance_fen", "expected_fen"),
    [
        (1, 20_000, 1),
        (10_000, 20_000, 10_000),
        (20_000, 20_000, 20_000),
        (30_000, 20_000, 20_000),
        (30_000, 1, 1),
    ],
)
def test_stored_value(basket_fen: int, balance_fen: int, expected_fen: int) -> None:
    decision = ask(purchase={"basket_fen": basket_fen}, voucher={"balance_fen": balance_fen})
    assert isinstance(decision, Allowed)
    assert (decision.amount_fen, decision.eligible_fen, decision.available_fen) == (
        expected_fen,
        basket_fen,
        balance_fen,
    )


@pytest.mark.parametrize("balance_fen", [0, -1])
def test_an_empty_voucher(balance_fen: int) -> None:
    assert code(ask(voucher={"balance_fen": balance_fen})) == "balance_too_small"


@pytest.mark.parametrize(
    ("basket_fen", "balance_fen", "expected"),
    [
        (4_999, 20_000, "below_minimum_spend"),
        (5_000, 20_000, 1_000),
        (9_999, 20_000, 1_000),
        (10_000, 20_000, 3_000),
        (99_999, 20_000, 3_000),
        (10_000, 3_000, 3_000),
        (10_000, 2_999, 1_000),  # the highest step the balance covers whole
        (10_000, 1_000, 1_000),
        (10_000, 999, "balance_too_small"),
    ],
)
def test_spend_and_save(basket_fen: int, balance_fen: int, expected: int | str) -> None:
    decision = ask(
        Terms(benefit=STEPS), purchase={"basket_fen": basket_fen}, voucher={"balance_fen": balance_fen}
    )
    assert (decision.amount_fen if isinstance(decision, Allowed) else decision.code) == expected


def test_the_lowest_step_is_a_minimum_spend() -> None:
    decision = ask(Terms(benefit=STEPS), purchase={"basket_fen": 4_999})
    assert isinstance(decision, Denial)
    assert decision.facts["minimum_fen"] == 5_000
    higher = ask(Terms(benefit=STEPS, min_spend_fen=6_000), purchase={"basket_fen": 5_999})
    assert isinstance(higher, Denial)
    assert higher.facts["minimum_fen"] == 6_000


@pytest.mark.parametrize(
    ("basket_fen", "balance_fen", "expected"),
    [
        (9, 20_000, "nothing_to_pay"),  # nine tenths of a fen
        (10, 20_000, 1),
        (19, 20_000, 1),
        (9_999, 20_000, 999),
        (20_000, 20_000, 2_000),
        (20_010, 20_000, 2_000),
        (10_000, 700, 700),
    ],
)
def test_percentage_is_rounded_down_and_capped(
    basket_fen: int, balance_fen: int, expected: int | str
) -> None:
    decision = ask(
        Terms(benefit=TENTH), purchase={"basket_fen": basket_fen}, voucher={"balance_fen": balance_fen}
    )
    assert (decision.amount_fen if isinstance(decision, Allowed) else decision.code) == expected


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (stored(max_per_use_fen=1_500), 1_500),
        (stored(max_per_use_fen=10_001), 10_000),
        (Terms(benefit=TENTH, max_per_use_fen=999), 999),
        (Terms(benefit=STEPS, max_per_use_fen=2_999), 1_000),
        (Terms(benefit=STEPS, max_per_use_fen=999), "most_per_use_too_small"),
        (stored(max_per_use_fen=0), "most_per_use_too_small"),
    ],
)
def test_most_per_use(terms: Terms, expected: int | str) -> None:
    decision = ask(terms)
    assert (decision.amount_fen if isinstance(decision, Allowed) else decision.code) == expected


def test_most_per_use_never_exceeds_the_balance() -> None:
    decision = ask(stored(max_per_use_fen=1_500), voucher={"balance_fen": 700})
    assert isinstance(decision, Allowed)
    assert (decision.amount_fen, decision.available_fen) == (700, 700)


def test_most_per_use_is_what_the_line_keeps_as_available() -> None:
    decision = ask(stored(max_per_use_fen=1_500))
    assert isinstance(decision, Allowed)
    assert decision.available_fen == 1_500


SCOPES = ("person", "merchant", "person_merchant", "campaign")
PERIODS = ("day", "week", "month", "whole")


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("period", PERIODS)
def test_cap_on_uses(scope: str, period: str) -> None:
    terms = stored(caps=(Cap(scope=scope, period=period, uses=2),))
    assert given(ask(terms, used=(Used(uses=1, amount_fen=10**9),))) == 10_000
    for uses in (2, 3):
        assert code(ask(terms, used=(Used(uses=uses),))) == f"cap_reached_{scope}_{period}"


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize(
    ("terms", "full_fen"),
    [(stored(), 10_000), (Terms(benefit=Percentage(basis_points=5_000, cap_fen=9_999)), 5_000)],
)
def test_cap_on_fen_cuts_to_what_remains(scope: str, period: str, terms: Terms, full_fen: int) -> None:
    capped = Terms(benefit=terms.benefit, caps=(Cap(scope=scope, period=period, amount_fen=12_000),))
    for used_fen, expected in [
        (0, full_fen),
        (12_000 - full_fen, full_fen),
        (12_001 - full_fen, full_fen - 1),
        (11_999, 1),
    ]:
        assert given(ask(capped, used=(Used(uses=99, amount_fen=used_fen),))) == expected
    for used_fen in (12_000, 12_001):
        assert code(ask(capped, used=(Used(amount_fen=used_fen),))) == f"cap_reached_{scope}_{period}"


def test_cap_on_fen_gives_a_whole_step_or_none() -> None:
    terms = Terms(benefit=STEPS, caps=(Cap(scope="person", period="day", amount_fen=5_000),))
    assert given(ask(terms, used=(Used(amount_fen=2_000),))) == 3_000
    assert given(ask(terms, used=(Used(amount_fen=2_001),))) == 1_000
    assert given(ask(terms, used=(Used(amount_fen=4_000),))) == 1_000
    assert code(ask(terms, used=(Used(amount_fen=4_001),))) == "cap_reached_person_day"


def test_every_cap_is_asked_and_the_tightest_cuts() -> None:
    terms = stored(
        caps=(
            Cap(scope="person", period="day", amount_fen=9_000),
            Cap(scope="merchant", period="week", amount_fen=8_000, uses=5),
            Cap(scope="campaign", period="whole", amount_fen=50_000),
        )
    )
    decision = ask(terms, used=(Used(), Used(amount_fen=1_000, uses=4), Used()))
    assert isinstance(decision, Allowed)
    assert (decision.amount_fen, decision.available_fen) == (7_000, 7_000)
    assert code(ask(terms, used=(Used(), Used(uses=5), Used()))) == "cap_reached_merchant_week"
    assert code(ask(terms, used=(Used(), Used(), Used(amount_fen=50_000)))) == "cap_reached_campaign_whole"


def test_a_cap_without_its_usage_counts_as_reached() -> None:
    caps = (Cap(scope="person", period="day", uses=2), Cap(scope="campaign", period="month", uses=2))
    assert code(ask(stored(caps=caps), used=(Used(),))) == "cap_reached_campaign_month"
    assert code(ask(stored(caps=caps), used=(Used(), Used()))) == "ok"


@pytest.mark.parametrize(
    ("period", "again_on"),
    [("day", "2020-10-15"), ("week", "2020-10-19"), ("month", "2020-11-01"), ("whole", None)],
)
def test_a_reached_cap_tells_when_it_is_free_again(period: str, again_on: str | None) -> None:
    terms = stored(caps=(Cap(scope="person", period=period, uses=1),))
    decision = ask(terms, at=local("2020-10-14 23:59"), used=(Used(uses=1),))
    assert isinstance(decision, Denial)
    assert decision.facts == {"limit_uses": 1, "limit_fen": None, "again_on": again_on}
