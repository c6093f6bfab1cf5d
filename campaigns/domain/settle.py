"""What follows an authorization: capture, void, hold expiry, undo, refund, and a voucher's expiry. Pure.

Each changes the working copies of `Books` and adds the transfers. What returns to a voucher whose time is over
goes to escrow; what returns to a closed campaign goes on to its funders.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from campaigns.domain import refunds
from campaigns.domain.errors import Refused
from campaigns.domain.ledger import Lines
from campaigns.domain.payments import Books, LineRow, PaymentRow, RefundKind, RefundRow, return_to_funders
from campaigns.domain.states import PAYMENT, next_state
from campaigns.domain.terms.amount import excluded_amount
from campaigns.domain.terms.facts import Item
from campaigns.domain.vouchers import VoucherRow

CLOSED = "closed"


def capture(
    books: Books, payment: PaymentRow, basket_fen: int, gone_items: Sequence[Item], now: datetime
) -> None:
    """Take the hold for a basket of at most the authorized one; the rest returns at once.

    ``gone_items`` are those of named categories that left the basket. Raises Refused ``wrong_state``,
    ``hold_expired``, ``capture_too_large``, ``items_invalid``. A hold whose time is over is refused even if
    the sweep has not come yet.
    """
    state = next_state(PAYMENT, payment.state, "capture")
    if now >= payment.hold_until:
        raise Refused("hold_expired", status=410, ended=payment.hold_until.isoformat(timespec="seconds"))
    if basket_fen > payment.basket_fen:
        raise Refused("capture_too_large", basket_fen=payment.basket_fen)
    _leave(payment, gone_items, payment.basket_fen - basket_fen)
    captured = refunds.capture(_lines(books, payment), payment.basket_fen, basket_fen)
    transfers = Lines(payment.id)
    for line, captured_fen in zip(payment.lines, captured, strict=True):
        rest_fen = line.held_fen - captured_fen
        voucher = books.vouchers[line.voucher_id]
        transfers.capture(line.campaign_id, line.operator_id, payment.merchant_id, captured_fen)
        voucher.capture(captured_fen)
        line.captured_fen = captured_fen
        line.held_fen = rest_fen
        _release(books, payment, line, "release", transfers, now, uses=0)
    payment.state = state
    payment.captured_at = now
    payment.captured_basket_fen = basket_fen
    payment.captured_fen = sum(captured)
    books.transfers += transfers.transfers


def void(books: Books, payment: PaymentRow, now: datetime) -> None:
    """Give the whole hold back, uses and caps too. Raises Refused ``wrong_state``."""
    _end_hold(books, payment, "void", now)


def expire_hold(books: Books, payment: PaymentRow, now: datetime) -> None:
    """End a hold that nobody captured in time: as a void. Raises Refused ``wrong_state``."""
    assert now >= payment.hold_until
    _end_hold(books, payment, "hold_expiry", now)


def _end_hold(books: Books, payment: PaymentRow, kind: Literal["void", "hold_expiry"], now: datetime) -> None:
    payment.state = next_state(PAYMENT, payment.state, "void" if kind == "void" else "expire")
    payment.ended_at = now
    transfers = Lines(payment.id)
    for line in payment.lines:
        _release(books, payment, line, kind, transfers, now, uses=1)
    books.transfers += transfers.transfers


def _release(
    books: Books, payment: PaymentRow, line: LineRow, kind: Literal["release", "void", "hold_expiry"],
    transfers: Lines, now: datetime, *, uses: int,
) -> None:  # fmt: skip
    voucher, amount_fen = books.vouchers[line.voucher_id], line.held_fen
    expired = voucher.has_expired(now)
    line.held_fen = 0
    verbs = {"release": transfers.release, "void": transfers.void, "hold_expiry": transfers.hold_expiry}
    verbs[kind](line.campaign_id, line.operator_id, amount_fen, expired=expired)
    voucher.release(amount_fen, expired=expired)
    if uses:
        voucher.give_back_use()
    if uses or amount_fen:
        books.count(payment, line, -uses, -amount_fen)


def refund(
    books: Books, payment: PaymentRow, refund_id: UUID, goods_fen: int, gone_items: Sequence[Item], now: datetime
) -> RefundRow:  # fmt: skip
    """Return goods worth ``goods_fen``; the subsidy that goes back is by the cumulated returns.

    Raises Refused ``wrong_state``, ``refund_over`` (410), ``refund_too_large``, ``items_invalid``.
    """
    state = next_state(PAYMENT, payment.state, "refund")
    _check_refundable(books, payment, now)
    assert payment.captured_basket_fen is not None
    left_fen = payment.captured_basket_fen - payment.returned_goods_fen
    if goods_fen > left_fen:
        raise Refused("refund_too_large", left_fen=left_fen)
    _leave(payment, gone_items, goods_fen)
    returned_fen = payment.returned_goods_fen + goods_fen
    back = refunds.refund(
        _lines(books, payment), payment.basket_fen, payment.captured_basket_fen, returned_fen
    )
    payment.state = state
    return _give_back(books, payment, refund_id, "refund", goods_fen, back, now)


def undo(books: Books, payment: PaymentRow, refund_id: UUID, now: datetime) -> RefundRow:
    """Take a redemption back whole within ``undo_seconds`` of its capture, uses too.

    Raises Refused ``wrong_state``, ``undo_over`` (410), ``refund_too_large`` when all goods came back before.
    """
    check_undo(books, payment, now)
    assert payment.captured_basket_fen is not None
    goods_fen = payment.captured_basket_fen - payment.returned_goods_fen
    if goods_fen == 0:
        raise Refused("refund_too_large", left_fen=0)
    back = tuple(line.captured_fen - line.refunded_fen for line in payment.lines)
    row = _give_back(books, payment, refund_id, "undo", goods_fen, back, now)
    payment.state = next_state(PAYMENT, payment.state, "undo")
    payment.ended_at = now
    for line in payment.lines:
        books.vouchers[line.voucher_id].give_back_use()
        books.count(payment, line, -1, 0)
    return row


def check_undo(books: Books, payment: PaymentRow, now: datetime) -> None:
    """Say by Refused ``wrong_state``, ``refund_over`` or ``undo_over`` that the payment cannot be undone now."""
    next_state(PAYMENT, payment.state, "undo")
    _check_refundable(books, payment, now)
    seconds = min(books.rules_of(line).terms.undo_seconds for line in payment.lines)
    assert payment.captured_at is not None
    if now >= payment.captured_at + timedelta(seconds=seconds):
        raise Refused("undo_over", status=410, undo_seconds=seconds)


def _check_refundable(books: Books, payment: PaymentRow, now: datetime) -> None:
    for line in payment.lines:
        campaign = books.campaigns[line.campaign_id]
        if campaign.state != CLOSED:
            continue
        assert campaign.closed_at is not None
        if now >= campaign.closed_at + timedelta(days=campaign.refund_days):
            raise Refused("refund_over", status=410)


def _give_back(
    books: Books, payment: PaymentRow, refund_id: UUID, kind: RefundKind, goods_fen: int, back: Sequence[int],
    now: datetime,
) -> RefundRow:  # fmt: skip
    transfers = Lines(refund_id)
    for line, amount_fen in zip(payment.lines, back, strict=True):
        if amount_fen == 0:
            continue
        voucher = books.vouchers[line.voucher_id]
        closed = books.campaigns[line.campaign_id].state == CLOSED
        expired = voucher.has_expired(now)
        assert expired or not closed, "a closed campaign has no live voucher"
        if closed:
            _to_funders(books, payment, line, kind, transfers, amount_fen)
        else:
            transfers.back(
                kind, line.campaign_id, line.operator_id, payment.merchant_id, amount_fen, expired=expired
            )
        voucher.give_back(amount_fen, taken=expired)
        line.refunded_fen += amount_fen
        books.count(payment, line, 0, -amount_fen)
    payment.returned_goods_fen += goods_fen
    payment.refunded_fen += sum(back)
    books.transfers += transfers.transfers
    row = RefundRow(
        id=refund_id,
        payment_id=payment.id,
        kind=kind,
        returned_goods_fen=goods_fen,
        back_fen=sum(back),
        at=now,
    )
    books.refunds.append(row)
    return row


def _to_funders(
    books: Books, payment: PaymentRow, line: LineRow, kind: RefundKind, transfers: Lines, amount_fen: int
) -> None:
    funders = books.funders[line.campaign_id]
    for funder, part_fen in zip(funders, return_to_funders(amount_fen, funders), strict=True):
        transfers.back_to_funder(
            kind, line.campaign_id, line.operator_id, payment.merchant_id, funder.id, part_fen
        )
        funder.spent_fen -= part_fen


def expire_voucher(books: Books, voucher: VoucherRow, now: datetime) -> None:
    """Take back the unheld part of a voucher whose time is over; a held part follows when its hold ends."""
    assert now >= voucher.expires_at
    transfers = Lines(voucher.id)
    transfers.expire(voucher.campaign_id, voucher.operator_id, voucher.expire())
    books.transfers += transfers.transfers


def _leave(payment: PaymentRow, gone_items: Sequence[Item], gone_fen: int) -> None:
    """Note the items that leave the basket now; they must have been in it, and fit the goods that leave."""
    if sum(item.amount_fen for item in gone_items) > gone_fen:
        raise Refused("items_invalid")
    gone = (*payment.gone_items, *gone_items)
    for category in {item.category for item in gone}:
        if excluded_amount(gone, {category}) > excluded_amount(payment.items, {category}):
            raise Refused("items_invalid")
    payment.gone_items = gone


def _lines(books: Books, payment: PaymentRow) -> list[refunds.Line]:
    return [
        refunds.Line(
            terms=books.rules_of(line).terms,
            eligible_fen=line.eligible_fen,
            available_fen=line.available_fen,
            held_fen=line.held_fen,
            captured_fen=line.captured_fen,
            refunded_fen=line.refunded_fen,
            gone_excluded_fen=excluded_amount(payment.gone_items, books.rules_of(line).excluded_categories),
        )
        for line in payment.lines
    ]
