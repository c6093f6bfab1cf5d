"""What follows a hold: the shop's capture (its yes, where the holder scanned the store code) and the void."""

from uuid import UUID

from msgspec import Struct

from campaigns.domain import settle
from campaigns.domain.errors import not_found
from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.fields import AmountFen
from campaigns.services.payment_answers import PaymentAnswer, is_holder, shown
from campaigns.services.payment_lock import lock_payment, lock_payment_counters, owned
from campaigns.services.refusing import attempt_of
from campaigns.services.spending import Items, facts_items
from campaigns.services.suspending import suspending
from campaigns.store.locks import campaign_now
from campaigns.store.payments import write_books
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform


class Capture(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take the hold for ``basket_fen`` (the whole basket if not given).

    ``gone_items`` are the items of named categories that left the basket since the authorization.
    """

    basket_fen: AmountFen | None = None
    gone_items: Items = ()


async def capture(
    ctx: Context, principal: Principal, asked: Request | None, payment_id: UUID, command: Capture
) -> PaymentAnswer:
    """Capture a hold once, whole or part, while it lives; the rest returns at once.

    Raises Refused ``not_found`` (404), ``wrong_state``, ``hold_expired`` (410), ``capture_too_large``,
    ``items_invalid``. By the shop alone.
    """
    attempt = attempt_of("capture", principal)

    async def act(connection: Connection) -> PaymentAnswer:
        if principal.kind == "channel":
            raise not_found("payment")
        await owned(connection, principal, payment_id)
        books, payment = await lock_payment(ctx, connection, payment_id)
        basket_fen = payment.basket_fen if command.basket_fen is None else command.basket_fen
        if basket_fen != payment.basket_fen:  # a whole capture gives nothing back
            await lock_payment_counters(connection, books, [payment])
        now = await campaign_now(connection)
        settle.capture(books, payment, basket_fen, facts_items(command.gone_items), now)
        await write_books(connection, books, now)
        return shown(payment, books.campaigns, principal)

    async with suspending(ctx):
        return await perform(ctx.pool, asked, Work(PaymentAnswer, act, attempt.record))


async def void(ctx: Context, principal: Principal, asked: Request | None, payment_id: UUID) -> PaymentAnswer:
    """Give a hold back whole. By the shop, or by the holder where they made the hold with a store code.

    Raises Refused ``not_found`` (404) and ``wrong_state``.
    """
    attempt = attempt_of("void", principal)

    async def act(connection: Connection) -> PaymentAnswer:
        owners = await owned(connection, principal, payment_id)
        if is_holder(principal, owners.person_id) and owners.code_id is not None:
            raise not_found("payment")
        books, payment = await lock_payment(ctx, connection, payment_id)
        await lock_payment_counters(connection, books, [payment])
        now = await campaign_now(connection)
        settle.void(books, payment, now)
        await write_books(connection, books, now)
        return shown(payment, books.campaigns, principal)

    async with suspending(ctx):
        return await perform(ctx.pool, asked, Work(PaymentAnswer, act, attempt.record))
