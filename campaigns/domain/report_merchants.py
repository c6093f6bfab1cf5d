"""Which stores may take a campaign's vouchers at all: the rules of `decide` that look at the store alone."""

from datetime import date
from typing import Final
from uuid import UUID

from campaigns.domain.terms import where
from campaigns.domain.terms.facts import LIVE, Holder, Purchase, Store, Voucher
from campaigns.domain.terms.rules import Case, Rules

_ABOUT_THE_STORE: Final = (where.place, where.whitelist, where.scenario, where.merchant_category)


def takes_vouchers(rules: Rules, store: Store) -> bool:
    """Say whether the terms admit the store by place, whitelist, scenario and category."""
    case = _case(rules, store)
    return all(rule(rules, case) is None for rule in _ABOUT_THE_STORE)


def _case(rules: Rules, store: Store) -> Case:
    voucher = Voucher(
        id=UUID(int=0), state=LIVE, balance_fen=1, face_fen=1, uses=0, granted_at=rules.start, expires_at=rules.end
    )  # fmt: skip
    return Case(
        voucher=voucher,
        holder=Holder(),
        purchase=Purchase(basket_fen=1, store=store, channel="in_store"),
        used=(),
        now=rules.start,
        day=date.min,
        minute=0,
        eligible_fen=1,
        available_fen=1,
    )
