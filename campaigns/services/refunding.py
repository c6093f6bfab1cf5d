"""Give back what was captured: undo (whole, soon after, uses too) and refund (by cumulated returned goods)."""

from uuid import UUID

from msgspec import Struct

from campaigns.domain import settle
from campaigns.domain.ids import new_id
from campaigns.domain.payments import RefundRow
from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.fields import AmountFen
from campaigns.services.payment_answers import PaymentAnswer, RefundAnswer, shown
from campaigns.services.payment_lock import lock_payment, lock_payment_counters, owned
from campaigns.services.refusing import attempt_of
from campaigns.services.spending import Items, facts_items
from campaigns.services.suspending import suspending
from campaigns.store.locks import campaign_now
from campaigns.store.payments import write_books
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform


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
    refund_id = new_id()
    attempt = attempt_of("refund", principal)

    async def act(connection: Connection) -> RefundAnswer:
        await owned(connection, principal, payment_id)
        books, payment = await lock_payment(ctx, connection, payment_id)
        await lock_payment_counters(connection, books, [payment])
        now = await campaign_now(connection)
        items = facts_items(command.gone_items)
        row = settle.refund(books, payment, refund_id, command.returned_goods_fen, items, now)
        await write_books(connection, books, now)
        return _answer(row, shown(payment, books.campaigns, principal))

    async with suspending(ctx):
        return await perform(ctx.pool, asked, Work(RefundAnswer, act, attempt.record))


async def undo(ctx: Context, principal: Principal, asked: Request | None, payment_id: UUID) -> RefundAnswer:
    """Take a redemption back whole within ``undo_seconds``; by the shop, whose act is also the yes to a holder's wish.

    Raises Refused ``not_found`` (404), ``wrong_state``, ``undo_over`` and ``refund_over`` (410).
    """
    refund_id = new_id()
    attempt = attempt_of("undo", principal)

    async def act(connection: Connection) -> RefundAnswer:
        await owned(connection, principal, payment_id)
        books, payment = await lock_payment(ctx, connection, payment_id)
        await lock_payment_counters(connection, books, [payment])
        now = await campaign_now(connection)
        row = settle.undo(books, payment, refund_id, now)
        await write_books(connection, books, now)
        return _answer(row, shown(payment, books.campaigns, principal))

    async with suspending(ctx):
        return await perform(ctx.pool, asked, Work(RefundAnswer, act, attempt.record))


async def ask_undo(
    ctx: Context, principal: Principal, asked: Request | None, payment_id: UUID
) -> PaymentAnswer:
    """The holder wishes a redemption undone: noted while the time to undo runs; the shop's undo says yes.

    Raises Refused ``not_found`` (404), ``wrong_state``, ``undo_over`` and ``refund_over`` (410).
    """
    attempt = attempt_of("ask_undo", principal)

    async def act(connection: Connection) -> PaymentAnswer:
        await owned(connection, principal, payment_id)
        books, payment = await lock_payment(ctx, connection, payment_id)
        now = await campaign_now(connection)
        settle.check_undo(books, payment, now)
        payment.undo_asked_at = payment.undo_asked_at or now
        await write_books(connection, books, now)
        return shown(payment, books.campaigns, principal)

    return await perform(ctx.pool, asked, Work(PaymentAnswer, act, attempt.record))


def _answer(row: RefundRow, payment: PaymentAnswer) -> RefundAnswer:
    return RefundAnswer(
        id=row.id,
        returned_goods_fen=row.returned_goods_fen,
        back_fen=row.back_fen,
        own_fen=row.returned_goods_fen - row.back_fen,
        payment=payment,
    )
