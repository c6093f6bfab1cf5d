"""Pay with vouchers: which of a person's vouchers pay for a purchase, and what that moves. Pure.

One payment has at most one line per campaign, so that each campaign's caps are judged against one use.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct

from campaigns.domain.ledger import Lines
from campaigns.domain.payments import Books, LineRow, PaymentRow
from campaigns.domain.terms.decide import decide
from campaigns.domain.terms.facts import Allowed, Decision, Denial, Holder, Purchase
from campaigns.domain.terms.rules import Rules
from campaigns.domain.terms.stacking import Chosen, Offer, choose, nearest, preference
from campaigns.domain.usage import cap_keys, first_purchase_key
from campaigns.domain.vouchers import VoucherRow

MAX_VOUCHERS = 50
OPEN_STATE = "published"


class Order(Struct, frozen=True, kw_only=True):
    """What is asked for: this person's vouchers on this purchase. ``at_once`` redeems, else it is a hold."""

    payment_id: UUID
    programme_id: UUID
    person_id: UUID
    terminal_id: UUID
    code_id: UUID | None
    purchase: Purchase
    wallet_operators: frozenset[str]
    at_once: bool


class Judged(NamedTuple):
    """A voucher and what `decide` said of it."""

    voucher: VoucherRow
    decision: Decision


class NoLine(Exception):
    """No voucher pays: the most helpful denial, and the campaign it is about (none without a voucher)."""

    def __init__(self, denial: Denial, campaign_id: UUID | None) -> None:
        super().__init__(denial.code)
        self.denial = denial
        self.campaign_id = campaign_id


def judge(books: Books, order: Order, now: datetime) -> list[Judged]:
    """Decide each of the books' vouchers on the order's purchase, in id order."""
    return [
        Judged(books.vouchers[key], _decide(books, order, books.vouchers[key], now))
        for key in sorted(books.vouchers)
    ]


def _decide(books: Books, order: Order, voucher: VoucherRow, now: datetime) -> Decision:
    campaign = books.campaigns[voucher.campaign_id]
    if campaign.state != OPEN_STATE:
        return Denial(code="campaign_not_open", facts={"state": campaign.state}, at=now)
    rules = books.rules[voucher.terms_version_id]
    merchant_id = order.purchase.store.merchant_id
    if not may_pay(
        books, voucher, now
    ):  # its counters were not locked; decide says why before it asks for them
        return decide(rules, voucher.for_decide(), Holder(bought_before=True), order.purchase, (), now)
    keys = cap_keys(rules, campaign.id, order.person_id, merchant_id, now)
    used = tuple(books.usage[key].used() for key in keys)
    holder = Holder(
        wallet_operators=order.wallet_operators,
        bought_before=rules.terms.first_purchase
        and books.usage[first_purchase_key(campaign.id, order.person_id, merchant_id)].uses > 0,
    )
    return decide(rules, voucher.for_decide(), holder, order.purchase, used, now)


def may_pay(books: Books, voucher: VoucherRow, now: datetime) -> bool:
    """Say whether counting for this voucher is worth a lock: its campaign is open and the time is right.

    Only such vouchers' counters are locked, so that an open campaign never waits for the rows of one that is over.
    """
    rules = books.rules[voucher.terms_version_id]
    open_now = books.campaigns[voucher.campaign_id].state == OPEN_STATE
    return open_now and rules.start <= now < rules.end and not voucher.has_expired(now)


def lines_of(books: Books, judged: Sequence[Judged], basket_fen: int, now: datetime) -> tuple[Chosen, ...]:
    """Choose the lines of the payment, best first. Raises NoLine when every voucher is refused.

    The denial told is that of the voucher that passed most rules; then that its campaign is not open; then
    that there is no voucher.
    """
    best: dict[UUID, Offer] = {}
    for voucher, decision in judged:
        if isinstance(decision, Allowed):
            offer = Offer(
                voucher=voucher.for_decide(),
                stacking_class=books.rules[voucher.terms_version_id].terms.stacking_class,
                allowed=decision,
            )
            held = best.get(voucher.campaign_id)
            if held is None or preference(offer) < preference(held):
                best[voucher.campaign_id] = offer
    if best:
        return choose(best.values(), basket_fen)
    raise _no_line(judged, now)


def _no_line(judged: Sequence[Judged], now: datetime) -> NoLine:
    denials = {
        id(decision): (voucher, decision) for voucher, decision in judged if isinstance(decision, Denial)
    }
    by_rules = [denial for _, denial in denials.values() if denial.code != "campaign_not_open"]
    told = nearest(by_rules) or next((denial for _, denial in denials.values()), None)
    if told is None:
        return NoLine(Denial(code="no_voucher", facts={}, at=now), None)
    return NoLine(told, denials[id(told)][0].campaign_id)


def pay(books: Books, order: Order, now: datetime) -> PaymentRow:
    """Redeem or hold at campaign time ``now``; the new payment stands in the books. Raises NoLine."""
    chosen = lines_of(books, judge(books, order, now), order.purchase.basket_fen, now)
    rules = [books.rules[books.vouchers[line.offer.voucher.id].terms_version_id] for line in chosen]
    payment = _new_payment(order, chosen, rules, now)
    books.new_payments.append(payment)
    transfers = Lines(payment.id)
    for number, one in enumerate(chosen, start=1):
        voucher = books.vouchers[one.offer.voucher.id]
        line = _new_line(number, voucher, one, order.at_once)
        payment.lines.append(line)
        if order.at_once:
            voucher.redeem(one.amount_fen)
            transfers.redeem(line.campaign_id, line.operator_id, payment.merchant_id, one.amount_fen)
        else:
            voucher.hold(one.amount_fen)
            transfers.authorize(line.campaign_id, line.operator_id, one.amount_fen)
        books.count(payment, line, 1, one.amount_fen)
        if books.rules_of(line).terms.first_purchase:
            key = first_purchase_key(line.campaign_id, payment.person_id, payment.merchant_id)
            books.usage[key].add(1, 0)
    books.transfers += transfers.transfers
    return payment


def _new_payment(order: Order, chosen: Sequence[Chosen], rules: Sequence[Rules], now: datetime) -> PaymentRow:
    purchase, subsidy_fen = order.purchase, sum(line.amount_fen for line in chosen)
    hold = timedelta(seconds=min(one.terms.hold_seconds for one in rules))
    return PaymentRow(
        id=order.payment_id,
        programme_id=order.programme_id,
        person_id=order.person_id,
        merchant_id=purchase.store.merchant_id,
        store_id=purchase.store.store_id,
        terminal_id=order.terminal_id,
        code_id=order.code_id,
        basket_fen=purchase.basket_fen,
        items=purchase.items,
        purchase=stored_purchase(purchase),
        state="captured" if order.at_once else "held",
        subsidy_fen=subsidy_fen,
        authorized_at=now,
        hold_until=now if order.at_once else now + hold,
        captured_basket_fen=purchase.basket_fen if order.at_once else None,
        captured_fen=subsidy_fen if order.at_once else 0,
        captured_at=now if order.at_once else None,
        lines=[],
    )


def _new_line(number: int, voucher: VoucherRow, one: Chosen, at_once: bool) -> LineRow:
    return LineRow(
        line=number,
        voucher_id=voucher.id,
        campaign_id=voucher.campaign_id,
        operator_id=voucher.operator_id,
        terms_version_id=voucher.terms_version_id,
        eligible_fen=one.offer.allowed.eligible_fen,
        available_fen=one.offer.allowed.available_fen,
        authorized_fen=one.amount_fen,
        held_fen=0 if at_once else one.amount_fen,
        captured_fen=one.amount_fen if at_once else 0,
    )


def stored_purchase(purchase: Purchase) -> object:
    """What is kept of the purchase beside the basket: channel, named items, position; the store is in its row."""
    return {
        "channel": purchase.channel,
        "items": msgspec.to_builtins(purchase.items),
        "position": msgspec.to_builtins(purchase.position),
    }
