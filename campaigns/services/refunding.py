"""Give back what was captured: undo (whole, soon after, uses too) and refund (by cumulated returned goods)."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain import settle
from campaigns.domain.ids import new_id
from campaigns.domain.payments import Books, PaymentRow, RefundRow
from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.fields import AmountFen
from campaigns.services.payment_answers import PaymentAnswer, RefundAnswer, shown
from campaigns.services.payment_lock import concerns
from campaigns.services.payment_plans import Change, PaidAnswer
from campaigns.services.refusing import attempt_of
from campaigns.services.spending import Items, facts_items
from campaigns.services.suspending import suspending
from campaigns.store.unit_of_work import Request


class Refund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Goods worth ``returned_goods_fen`` (before any subsidy) came back; ``gone_items`` name those of categories."""

    returned_goods_fen: AmountFen
    gone_items: Items = ()


async def refund(
    ctx: Context, principal: Principal, asked: Request | None, payment_id: UUID, command: Refund
) -> RefundAnswer:
    """Return goods, whole or part, by the shop. How much subsidy goes back: `campaigns.domain.refunds`.

    Raises Refused ``not_found`` (404), ``wrong_state``, ``refund_over`` (410), ``refund_too_large``,
    ``items_invalid``.
    """

    def act(books: Books, payment: PaymentRow, now: datetime) -> RefundAnswer:
        items = facts_items(command.gone_items)
        row = settle.refund(books, payment, new_id(), command.returned_goods_fen, items, now)
        return _answer(row, shown(payment, books.campaigns, principal))

    async with suspending(ctx):
        return await ctx.payments.perform(asked, RefundAnswer, _plan("refund", principal, payment_id, act))


async def undo(ctx: Context, principal: Principal, asked: Request | None, payment_id: UUID) -> RefundAnswer:
    """Take a redemption back whole within ``undo_seconds``; by the shop, whose act is also the yes to a holder's wish.

    Raises Refused ``not_found`` (404), ``wrong_state``, ``undo_over`` and ``refund_over`` (410).
    """

    def act(books: Books, payment: PaymentRow, now: datetime) -> RefundAnswer:
        row = settle.undo(books, payment, new_id(), now)
        return _answer(row, shown(payment, books.campaigns, principal))

    async with suspending(ctx):
        return await ctx.payments.perform(asked, RefundAnswer, _plan("undo", principal, payment_id, act))


async def ask_undo(
    ctx: Context, principal: Principal, asked: Request | None, payment_id: UUID
) -> PaymentAnswer:
    """The holder wishes a redemption undone: noted while the time to undo runs; the shop's undo says yes.

    Raises Refused ``not_found`` (404), ``wrong_state``, ``undo_over`` and ``refund_over`` (410).
    """

    def act(books: Books, payment: PaymentRow, now: datetime) -> PaymentAnswer:
        settle.check_undo(books, payment, now)
        payment.undo_asked_at = payment.undo_asked_at or now
        return shown(payment, books.campaigns, principal)

    return await ctx.payments.perform(asked, PaymentAnswer, _plan("ask_undo", principal, payment_id, act))


def _plan(
    action: str,
    principal: Principal,
    payment_id: UUID,
    act: Callable[[Books, PaymentRow, datetime], PaidAnswer],
) -> Change:
    return Change(
        principal=principal,
        payment_id=payment_id,
        attempt=attempt_of(action, principal),
        concerns=lambda owners: concerns(principal, owners),
        counts=lambda payment: action != "ask_undo",
        act=act,
    )


def _answer(row: RefundRow, payment: PaymentAnswer) -> RefundAnswer:
    return RefundAnswer(
        id=row.id,
        returned_goods_fen=row.returned_goods_fen,
        back_fen=row.back_fen,
        own_fen=row.returned_goods_fen - row.back_fen,
        payment=payment,
    )
