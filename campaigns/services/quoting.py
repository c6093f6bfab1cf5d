"""Quotes: what a payment would come to, without doing it. Read-only, so nothing is promised.

A till hears sums and a public code; the holder's channel hears of each voucher why it pays or does not.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import Fact, Refused
from campaigns.domain.pay import Judged, NoLine, judge, lines_of
from campaigns.domain.payments import Books
from campaigns.domain.principal import Principal
from campaigns.domain.terms.facts import Allowed, Denial
from campaigns.domain.terms.stacking import Chosen
from campaigns.services.codes import check_code, resolve_code
from campaigns.services.context import Context
from campaigns.services.fields import AmountFen, AnyFen
from campaigns.services.refusing import told
from campaigns.services.spending import (
    Spend,
    TillSpend,
    find_till,
    make_order,
    read_counters,
    read_person,
)
from campaigns.store.payment_lists import newest_announcement
from campaigns.store.payments import codes_used


class RefusalAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why not: a stable code and its facts."""

    code: str
    facts: dict[str, Fact]


class VoucherQuote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the holder's vouchers: what it alone would give, what it gives in this payment, or why nothing."""

    voucher_id: UUID
    campaign: str
    alone_fen: AnyFen
    amount_fen: AnyFen
    refusal: RefusalAnswer | None


class QuoteAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``subsidy_fen`` + ``own_fen`` = ``basket_fen``; ``refusal`` where the subsidy is nothing.

    ``vouchers`` is for the holder alone and empty for a till. ``announced_fen`` is what the shop announced at
    this store code, if it waits to be paid.
    """

    basket_fen: AmountFen
    subsidy_fen: AnyFen
    own_fen: AnyFen
    at: datetime
    refusal: RefusalAnswer | None
    announced_fen: int | None = None
    vouchers: tuple[VoucherQuote, ...] = ()


async def quote(ctx: Context, principal: Principal, spend: Spend) -> QuoteAnswer:
    """Quote a payment. Raises Refused for a code, till or store code that would be refused."""
    live = await resolve_code(ctx, principal, spend.payment_code) if isinstance(spend, TillSpend) else None
    person_id = principal.person_id if live is None else live.person_id
    assert person_id is not None
    async with (
        ctx.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        till = await find_till(connection, principal, spend)
        if live is not None and await codes_used(connection, [live.code_id]):
            raise Refused("code_already_used")
        books = await read_person(ctx, connection, person_id, principal.programme_id)
        now = await read_counters(connection, books, person_id, till.store.merchant_id)
        if live is not None:
            check_code(live, now)
        order = await make_order(connection, books, principal, person_id, None, till, spend, at_once=True)
        announced = None if live else await newest_announcement(connection, till.terminal_id, lock=False)
    judged = judge(books, order, now)
    chosen, refusal = _chosen(books, judged, spend.basket_fen, now, principal)
    subsidy_fen = sum(line.amount_fen for line in chosen)
    waits = announced is not None and announced.payment_id is None and now < announced.until
    return QuoteAnswer(
        basket_fen=spend.basket_fen,
        subsidy_fen=subsidy_fen,
        own_fen=spend.basket_fen - subsidy_fen,
        at=now,
        refusal=refusal,
        announced_fen=announced.amount_fen if announced is not None and waits else None,
        vouchers=() if live is not None else _vouchers(books, judged, chosen),
    )


def _chosen(
    books: Books, judged: list[Judged], basket_fen: int, now: datetime, principal: Principal
) -> tuple[tuple[Chosen, ...], RefusalAnswer | None]:
    try:
        return lines_of(books, judged, basket_fen, now), None
    except NoLine as no:
        code, facts = told(principal, no.denial)
        return (), RefusalAnswer(code=code, facts=facts)


def _vouchers(books: Books, judged: list[Judged], chosen: tuple[Chosen, ...]) -> tuple[VoucherQuote, ...]:
    amounts = {line.offer.voucher.id: line.amount_fen for line in chosen}
    return tuple(
        VoucherQuote(
            voucher_id=voucher.id,
            campaign=books.campaigns[voucher.campaign_id].code,
            alone_fen=decision.amount_fen if isinstance(decision, Allowed) else 0,
            amount_fen=amounts.get(voucher.id, 0),
            refusal=RefusalAnswer(code=decision.code, facts=dict(decision.facts))
            if isinstance(decision, Denial)
            else None,
        )
        for voucher, decision in judged
    )
