"""Reads of paying: a payment, lists of them, and the amounts that shops announce."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.fields import AmountFen
from campaigns.services.paging import Page, PageQuery, after_id, page_of
from campaigns.services.payment_answers import PaymentAnswer, shown
from campaigns.services.payment_lock import owned
from campaigns.store.locks import campaign_now
from campaigns.store.payment_lists import announce, payments_of_merchant, payments_of_person
from campaigns.store.payments import read_payments
from campaigns.store.pool import Connection
from campaigns.store.stores import campaigns_of
from campaigns.store.unit_of_work import Request, Work, perform

ANNOUNCED_SECONDS = 120


class HoldsQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of authorizations; ``pending`` for those that still wait for the shop's yes."""

    pending: bool = True


class Announce(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shop's amount for whoever stands at the counter; a newer one takes its place."""

    amount_fen: AmountFen


class AnnouncementAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the till announced; a holder may redeem up to it, once, before ``until``."""

    id: UUID
    amount_fen: AmountFen
    until: datetime


async def payment(ctx: Context, principal: Principal, payment_id: UUID) -> PaymentAnswer:
    """One payment of the caller's. Raises Refused ``not_found`` (404) for unknown and foreign ones alike."""
    async with ctx.pool.acquire() as connection:
        await owned(connection, principal, payment_id)
        return (await _shown(connection, principal, [payment_id]))[0]


async def payments(ctx: Context, principal: Principal, query: PageQuery) -> Page[PaymentAnswer]:
    """The caller's own payments, oldest first: a merchant's, a till's, or those of the person acted for."""
    async with ctx.pool.acquire() as connection:
        if principal.kind == "channel":
            assert principal.person_id is not None
            ids = await payments_of_person(
                connection, principal.person_id, principal.programme_id, after_id(query), query.limit + 1
            )
        else:
            ids = await payments_of_merchant(
                connection, principal.id, principal.terminal_id, after_id(query), query.limit + 1, held=False
            )
        return page_of(await _shown(connection, principal, ids), query, lambda one: one.id)


async def authorizations(ctx: Context, principal: Principal, query: HoldsQuery) -> Page[PaymentAnswer]:
    """The till's own authorizations, oldest first; with ``pending`` those not captured, voided or expired."""
    async with ctx.pool.acquire() as connection:
        ids = await payments_of_merchant(
            connection, principal.id, principal.terminal_id, after_id(query), query.limit + 1, held=query.pending
        )  # fmt: skip
        return page_of(await _shown(connection, principal, ids), query, lambda one: one.id)


async def announce_amount(
    ctx: Context, principal: Principal, asked: Request | None, command: Announce
) -> AnnouncementAnswer:
    """Announce an amount at the till for ANNOUNCED_SECONDS."""
    terminal_id = principal.terminal_id
    assert terminal_id is not None

    async def act(connection: Connection) -> AnnouncementAnswer:
        now = await campaign_now(connection)
        answer = AnnouncementAnswer(
            id=new_id(), amount_fen=command.amount_fen, until=now + timedelta(seconds=ANNOUNCED_SECONDS)
        )
        await announce(connection, answer.id, terminal_id, answer.amount_fen, now, answer.until)
        return answer

    return await perform(ctx.pool, asked, Work(AnnouncementAnswer, act))


async def _shown(connection: Connection, principal: Principal, ids: list[UUID]) -> list[PaymentAnswer]:
    rows = await read_payments(connection, ids)
    campaigns = await campaigns_of(
        connection, [line.campaign_id for row in rows.values() for line in row.lines]
    )
    return [shown(rows[payment_id], campaigns, principal) for payment_id in ids]
