"""The uptake report of a campaign: read on one snapshot, computed by `campaigns.domain.report`."""

from collections import Counter
from collections.abc import Callable, Iterable
from string import Formatter
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from campaigns.domain.codes import CODES, sentence
from campaigns.domain.definition.model import Text
from campaigns.domain.errors import not_found
from campaigns.domain.funders import funder_parts
from campaigns.domain.ledger import Account
from campaigns.domain.places import name_zh
from campaigns.domain.report import (
    TOP_MERCHANTS,
    TOP_PLACES,
    Day,
    FunderPart,
    Funnel,
    Merchants,
    Money,
    RefusalCount,
    Refusals,
    Report,
    Slice,
    Spending,
    Stage,
    fill_days,
    own_per_yuan_fen,
    share_bp,
    slices,
    targets,
)
from campaigns.domain.report_figures import kinds_of
from campaigns.domain.report_merchants import takes_vouchers
from campaigns.domain.scenarios import scenario_name
from campaigns.services.context import Context
from campaigns.store import report_queries as store
from campaigns.store.ledger import balances
from campaigns.store.pool import Connection

REPORT_TIMEOUT_MS: Final = 60_000
PAYING: Final = ("redeem", "authorize")  # the acts that are attempts to pay
LEFT_OUT: Final = "…"


class _Labels(Struct, frozen=True):
    """What the report takes from a campaign's file."""

    name: Text
    place_names: dict[str, Text] = {}


async def report(ctx: Context, campaign_id: UUID, programme_id: UUID | None = None) -> Report:
    """Report a campaign's uptake as it stands now, on one snapshot.

    ``programme_id`` is the caller's programme; None (the office's own command line) takes any. Raises Refused
    ``not_found`` for an unknown or foreign campaign.
    """
    async with (
        ctx.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(f"SET LOCAL statement_timeout = {REPORT_TIMEOUT_MS}")
        head = await store.head(connection, campaign_id, programme_id)
        if head is None:
            raise not_found("campaign")
        return await _read(ctx, connection, head)


async def campaign_named(ctx: Context, name: str) -> UUID:
    """The id of the campaign with this code or id. Raises Refused ``not_found``, also where the code is not unique."""
    async with ctx.pool.acquire() as connection:
        found = await store.ids_named(connection, name)
    if len(found) != 1:
        raise not_found("campaign")
    return found[0]


async def _read(ctx: Context, connection: Connection, head: store.Head) -> Report:
    labels = msgspec.convert(head.definition, _Labels)
    stores = await store.by_store(connection, head.id)
    ledger = await balances(connection, head.id)
    states = await store.payment_states(connection, head.id)
    spending = await _spending(connection, head, stores, states)
    funnel = await _funnel(connection, head, spending.spent_fen, ledger)
    merchants = await _merchants(ctx, connection, head, stores)
    refusals = await _refusals(connection, head, sum(states.values()))
    days = await store.by_day(connection, head.id, head.time_zone)
    found = {
        "claimed": funnel.claimed_bp,
        "spent": funnel.spent_bp,
        "merchants_active": merchants.active_bp,
        "refused": refusals.refused_bp,
    }
    return Report(
        campaign_id=str(head.id),
        code=head.code,
        name=labels.name,
        programme=Text(zh=head.name_zh, en=head.name_en),
        state=head.state,
        mode=head.mode,
        time_zone=head.time_zone,
        made_at=head.at,
        spending_start=head.spending_start,
        spending_end=head.spending_end,
        closed_at=head.closed_at,
        targets=targets(found),
        funnel=funnel,
        spending=spending,
        days=fill_days(
            [
                Day(day=d.day, payments=d.payments, captured_fen=d.captured_fen, refunded_fen=d.refunded_fen)
                for d in days
            ]
        ),
        places=slices(_sliced(stores, lambda s: s.place, lambda s: _place(labels, s.place)), TOP_PLACES),
        scenarios=slices(_sliced(stores, lambda s: s.scenario, lambda s: _scenario(s.scenario))),
        by_merchant=slices(
            _sliced(stores, lambda s: s.merchant, lambda s: Text(zh=s.merchant_name, en=s.merchant_name)),
            TOP_MERCHANTS,
        ),
        merchants=merchants,
        refusals=refusals,
        funders=await _funders(connection, head.id, spending.spent_fen, ledger),
        money=_money(ledger),
        kinds=kinds_of(head.mode),
    )


async def _funnel(
    connection: Connection, head: store.Head, spent_fen: int, ledger: dict[Account, int]
) -> Funnel:
    entries, struck = await store.entries(connection, head.id)
    packets = await store.packets(connection, head.id)
    returned_fen = sum(fen for account, fen in ledger.items() if account.kind == "returned")
    back = packets.offered - packets.accepted + packets.expired if head.closed_at is not None else 0
    return Funnel(
        registered=None if head.registration_start is None else Stage(count=entries),
        struck=struck,
        offered=Stage(count=packets.offered, value_fen=packets.offered_fen),
        drawn=Stage(count=packets.drawn, value_fen=packets.drawn_fen),
        called_in=packets.called_in,
        lapsed=packets.lapsed,
        declined=packets.declined,
        accepted=Stage(count=packets.accepted, value_fen=packets.accepted_fen),
        first_use=Stage(count=packets.used, value_fen=packets.used_fen),
        fully_used=Stage(count=packets.done, value_fen=packets.done_fen),
        expired=Stage(count=packets.expired, value_fen=packets.expired_fen),
        returned=Stage(count=back, value_fen=returned_fen),
        claimed_bp=share_bp(packets.accepted, packets.offered),
        spent_bp=share_bp(spent_fen, packets.accepted_fen),
    )


async def _spending(
    connection: Connection, head: store.Head, stores: list[store.StoreSum], states: dict[str, int]
) -> Spending:
    captured_fen = sum(s.captured_fen for s in stores)
    refunded_fen = sum(s.refunded_fen for s in stores)
    spent_fen, own_fen = captured_fen - refunded_fen, sum(s.own_fen for s in stores)
    return Spending(
        payments=sum(s.payments for s in stores),
        undone=sum(s.undone for s in stores),
        released=states.get("voided", 0) + states.get("expired", 0),
        refunds=await store.refund_count(connection, head.id),
        captured_fen=captured_fen,
        refunded_fen=refunded_fen,
        spent_fen=spent_fen,
        own_fen=own_fen,
        value_fen=spent_fen + own_fen,
        own_per_yuan_fen=own_per_yuan_fen(own_fen, spent_fen),
    )


def _sliced(
    stores: Iterable[store.StoreSum], key: Callable[[store.StoreSum], str], name: Callable[[store.StoreSum], Text]
) -> list[Slice]:  # fmt: skip
    return [
        Slice(
            key=key(one),
            name=name(one),
            payments=one.payments,
            spent_fen=one.captured_fen - one.refunded_fen,
            own_fen=one.own_fen,
        )
        for one in stores
    ]


def _place(labels: _Labels, code: str) -> Text:
    """The campaign file's own name of a place, else the standard's (which has Chinese names only), else the code."""
    known = name_zh(code)
    return labels.place_names.get(code) or Text(zh=known or code, en=f"{known} ({code})" if known else code)


def _scenario(scenario: str) -> Text:
    return Text(zh=scenario_name(scenario, "zh"), en=scenario_name(scenario, "en"))


async def _merchants(
    ctx: Context, connection: Connection, head: store.Head, stores: list[store.StoreSum]
) -> Merchants:
    """A merchant that has taken vouchers counts as listed, even where it is switched off by now."""
    active = {one.merchant_id for one in stores if one.payments > one.undone}
    listed = set(active)
    if head.terms_version_id is not None:
        rules = await ctx.terms.get(connection, head.terms_version_id)
        listed |= {
            one.merchant_id
            for one in await store.open_stores(connection, head.programme_id)
            if takes_vouchers(rules, one)
        }
    return Merchants(listed=len(listed), active=len(active), active_bp=share_bp(len(active), len(listed)))


async def _refusals(connection: Connection, head: store.Head, paid: int) -> Refusals:
    times: Counter[str] = Counter()
    other_acts = 0
    for row in await store.refusals(connection, head.id):
        if row.action in PAYING:
            times[row.code] += row.times
        else:
            other_acts += row.times
    refused = times.total()
    return Refusals(
        attempts=paid + refused,
        refused=refused,
        refused_bp=share_bp(refused, paid + refused),
        by_code=tuple(
            RefusalCount(code=code, times=count, sentence=general_sentence(code))
            for code, count in sorted(times.items(), key=lambda one: (-one[1], one[0]))
        ),
        other_acts=other_acts,
        unattributed=await store.unattributed_refusals(
            connection, head.programme_id, head.spending_start, head.spending_end
        ),
    )


def general_sentence(code: str) -> Text:
    """What a code means with the facts of single cases left out, so that a report tells of no person."""
    meaning = CODES[code]
    facts = {
        name: LEFT_OUT
        for text in (meaning.zh, meaning.en)
        for _, name, _, _ in Formatter().parse(text)
        if name
    }
    return Text(zh=sentence(code, facts, "zh"), en=sentence(code, facts, "en"))


async def _funders(
    connection: Connection, campaign_id: UUID, spent_fen: int, ledger: dict[Account, int]
) -> tuple[FunderPart, ...]:
    rows = await store.funders(connection, campaign_id)
    if not rows:
        return ()
    parts = funder_parts(spent_fen, [row.share_bp for row in rows])
    return tuple(
        FunderPart(
            code=row.code,
            name=Text(zh=row.name_zh, en=row.name_en),
            share_bp=row.share_bp,
            funded_fen=-ledger.get(Account("funder", row.id), 0),
            spent_fen=part_fen,
            returned_fen=ledger.get(Account("returned", row.id), 0),
        )
        for row, part_fen in zip(rows, parts, strict=True)
    )


def _money(ledger: dict[Account, int]) -> Money:
    sums: Counter[str] = Counter()
    for account, balance_fen in ledger.items():
        sums[account.kind] += balance_fen
    return Money(
        funded_fen=-sums["funder"],
        escrow_fen=sums["escrow"],
        outstanding_fen=sums["outstanding"],
        held_fen=sums["held"],
        payable_fen=sums["payable"],
        paid_fen=sums["paid"],
        returned_fen=sums["returned"],
    )
