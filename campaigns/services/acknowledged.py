"""Invariant 2 from outside: every payment, capture and refund that a client was told of exists, as it was told.

The client keeps its own log of answers; this compares it with the database.
"""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from msgspec import Struct

from campaigns.services.context import Context
from campaigns.store import acknowledged as store
from campaigns.store.acknowledged import AwardedRow, PaymentFound, RefundFound

Told = Literal["redeem", "hold", "capture", "void", "undo", "refund"]
STATES: dict[str, frozenset[str]] = {
    "redeem": frozenset({"captured", "undone"}),
    "hold": frozenset({"held", "captured", "undone", "voided", "expired"}),
    "capture": frozenset({"captured", "undone"}),
    "void": frozenset({"voided"}),
}


class Acknowledgement(Struct, frozen=True, kw_only=True):
    """One answer of success: ``amount_fen`` is the subsidy (redeem, hold), the capture, or what went back."""

    kind: Told
    payment_id: UUID
    person_id: UUID
    amount_fen: int
    refund_id: UUID | None = None


class Lost(Struct, frozen=True, kw_only=True):
    """An acknowledgement that the database does not bear out."""

    acknowledgement: Acknowledgement
    found: str


async def check_acknowledged(ctx: Context, told: Sequence[Acknowledgement]) -> list[Lost]:
    """Compare answers with the database; the differences."""
    async with ctx.pool.acquire() as connection:
        payments = await store.payments_found(connection, sorted({one.payment_id for one in told}))
        refund_ids = sorted({one.refund_id for one in told if one.refund_id is not None})
        refunds = await store.refunds_found(connection, refund_ids)
    found = ((one, _difference(one, payments.get(one.payment_id), refunds)) for one in told)
    return [Lost(acknowledgement=one, found=text) for one, text in found if text]


def _difference(one: Acknowledgement, payment: PaymentFound | None, refunds: dict[UUID, RefundFound]) -> str:
    if payment is None:
        return "no such payment"
    if payment.person_id != one.person_id:
        return "a payment of somebody else"
    if one.kind in ("undo", "refund"):
        refund = refunds.get(one.refund_id) if one.refund_id is not None else None
        if refund is None or refund.payment_id != one.payment_id or refund.kind != one.kind:
            return "no such refund"
        return "" if refund.back_fen == one.amount_fen else f"{refund.back_fen} fen went back"
    if payment.state not in STATES[one.kind]:
        return f"the payment is {payment.state}"
    fen = payment.captured_fen if one.kind == "capture" else payment.subsidy_fen
    return "" if fen == one.amount_fen else f"{fen} fen"


async def awarded(ctx: Context, campaign_id: UUID) -> list[AwardedRow]:
    """Everybody whom a draw campaign awarded so far, by entry."""
    async with ctx.pool.acquire() as connection:
        return await store.awarded(connection, campaign_id)
