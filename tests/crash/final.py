"""What the database holds of a round's campaigns, read in one snapshot by statements of this suite alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

_PAYMENTS = """
SELECT p.id, p.person_id, p.terminal_id, p.merchant_id, p.state, p.basket_fen, p.subsidy_fen, p.captured_basket_fen,
       p.captured_fen, p.returned_goods_fen, p.refunded_fen, p.undo_asked_at IS NOT NULL AS wished, p.hold_until,
       (p.authorized_at AT TIME ZONE 'Asia/Shanghai')::date AS day,
       jsonb_agg(jsonb_build_array(l.campaign_id, l.authorized_fen, l.captured_fen, l.refunded_fen) ORDER BY l.line)::text
           AS lines
FROM payment p JOIN payment_line l ON l.payment_id = p.id
WHERE p.id IN (SELECT payment_id FROM payment_line WHERE campaign_id = ANY($1::uuid[])) GROUP BY p.id
"""
_REFUNDS = """
SELECT id, payment_id, kind, returned_goods_fen, back_fen FROM refund
WHERE payment_id IN (SELECT payment_id FROM payment_line WHERE campaign_id = ANY($1::uuid[]))
"""
_TRANSFERS = """
SELECT cause_id, kind, sum(amount_fen)::bigint AS amount_fen FROM transfer
WHERE campaign_id = ANY($1::uuid[]) GROUP BY cause_id, kind
"""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One campaign's part of a payment."""

    campaign: str
    authorized_fen: int
    captured_fen: int
    refunded_fen: int


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A row of payment with its lines; ids as text. ``day`` is that of the authorization."""

    id: str
    person: str
    terminal: str
    merchant: str
    state: str
    basket_fen: int
    subsidy_fen: int
    captured_basket_fen: int | None
    captured_fen: int
    returned_goods_fen: int
    refunded_fen: int
    wished: bool
    hold_until: float
    day: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Refund:
    """A row of refund: of goods, or an undo."""

    id: str
    payment: str
    kind: str
    goods_fen: int
    back_fen: int


@dataclass
class Final:
    """The end of a round. ``moved_fen`` is the ledger by (cause, kind); ``now`` campaign time in seconds."""

    now: float
    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    moved_fen: dict[tuple[str, str], int] = field(default_factory=dict)


async def read_final(connection: asyncpg.Connection, campaigns: Sequence[UUID]) -> Final:
    """Everything that was paid with these campaigns' vouchers."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        now: datetime = await connection.fetchval("SELECT campaign_now()")
        final = Final(now.timestamp())
        for row in await connection.fetch(_PAYMENTS, campaigns):
            payment = _payment(row)
            final.payments[payment.id] = payment
        for row in await connection.fetch(_REFUNDS, campaigns):
            refund = Refund(
                id=str(row[0]), payment=str(row[1]), kind=row[2], goods_fen=row[3], back_fen=row[4]
            )
            final.refunds[refund.id] = refund
        for row in await connection.fetch(_TRANSFERS, campaigns):
            final.moved_fen[str(row["cause_id"]), row["kind"]] = row["amount_fen"]
    return final


def _payment(row: Any) -> Payment:
    lines = tuple(
        Line(campaign=part[0], authorized_fen=part[1], captured_fen=part[2], refunded_fen=part[3])
        for part in json.loads(row["lines"])
    )
    return Payment(
        id=str(row["id"]), person=str(row["person_id"]), terminal=str(row["terminal_id"]),
        merchant=str(row["merchant_id"]), state=row["state"], basket_fen=row["basket_fen"],
        subsidy_fen=row["subsidy_fen"], captured_basket_fen=row["captured_basket_fen"],
        captured_fen=row["captured_fen"], returned_goods_fen=row["returned_goods_fen"],
        refunded_fen=row["refunded_fen"], wished=row["wished"], hold_until=row["hold_until"].timestamp(),
        day=row["day"].isoformat(), lines=lines,
    )  # fmt: skip
