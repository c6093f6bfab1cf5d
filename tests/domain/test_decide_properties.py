"""What holds for every question to `decide`."""

from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from campaigns.domain.codes import sentence
from campaigns.domain.codes.decide import CODES
from campaigns.domain.terms.decide import decide
from campaigns.domain.terms.facts import Allowed, Denial, Holder, Purchase, Used, Voucher
from campaigns.domain.terms.model import SpendAndSave, Terms, Whitelist
from campaigns.domain.terms.rules import compile_terms
from campaigns.domain.terms.widen import narrowed
from tests.domain.decide_cases import NOON, PURCHASE, VOUCHER, compiled
from tests.domain.decide_strategies import (
    HOLDERS,
    MONEY_FEN,
    PURCHASES,
    TERMS,
    TIMES,
    USED,
    VOUCHERS,
    WHITELISTS,
)

MANY = settings(max_examples=400, deadline=None)


@MANY
@given(TERMS, WHITELISTS, VOUCHERS, HOLDERS, PURCHASES, USED, TIMES)
def test_decide_answers_every_well_typed_question(
    terms: Terms,
    whitelist: Whitelist,
    voucher: Voucher,
    holder: Holder,
    purchase: Purchase,
    used: tuple[Used, ...],
    now: datetime,
) -> None:
    rules = compile_terms(compiled(terms, whitelist))
    decision = decide(rules, voucher, holder, purchase, used, now)
    assert decision.at == now
    assert decide(rules, voucher, holder, purchase, used, now) == decision
    if isinstance(decision, Denial):
        assert "?" not in sentence(decision.code, decision.facts, "en")
        assert CODES[decision.code].kind == "refused"
    else:
        check_bounds(terms, voucher, purchase, used, decision)


def check_bounds(
    terms: Terms, voucher: Voucher, purchase: Purchase, used: tuple[Used, ...], yes: Allowed
) -> None:
    """A yes is at least one fen and never above any limit that anybody set."""
    assert 1 <= yes.amount_fen <= yes.available_fen <= voucher.balance_fen
    assert yes.amount_fen <= yes.eligible_fen <= purchase.basket_fen
    excluded_fen = sum(
        item.amount_fen for item in purchase.items if item.category in terms.excluded_categories
    )
    assert yes.eligible_fen == purchase.basket_fen - excluded_fen
    assert yes.eligible_fen >= terms.min_spend_fen
    if terms.max_per_use_fen is not None:
        assert yes.amount_fen <= terms.max_per_use_fen
    for cap, spent in zip(terms.caps, used, strict=False):
        if cap.amount_fen is not None:
            assert spent.amount_fen + yes.amount_fen <= cap.amount_fen
        if cap.uses is not None:
            assert spent.uses + 1 <= cap.uses
    assert len(used) >= len(terms.caps)


@MANY
@given(TERMS, st.integers(1, 20_000), st.integers(1, 20_000), st.integers(0, 20_000), USED)
def test_plain_questions_are_bounded_too(
    terms: Terms, basket_fen: int, balance_fen: int, tobacco_fen: int, used: tuple[Used, ...]
) -> None:
    """Only the money rules are left in the terms, so that most questions are allowed."""
    money = Terms(
        benefit=terms.benefit,
        excluded_categories=terms.excluded_categories,
        min_spend_fen=terms.min_spend_fen,
        max_per_use_fen=terms.max_per_use_fen,
        caps=terms.caps,
    )
    voucher = replace(VOUCHER, balance_fen=balance_fen)
    purchase = replace(PURCHASE, basket_fen=basket_fen)
    decision = decide(compile_terms(compiled(money)), voucher, Holder(), purchase, used, NOON)
    if isinstance(decision, Allowed):
        check_bounds(money, voucher, purchase, used, decision)
        if isinstance(money.benefit, SpendAndSave):
            assert decision.amount_fen in {step.save_fen for step in money.benefit.steps}


@MANY
@given(TERMS, TERMS, WHITELISTS, WHITELISTS, VOUCHERS, HOLDERS, PURCHASES, st.data())
def test_a_version_that_only_widens_never_gives_less(
    old: Terms,
    other: Terms,
    whitelist: Whitelist,
    other_whitelist: Whitelist,
    voucher: Voucher,
    holder: Holder,
    purchase: Purchase,
    data: st.DataObject,
) -> None:
    """Take some members from other terms; where `narrowed` finds nothing, every yes stays a yes."""
    taken = data.draw(st.sets(st.sampled_from(sorted(set(Terms.__struct_fields__) - {"caps"})), max_size=3))
    new = replace(old, **{name: getattr(other, name) for name in taken})
    old, new = replace(old, caps=()), replace(new, caps=())
    whitelists = data.draw(st.sampled_from([(whitelist, whitelist), (whitelist, other_whitelist)]))
    was, now = compiled(old, whitelists[0]), compiled(new, whitelists[1], version=2)
    if narrowed(was, now):
        return
    before = decide(compile_terms(was), voucher, holder, purchase, (), NOON)
    after = decide(compile_terms(now), voucher, holder, purchase, (), NOON)
    if isinstance(before, Allowed):
        assert isinstance(after, Allowed)
        assert after.amount_fen >= before.amount_fen


@MANY
@given(TERMS, st.integers(1, 20_000), st.integers(0, 5_000), MONEY_FEN)
def test_a_larger_basket_never_gives_less(
    terms: Terms, basket_fen: int, more_fen: int, balance_fen: int
) -> None:
    money = Terms(
        benefit=terms.benefit, min_spend_fen=terms.min_spend_fen, max_per_use_fen=terms.max_per_use_fen
    )
    rules = compile_terms(compiled(money))
    voucher = replace(VOUCHER, balance_fen=balance_fen)
    small, large = (
        decide(rules, voucher, Holder(), replace(PURCHASE, basket_fen=fen), (), NOON)
        for fen in (basket_fen, basket_fen + more_fen)
    )
    if isinstance(small, Allowed):
        assert isinstance(large, Allowed)
        assert large.amount_fen >= small.amount_fen
