"""What a merchant's back office reads: itself with its stores and tills, its payments, what it is owed."""

from collections import defaultdict
from datetime import UTC, date, datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import Invalid
from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.fields import AnyFen, Moment, Names
from campaigns.services.merchants import (
    MerchantAnswer,
    StoreAnswer,
    TerminalAnswer,
    list_stores,
    merchant_details,
)
from campaigns.services.paging import Page, PageQuery, before_id, page_of
from campaigns.services.payment_answers import PaymentAnswer, shown
from campaigns.store import own_merchant as store
from campaigns.store.locks import campaign_now
from campaigns.store.payments import read_payments
from campaigns.store.stores import campaigns_of


class OwnStore(Struct, frozen=True, kw_only=True):
    """A store of the merchant with all its tills."""

    store: StoreAnswer
    terminals: tuple[TerminalAnswer, ...]


class OwnMerchant(Struct, frozen=True, kw_only=True):
    """The merchant itself and a page of its stores."""

    merchant: MerchantAnswer
    stores: Page[OwnStore]


class OwnPaymentsQuery(
    PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}
):
    """A page of payments authorized on ``day`` in the zone of their campaign, or from ``from`` until before ``to``."""

    day: date | None = None
    start: Moment | None = None
    end: Moment | None = None


class CampaignAccounts(Struct, frozen=True, kw_only=True):
    """What one campaign owes the merchant (below zero: the merchant owes it) and has paid out to it."""

    campaign_id: UUID
    campaign: str
    name: Names
    payable_fen: AnyFen
    paid_fen: AnyFen


class OwnBalance(Struct, frozen=True, kw_only=True):
    """The merchant's accounts at one moment: the sums, and campaign by campaign."""

    at: datetime
    payable_fen: AnyFen
    paid_fen: AnyFen
    campaigns: tuple[CampaignAccounts, ...]


async def own_merchant(ctx: Context, principal: Principal, query: PageQuery) -> OwnMerchant:
    """The caller's own merchant, and its stores in the order they were added."""
    merchant = await merchant_details(ctx, principal, principal.id)
    stores = await list_stores(ctx, principal, principal.id, query)
    tills: dict[UUID, list[TerminalAnswer]] = defaultdict(list)
    async with ctx.pool.acquire() as connection:
        for row in await store.tills_of(connection, [one.id for one in stores.items]):
            tills[row["store_id"]].append(TerminalAnswer(**dict(row)))
    items = tuple(OwnStore(store=one, terminals=tuple(tills[one.id])) for one in stores.items)
    return OwnMerchant(merchant=merchant, stores=Page(items=items, next_cursor=stores.next_cursor))


async def own_payments(ctx: Context, principal: Principal, query: OwnPaymentsQuery) -> Page[PaymentAnswer]:
    """The merchant's own payments with what was refunded of them, newest first.

    Raises Invalid ``query_invalid`` for a day together with instants, and for an instant before or after every day.
    """
    _check_instant("from", query.start)
    _check_instant("to", query.end)
    if query.day is not None and (query.start is not None or query.end is not None):
        english, chinese = "either a day, or from and to", "请只用 day，或只用 from 与 to"
        raise Invalid("query_invalid", parameter="day", detail=english, detail_zh=chinese)
    async with ctx.pool.acquire() as connection:
        ids = await store.newest_payments(
            connection, principal.id, before_id(query), query.day, query.start, query.end, query.limit + 1
        )
        rows = await read_payments(connection, ids)
        named = {line.campaign_id for row in rows.values() for line in row.lines}
        campaigns = await campaigns_of(connection, named)
    return page_of([shown(rows[one], campaigns, principal) for one in ids], query, lambda one: one.id)


def _check_instant(parameter: str, instant: datetime | None) -> None:
    """An offset may carry the first and last hours of the calendar out of it."""
    try:
        if instant is not None:
            instant.astimezone(UTC)
    except OverflowError:
        english, chinese = "an instant of the years 1 to 9999", "须在公元 1 年至 9999 年之间"
        raise Invalid("query_invalid", parameter=parameter, detail=english, detail_zh=chinese) from None


async def own_balance(ctx: Context, principal: Principal) -> OwnBalance:
    """What the merchant is owed and was paid, from the ledger, on one snapshot."""
    async with (
        ctx.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        rows = await store.accounts_of(connection, principal.id)
        at = await campaign_now(connection)
    return OwnBalance(
        at=at,
        payable_fen=sum(row.payable_fen for row in rows),
        paid_fen=sum(row.paid_fen for row in rows),
        campaigns=tuple(
            CampaignAccounts(
                campaign_id=row.campaign_id,
                campaign=row.code,
                name=Names(zh=row.name_zh, en=row.name_en),
                payable_fen=row.payable_fen,
                paid_fen=row.paid_fen,
            )
            for row in rows
        ),
    )
