"""What paying and quoting share: the request, the till it happens at, and the person's vouchers."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from msgspec import Meta, Struct

from campaigns.domain.errors import Refused
from campaigns.domain.ids import new_id
from campaigns.domain.pay import Order, may_pay
from campaigns.domain.payments import Books
from campaigns.domain.principal import Principal
from campaigns.domain.terms.facts import Item, Position, Purchase
from campaigns.domain.usage import UsageKey, all_keys
from campaigns.domain.vouchers import VoucherRow
from campaigns.services.fields import AmountFen, Code
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.stores import Till, campaigns_of, tills, wallets_of
from campaigns.store.usage import read_usage
from campaigns.store.vouchers import Holding, candidates_of, read_vouchers

if TYPE_CHECKING:  # the context holds the lanes that payments commit in
    from campaigns.services.context import Context

MAX_ITEMS = 50
MAX_CODE_CHARACTERS = 64

ScannedCode = Annotated[str, Meta(min_length=1, max_length=MAX_CODE_CHARACTERS)]


class ItemPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of a basket in one category, e.g. ``tobacco``."""

    category: Code
    amount_fen: AmountFen


class PositionPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """WGS 84 degrees times 1,000,000."""

    latitude_e6: Annotated[int, Meta(ge=-90_000_000, le=90_000_000)]
    longitude_e6: Annotated[int, Meta(ge=-180_000_000, le=180_000_000)]


Items = Annotated[tuple[ItemPart, ...], Meta(max_length=MAX_ITEMS)]


class TillSpend(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A till pays for a basket with the payment code its customer shows.

    ``items`` name the parts of the basket in categories that campaigns may exclude.
    """

    basket_fen: AmountFen
    payment_code: ScannedCode
    items: Items = ()
    position: PositionPart | None = None


class StoreSpend(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A holder pays for a basket with the store code at the shop's counter."""

    basket_fen: AmountFen
    store_code: ScannedCode
    items: Items = ()
    position: PositionPart | None = None


Spend = TillSpend | StoreSpend


def facts_items(items: Iterable[ItemPart]) -> tuple[Item, ...]:
    """The items as the rules are told of them."""
    return tuple(Item(category=item.category, amount_fen=item.amount_fen) for item in items)


async def find_till(connection: Connection, principal: Principal, spend: Spend) -> Till:
    """The till of the request. Raises Refused ``store_code_unknown`` (404), ``store_not_active``."""
    if isinstance(spend, StoreSpend):
        _, by_code = await tills(connection, (), (spend.store_code,))
        till = by_code.get((principal.programme_id, spend.store_code))
        if till is None:
            raise Refused("store_code_unknown", status=404)
    else:
        assert principal.terminal_id is not None
        by_id, _ = await tills(connection, (principal.terminal_id,), ())
        till = by_id.get((principal.programme_id, principal.terminal_id))
    if till is None or not till.active:
        raise Refused("store_not_active")
    return till


def purchase_of(spend: Spend, till: Till) -> Purchase:
    """The purchase as `decide` is told of it; who gave the position does not matter to the rules."""
    position = spend.position
    return Purchase(
        basket_fen=spend.basket_fen,
        channel=till.channel,
        store=till.store,
        items=facts_items(spend.items),
        position=None
        if position is None
        else Position(latitude_e6=position.latitude_e6, longitude_e6=position.longitude_e6),
    )


async def read_person(ctx: "Context", connection: Connection, person_id: UUID, programme_id: UUID) -> Books:
    """The person's vouchers for a quote: nothing is locked, and nothing of it may be written."""
    holding = Holding(person_id, programme_id)
    found = await candidates_of(connection, {holding})
    books = Books(vouchers=await read_vouchers(connection, [one.id for one in found.get(holding, ())]))
    await _load_terms(ctx, connection, books)
    return books


async def _load_terms(ctx: "Context", connection: Connection, books: Books) -> None:
    books.campaigns = await campaigns_of(connection, [v.campaign_id for v in books.vouchers.values()])
    for version in {voucher.terms_version_id for voucher in books.vouchers.values()}:
        books.rules[version] = await ctx.terms.get(connection, version)


async def read_counters(
    connection: Connection, books: Books, person_id: UUID, merchant_id: UUID
) -> datetime:  # fmt: skip
    """Campaign time for a quote, and the counters of the books' vouchers as they stand."""
    now = await campaign_now(connection)
    books.usage = await read_usage(
        connection, counters_of(books, books.vouchers.values(), person_id, merchant_id, now)
    )
    return now


def counters_of(
    books: Books, vouchers: Iterable[VoucherRow], person_id: UUID, merchant_id: UUID, now: datetime
) -> set[UsageKey]:
    """The counters that payments with these vouchers may count in at ``now``."""
    return {
        key
        for voucher in vouchers
        if may_pay(books, voucher, now)
        for key in all_keys(
            books.rules[voucher.terms_version_id], voucher.campaign_id, person_id, merchant_id, now
        )
    }


async def make_order(
    connection: Connection, books: Books, principal: Principal, person_id: UUID, code_id: UUID | None,
    till: Till, spend: Spend, *, at_once: bool,
) -> Order:  # fmt: skip
    """Gather what the decision is about; the wallets are read only where some terms ask for one."""
    asks = any(rules.wallet_operators for rules in books.rules.values())
    wallets = await wallets_of(connection, {person_id}) if asks else {}
    return Order(
        payment_id=new_id(),
        programme_id=principal.programme_id,
        person_id=person_id,
        terminal_id=till.terminal_id,
        code_id=code_id,
        purchase=purchase_of(spend, till),
        wallet_operators=wallets.get(person_id, frozenset()),
        at_once=at_once,
    )
