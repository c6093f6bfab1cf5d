"""Pay with vouchers: redeem (authorize and capture in one call) and authorize (hold).

One transaction: locks, reads, a pure decision over copies (`campaigns.domain.pay`), writes. A till pays with the
customer's payment code; a holder pays with the shop's store code - a hold that the shop's capture says yes to,
or at once up to the amount that the shop announced.
"""

from datetime import datetime
from uuid import UUID

from campaigns.domain.errors import Refused
from campaigns.domain.pay import NoLine, pay
from campaigns.domain.principal import Principal
from campaigns.services.codes import check_code, resolve_code
from campaigns.services.context import Context
from campaigns.services.payment_answers import PaymentAnswer, shown
from campaigns.services.refusing import Attempt, attempt_of
from campaigns.services.spending import (
    Spend,
    TillSpend,
    find_till,
    lock_counters,
    lock_person,
    make_order,
)
from campaigns.services.suspending import suspending
from campaigns.store.payment_lists import Announced, newest_announcement, take_announcement
from campaigns.store.payments import code_was_used, write_books
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform


async def redeem(ctx: Context, principal: Principal, asked: Request | None, spend: Spend) -> PaymentAnswer:
    """Spend at once. By a till with a payment code; by a holder up to what the shop announced, once.

    Raises Refused: ``code_unknown`` (404), ``code_already_used``, ``store_not_active``, ``store_code_unknown``,
    ``nothing_announced``, ``above_announced``, and what `decide` says (``not_usable_here`` to a till where the
    reason is about the holder).
    """
    return await _pay(ctx, principal, asked, spend, at_once=True)


async def authorize(ctx: Context, principal: Principal, asked: Request | None, spend: Spend) -> PaymentAnswer:
    """Hold for ``hold_seconds`` of the terms; a capture takes it. Raises as `redeem` does."""
    return await _pay(ctx, principal, asked, spend, at_once=False)


async def _pay(
    ctx: Context, principal: Principal, asked: Request | None, spend: Spend, *, at_once: bool
) -> PaymentAnswer:
    attempt = attempt_of("redeem" if at_once else "authorize", principal)

    async def act(connection: Connection) -> PaymentAnswer:
        return await _act(ctx, connection, principal, spend, attempt, at_once=at_once)

    async with suspending(ctx):
        return await perform(ctx.pool, asked, Work(PaymentAnswer, act, attempt.record))


async def _act(
    ctx: Context, connection: Connection, principal: Principal, spend: Spend, attempt: Attempt, *, at_once: bool
) -> PaymentAnswer:  # fmt: skip
    attempt.denial = None
    till = await find_till(connection, principal, spend)
    attempt.merchant_id, attempt.terminal_id = till.store.merchant_id, till.terminal_id
    live = await resolve_code(ctx, principal, spend.payment_code) if isinstance(spend, TillSpend) else None
    person_id = principal.person_id if live is None else live.person_id
    assert person_id is not None
    attempt.person_id = person_id

    books = await lock_person(ctx, connection, person_id, principal.programme_id)
    announced = None
    if live is not None and await code_was_used(connection, live.code_id):
        raise Refused("code_already_used")
    if live is None and at_once:
        announced = await newest_announcement(connection, till.terminal_id, lock=True)
    now = await lock_counters(connection, books, person_id, till.store.merchant_id)
    if live is not None:
        check_code(live, now)
    if live is None and at_once:
        announced = check_announced(announced, spend.basket_fen, now)
    code_id = None if live is None else live.code_id
    order = await make_order(connection, books, principal, person_id, code_id, till, spend, at_once=at_once)
    try:
        payment = pay(books, order, now)
    except NoLine as no:
        raise attempt.refuse(principal, no.denial, no.campaign_id) from None
    await write_books(connection, books, now)
    await _take(connection, announced, payment.id)
    return shown(payment, books.campaigns, principal)


def check_announced(announced: Announced | None, basket_fen: int, now: datetime) -> Announced:
    """Raise Refused ``nothing_announced`` or ``above_announced`` unless the shop's amount covers the basket."""
    if announced is None or announced.payment_id is not None or now >= announced.until:
        raise Refused("nothing_announced")
    if basket_fen > announced.amount_fen:
        raise Refused("above_announced", announced_fen=announced.amount_fen)
    return announced


async def _take(connection: Connection, announced: Announced | None, payment_id: UUID) -> None:
    if announced is not None:
        await take_announcement(connection, announced.id, payment_id)
