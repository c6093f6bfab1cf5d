"""What follows a hold: the shop's capture (its yes, where the holder scanned the store code) and the void."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain import settle
from campaigns.domain.payments import Books, PaymentRow
from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.fields import AmountFen
from campaigns.services.payment_answers import PaymentAnswer, is_holder, shown
from campaigns.services.payment_lock import concerns
from campaigns.services.payment_plans import Change
from campaigns.services.refusing import attempt_of
from campaigns.services.spending import Items, facts_items
from campaigns.services.suspending import suspending
from campaigns.store.payments import Owners
from campaigns.store.unit_of_work import Request


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

    def act(books: Books, payment: PaymentRow, now: datetime) -> PaymentAnswer:
        settle.capture(books, payment, basket_of(payment), facts_items(command.gone_items), now)
        return shown(payment, books.campaigns, principal)

    def basket_of(payment: PaymentRow) -> int:
        return payment.basket_fen if command.basket_fen is None else command.basket_fen

    plan = Change(
        principal=principal,
        payment_id=payment_id,
        attempt=attempt_of("capture", principal),
        concerns=lambda owners: principal.kind != "channel" and concerns(principal, owners),
        counts=lambda payment: basket_of(payment) != payment.basket_fen,  # a whole capture gives nothing back
        act=act,
    )
    async with suspending(ctx):
        return await ctx.payments.perform(asked, PaymentAnswer, plan)


async def void(ctx: Context, principal: Principal, asked: Request | None, payment_id: UUID) -> PaymentAnswer:
    """Give a hold back whole. By the shop, or by the holder where they made the hold with a store code.

    Raises Refused ``not_found`` (404) and ``wrong_state``.
    """

    def act(books: Books, payment: PaymentRow, now: datetime) -> PaymentAnswer:
        settle.void(books, payment, now)
        return shown(payment, books.campaigns, principal)

    def may_void(owners: Owners) -> bool:
        by_code = is_holder(principal, owners.person_id) and owners.code_id is not None
        return concerns(principal, owners) and not by_code

    plan = Change(
        principal=principal,
        payment_id=payment_id,
        attempt=attempt_of("void", principal),
        concerns=may_void,
        counts=lambda payment: True,
        act=act,
    )
    async with suspending(ctx):
        return await ctx.payments.perform(asked, PaymentAnswer, plan)
