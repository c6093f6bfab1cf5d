"""What an operating institution reads: what it holds in custody, and what is owed to merchants it receives for."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.fields import AnyFen, Names
from campaigns.services.paging import Page, PageQuery, after_id, before_id, page_of
from campaigns.store import positions as store
from campaigns.store.campaigns import campaign_row
from campaigns.store.locks import campaign_now


class Custody(Struct, frozen=True, kw_only=True):
    """The operator's custody accounts of a campaign; ``funded_fen`` is all that came, the others what is there now."""

    funded_fen: AnyFen
    escrow_fen: AnyFen
    outstanding_fen: AnyFen
    held_fen: AnyFen


class Receiving(Struct, frozen=True, kw_only=True):
    """What a campaign owes the merchants the operator receives for, and has paid them, in one sum."""

    merchants: int
    payable_fen: AnyFen
    paid_fen: AnyFen


class Position(Struct, frozen=True, kw_only=True):
    """One campaign: ``custody`` null where the operator holds none of its money, ``receiving`` where it receives none."""

    campaign_id: UUID
    campaign: str
    name: Names
    state: str
    at: datetime
    custody: Custody | None
    receiving: Receiving | None


class Payable(Struct, frozen=True, kw_only=True):
    """What a campaign owes one merchant and has paid it; below zero the merchant owes it."""

    merchant_id: UUID
    code: str
    name: str
    payable_fen: AnyFen
    paid_fen: AnyFen


async def positions(ctx: Context, principal: Principal, query: PageQuery) -> Page[Position]:
    """The campaigns that concern the calling operator, newest first, each page on one snapshot."""
    async with (
        ctx.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        rows = await store.campaigns_with(
            connection, principal.programme_id, principal.id, before_id(query), query.limit + 1
        )
        ids = [row.id for row in rows]
        custody = await store.custody_of(connection, principal.id, ids)
        received = await store.received_by(connection, principal.id, ids)
        at = await campaign_now(connection)
    found = [_position(row, at, custody.get(row.id), received.get(row.id)) for row in rows]
    return page_of(found, query, lambda one: one.campaign_id)


async def payables(ctx: Context, principal: Principal, campaign_id: UUID, query: PageQuery) -> Page[Payable]:
    """What a campaign owes each merchant bound to the calling operator. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        await campaign_row(connection, principal.programme_id, campaign_id)
        rows = await store.payables_by(
            connection, principal.id, campaign_id, after_id(query), query.limit + 1
        )
    return page_of([_payable(row) for row in rows], query, lambda one: one.merchant_id)


def _position(
    row: store.CampaignRow, at: datetime, custody: store.CustodyRow | None, received: store.ReceivedRow | None
) -> Position:
    return Position(
        campaign_id=row.id,
        campaign=row.code,
        name=Names(zh=row.name_zh, en=row.name_en),
        state=row.state,
        at=at,
        custody=custody
        and Custody(
            funded_fen=custody.funded_fen,
            escrow_fen=custody.escrow_fen,
            outstanding_fen=custody.outstanding_fen,
            held_fen=custody.held_fen,
        ),
        receiving=received
        and Receiving(
            merchants=received.merchants, payable_fen=received.payable_fen, paid_fen=received.paid_fen
        ),
    )


def _payable(row: store.PayableRow) -> Payable:
    return Payable(
        merchant_id=row.merchant_id,
        code=row.code,
        name=row.name,
        payable_fen=row.payable_fen,
        paid_fen=row.paid_fen,
    )
