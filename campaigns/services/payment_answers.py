"""How a payment is shown to a till or merchant and to its holder. No answer holds another person's data."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.payments import CampaignRow, PaymentRow
from campaigns.domain.principal import Principal
from campaigns.services.fields import AmountFen, AnyFen


class LineAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one voucher's campaign gives; ``voucher_id`` is for the holder alone."""

    campaign: str
    authorized_fen: AmountFen
    captured_fen: AnyFen
    refunded_fen: AnyFen
    voucher_id: UUID | None = None


class PaymentAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment. ``subsidy_fen`` was authorized, ``own_fen`` is what the customer pays themselves.

    Spending value is subsidy + own money; both are of the captured basket once there is one.
    """

    id: UUID
    state: str
    merchant_id: UUID
    store_id: UUID
    terminal_id: UUID
    basket_fen: AmountFen
    subsidy_fen: AmountFen
    own_fen: AnyFen
    captured_basket_fen: int | None
    captured_fen: AnyFen
    returned_goods_fen: AnyFen
    refunded_fen: AnyFen
    authorized_at: datetime
    hold_until: datetime
    captured_at: datetime | None
    ended_at: datetime | None
    undo_asked_at: datetime | None
    lines: tuple[LineAnswer, ...]


class RefundAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A refund or undo: ``back_fen`` went back to the vouchers, ``own_fen`` is the customer's own money to return."""

    id: UUID
    returned_goods_fen: AmountFen
    back_fen: AnyFen
    own_fen: AnyFen
    payment: PaymentAnswer


def shown(payment: PaymentRow, campaigns: Mapping[UUID, CampaignRow], principal: Principal) -> PaymentAnswer:
    """The payment as this caller may see it."""
    taken = payment.captured_basket_fen is not None
    basket_fen = (
        payment.captured_basket_fen if payment.captured_basket_fen is not None else payment.basket_fen
    )
    return PaymentAnswer(
        id=payment.id,
        state=payment.state,
        merchant_id=payment.merchant_id,
        store_id=payment.store_id,
        terminal_id=payment.terminal_id,
        basket_fen=payment.basket_fen,
        subsidy_fen=payment.subsidy_fen,
        own_fen=basket_fen - (payment.captured_fen if taken else payment.subsidy_fen),
        captured_basket_fen=payment.captured_basket_fen,
        captured_fen=payment.captured_fen,
        returned_goods_fen=payment.returned_goods_fen,
        refunded_fen=payment.refunded_fen,
        authorized_at=payment.authorized_at,
        hold_until=payment.hold_until,
        captured_at=payment.captured_at,
        ended_at=payment.ended_at,
        undo_asked_at=payment.undo_asked_at,
        lines=tuple(
            LineAnswer(
                campaign=campaigns[line.campaign_id].code,
                authorized_fen=line.authorized_fen,
                captured_fen=line.captured_fen,
                refunded_fen=line.refunded_fen,
                voucher_id=line.voucher_id if is_holder(principal, payment.person_id) else None,
            )
            for line in payment.lines
        ),
    )


def is_holder(principal: Principal, person_id: UUID) -> bool:
    """Say whether the caller acts for this very person."""
    return principal.kind == "channel" and principal.person_id == person_id
