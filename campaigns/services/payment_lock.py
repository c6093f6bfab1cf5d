"""Whose a payment is, and what the sweep locks and reads to end a hold."""

from collections.abc import Iterable
from uuid import UUID

from campaigns.domain.errors import not_found
from campaigns.domain.payments import Books, PaymentRow, line_keys
from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.payment_answers import is_holder
from campaigns.store.payments import Owners, owners_of
from campaigns.store.pool import Connection
from campaigns.store.stores import campaigns_of
from campaigns.store.usage import lock_usage


def concerns(principal: Principal, owners: Owners) -> bool:
    """Say whether the payment is the caller's: its merchant's (or one of its tills') or its holder's channel."""
    if owners.programme_id != principal.programme_id:
        return False
    if principal.kind in ("terminal", "merchant"):
        return owners.merchant_id == principal.id
    return is_holder(principal, owners.person_id)


async def owned(connection: Connection, principal: Principal, payment_id: UUID) -> Owners:
    """Whose the payment is. Raises Refused ``not_found`` for unknown and foreign payments alike."""
    owners = (await owners_of(connection, [payment_id])).get(payment_id)
    if owners is None or not concerns(principal, owners):
        raise not_found("payment")
    return owners


async def lock_payment_counters(connection: Connection, books: Books, payments: Iterable[PaymentRow]) -> None:
    """Lock the counters that giving back anything of the payments touches."""
    keys = line_keys(books, payments)
    if keys:
        books.usage, _ = await lock_usage(connection, keys)


async def load_terms(ctx: Context, connection: Connection, books: Books) -> None:
    """Read the campaigns and terms of the payments in the books."""
    lines = [line for payment in books.payments.values() for line in payment.lines]
    books.campaigns = await campaigns_of(connection, [line.campaign_id for line in lines])
    for version in {line.terms_version_id for line in lines}:
        books.rules[version] = await ctx.terms.get(connection, version)
