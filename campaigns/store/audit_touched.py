"""What rows written since a mark point to: the keys that an incremental audit proves again.

Every act that moves value writes a transfer, or at least a refund, a voucher or an award, each with the number of its
transaction. From those the payments, their lines and the vouchers are found; an index leads to each.
"""

from typing import Any, Final

from campaigns.store.pool import Connection

MOST_TOUCHED: Final = 200_000  # transfers; where more were written the whole is read as fast

_COUNT = "SELECT count(*) FROM (SELECT FROM transfer WHERE tx >= $1::text::xid8 LIMIT $2) AS written"

_PAYMENTS = """
WITH written AS MATERIALIZED (SELECT DISTINCT cause_id, kind FROM transfer WHERE tx >= $1::text::xid8)
SELECT array_agg(DISTINCT cause_id) FILTER (WHERE kind IN ('grant', 'expire')) AS vouchers,
       array_agg(DISTINCT cause_id) FILTER (WHERE kind = 'grant') AS granted,
       array_agg(DISTINCT cause_id) FILTER (WHERE kind IN ('refund', 'undo')) AS refunds,
       array_agg(DISTINCT cause_id) FILTER (
           WHERE kind IN ('authorize', 'capture', 'release', 'redeem', 'void', 'hold_expiry')) AS payments
FROM written
"""
_REFUNDED = """
SELECT asked.id AS cause_id, coalesce(r.payment_id, asked.id) AS payment_id
FROM unnest($2::uuid[]) AS asked (id) LEFT JOIN refund r ON r.id = asked.id
UNION SELECT id, payment_id FROM refund WHERE tx >= $1::text::xid8
"""
_REFUNDS_OF = """
SELECT r.id FROM unnest($1::uuid[]) AS asked (id) JOIN refund r ON r.payment_id = asked.id
"""
_VOUCHERS_OF = """
SELECT DISTINCT l.voucher_id FROM unnest($1::uuid[]) AS asked (id) JOIN payment_line l ON l.payment_id = asked.id
"""
_ISSUED = """
SELECT v.id, v.campaign_id, v.person_id, v.allotment_id, a.window_id, a.campaign_id AS of_campaign, a.tier
FROM voucher v LEFT JOIN allotment a ON a.id = v.allotment_id WHERE v.tx >= $1::text::xid8
UNION ALL
SELECT NULL, w.campaign_id, w.person_id, w.allotment_id, w.window_id, w.campaign_id, w.tier
FROM award w WHERE w.tx >= $1::text::xid8
"""


async def too_many(connection: Connection, tx: int) -> bool:
    """Say whether so much was written since transaction ``tx`` that the full audit is as fast."""
    return int(await connection.fetchval(_COUNT, str(tx), MOST_TOUCHED + 1)) > MOST_TOUCHED


async def touched_keys(connection: Connection, tx: int) -> dict[str, object]:
    """The values of `campaigns.store.audit_scope.touched` for what transactions from ``tx`` on have written."""
    at = str(tx)
    found = await connection.fetchrow(_PAYMENTS, at)
    causes = {name: set(found[name] or ()) for name in ("vouchers", "granted", "refunds", "payments")}
    payments, refunds = causes["payments"], causes["refunds"]
    for row in await connection.fetch(_REFUNDED, at, list(refunds)):
        refunds.add(row["cause_id"])
        payments.add(row["payment_id"])
    asked = list(payments)
    refunds.update(row["id"] for row in await connection.fetch(_REFUNDS_OF, asked))
    issued = await connection.fetch(_ISSUED, at)
    new_vouchers = causes["granted"] | {row["id"] for row in issued if row["id"] is not None}
    vouchers = causes["vouchers"] | new_vouchers
    vouchers.update(row["voucher_id"] for row in await connection.fetch(_VOUCHERS_OF, asked))
    return {
        "tx": at, "payments": asked, "refunds": list(refunds), "vouchers": list(vouchers),
        "new_vouchers": list(new_vouchers), "allotments": list({row["allotment_id"] for row in issued}),
        **_groups(issued),
    }  # fmt: skip


def _groups(issued: list[Any]) -> dict[str, object]:
    """The tiers and the persons' turns of what was issued, a list for each part of their keys."""
    there = [row for row in issued if row["window_id"] is not None]
    tiers = {(row["of_campaign"], row["window_id"], row["tier"]) for row in there}
    turns = {(row["campaign_id"], row["window_id"], row["person_id"]) for row in there}
    names = ("tier_campaigns", "tier_windows", "tiers", "turn_campaigns", "turn_windows", "turn_persons")
    columns = [[key[i] for key in keys] for keys in (tiers, turns) for i in range(3)]
    return dict(zip(names, columns, strict=True))
