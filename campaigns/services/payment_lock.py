"""Lock a payment with everything its verbs move: campaigns, vouchers, the payment, counters - in that order."""

from collections.abc import Iterable
from uuid import UUID

from campaigns.domain.errors import TryAgain, not_found
from campaigns.domain.payments import Books, PaymentRow, line_keys
from campaigns.domain.principal import Principal
from campaigns.domain.settle import CLOSED
from campaigns.services.context import Context
from campaigns.services.payment_answers import is_holder
from campaigns.store.locks import lock_campaign, share_campaigns
from campaigns.store.payments import LineLock, Owners, line_locks, lock_payments, owners_of
from campaigns.store.pool import Connection
from campaigns.store.stores import campaigns_of, funders_of
from campaigns.store.usage import lock_usage
from campaigns.store.vouchers import lock_vouchers


def concerns(principal: Principal, owners: Owners) -> bool:
    """Say whether the payment is the caller's: its merchant's (or one of its tills') or its holder's channel."""
    if owners.programme_id != principal.programme_id:
        return False
    if principal.kind in ("terminal", "merchant"):
        return owners.merchant_id == principal.id
    return is_holder(principal, owners.person_id)


async def owned(connection: Connection, principal: Principal, payment_id: UUID) -> Owners:
    """Whose the payment is. Raises Refused ``not_found`` for unknown and foreign payments alike."""
    owners = await owners_of(connection, payment_id)
    if owners is None or not concerns(principal, owners):
        raise not_found("payment")
    return owners


async def lock_payment(ctx: Context, connection: Connection, payment_id: UUID) -> tuple[Books, PaymentRow]:
    """Lock one payment; the caller has asked `owned`, and reads the time after `lock_payment_counters`."""
    locks = await line_locks(connection, [payment_id])
    await _lock_campaigns(connection, locks)
    books = Books(vouchers=await lock_vouchers(connection, [lock.voucher_id for lock in locks]))
    books.payments = await lock_payments(connection, [payment_id])
    await load_terms(ctx, connection, books)
    for lock in locks:
        closed = books.campaigns[lock.campaign_id].state == CLOSED
        if closed and lock.campaign_state != CLOSED:
            raise TryAgain("busy")  # closed while we waited: its funders' parts need the lock alone
        if closed:
            books.funders[lock.campaign_id] = await funders_of(connection, lock.campaign_id)
    return books, books.payments[payment_id]


async def lock_payment_counters(connection: Connection, books: Books, payments: Iterable[PaymentRow]) -> None:
    """Lock the counters that giving back anything of the payments touches."""
    books.usage = await lock_usage(connection, line_keys(books, payments))


async def load_terms(ctx: Context, connection: Connection, books: Books) -> None:
    """Read the campaigns and terms of the payments in the books."""
    lines = [line for payment in books.payments.values() for line in payment.lines]
    books.campaigns = await campaigns_of(connection, [line.campaign_id for line in lines])
    for version in {line.terms_version_id for line in lines}:
        books.rules[version] = await ctx.terms.get(connection, version)


async def _lock_campaigns(connection: Connection, locks: Iterable[LineLock]) -> None:
    """Share the campaigns' locks in order; hold alone those that are closed, whose funders are paid back."""
    for seq, state in sorted({(lock.seq, lock.campaign_state) for lock in locks}):
        if state == CLOSED:
            await lock_campaign(connection, seq)
        else:
            await share_campaigns(connection, [seq])
