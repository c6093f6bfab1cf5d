"""A merchant's own rows: tills of its stores, its payments, and what its ledger accounts say."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from campaigns.store.pool import Connection

Row: TypeAlias = Any

_TILLS = "SELECT * FROM terminal WHERE store_id = ANY ($1::uuid[]) ORDER BY store_id, id"

# A payment's day is that of the campaign of its first line; campaigns that pay together seldom differ in their zone.
_PAYMENTS = """
SELECT p.id FROM payment p JOIN payment_line l ON l.payment_id = p.id AND l.line = 1
JOIN campaign c ON c.id = l.campaign_id
WHERE p.merchant_id = $1 AND p.id < $2
  AND ($3::date IS NULL OR (p.authorized_at AT TIME ZONE c.time_zone)::date = $3)
  AND ($4::timestamptz IS NULL OR p.authorized_at >= $4) AND ($5::timestamptz IS NULL OR p.authorized_at < $5)
ORDER BY p.id DESC LIMIT $6
"""

# By the merchant's own payments, and by the short list of pay-outs: no index of the hot table names merchants.
_ACCOUNTS = """
WITH cause AS (
    SELECT id FROM payment WHERE merchant_id = $1 AND captured_at IS NOT NULL
    UNION ALL
    SELECT r.id FROM refund r JOIN payment p ON p.id = r.payment_id WHERE p.merchant_id = $1
), line AS (
    SELECT t.* FROM cause JOIN transfer t ON t.cause_id = cause.id
    WHERE (t.credit_kind, t.credit_id) = ('payable', $1) OR (t.debit_kind, t.debit_id) = ('payable', $1)
    UNION ALL
    SELECT * FROM transfer WHERE credit_kind = 'paid' AND credit_id = $1
    UNION ALL
    SELECT * FROM transfer WHERE debit_kind = 'paid' AND debit_id = $1
)
SELECT c.id, c.code, c.definition -> 'name' ->> 'zh' AS name_zh, c.definition -> 'name' ->> 'en' AS name_en,
       (coalesce(sum(amount_fen) FILTER (WHERE credit_kind = 'payable'), 0)
        - coalesce(sum(amount_fen) FILTER (WHERE debit_kind = 'payable'), 0))::bigint AS payable_fen,
       (coalesce(sum(amount_fen) FILTER (WHERE credit_kind = 'paid'), 0)
        - coalesce(sum(amount_fen) FILTER (WHERE debit_kind = 'paid'), 0))::bigint AS paid_fen
FROM line JOIN campaign c ON c.id = line.campaign_id GROUP BY c.id ORDER BY c.id
"""


class AccountsRow(NamedTuple):
    """What one campaign owes a merchant and has paid it."""

    campaign_id: UUID
    code: str
    name_zh: str
    name_en: str
    payable_fen: int
    paid_fen: int


async def tills_of(connection: Connection, store_ids: Collection[UUID]) -> list[Row]:
    """The tills of these stores."""
    return await connection.fetch(_TILLS, list(store_ids))


async def newest_payments(
    connection: Connection, merchant_id: UUID, before: UUID, day: date | None, start: datetime | None,
    end: datetime | None, limit: int,
) -> list[UUID]:  # fmt: skip
    """Ids of a merchant's payments, newest first, authorized on ``day`` of their campaign's zone and in [start, end)."""
    rows = await connection.fetch(_PAYMENTS, merchant_id, before, day, start, end, limit)
    return [row["id"] for row in rows]


async def accounts_of(connection: Connection, merchant_id: UUID) -> list[AccountsRow]:
    """The merchant's payable and paid accounts, campaign by campaign."""
    return [AccountsRow(*row.values()) for row in await connection.fetch(_ACCOUNTS, merchant_id)]
