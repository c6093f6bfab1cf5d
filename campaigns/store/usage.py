"""Usage counters: made where missing, locked in key order, written back."""

from collections.abc import Iterable, Mapping

from campaigns.domain.usage import UsageKey, UsageRow
from campaigns.store.pool import Connection
from campaigns.store.statements import Statement

_KEYS = """unnest($1::uuid[], $2::smallint[], $3::date[], $4::uuid[], $5::uuid[])
     AS t (campaign_id, cap, bucket, person_id, merchant_id)"""

_MAKE = f"""
INSERT INTO usage_counter (campaign_id, cap, bucket, person_id, merchant_id)
SELECT campaign_id, cap, bucket, person_id, merchant_id FROM {_KEYS}
ON CONFLICT DO NOTHING
"""

_LOCK = f"""
SELECT campaign_id, cap, bucket, person_id, merchant_id, uses, amount_fen
FROM usage_counter JOIN {_KEYS} USING (campaign_id, cap, bucket, person_id, merchant_id)
ORDER BY campaign_id, cap, bucket, person_id, merchant_id FOR UPDATE OF usage_counter
"""
_READ = _LOCK.replace("FOR UPDATE OF usage_counter", "")

_UPDATE = """
UPDATE usage_counter AS u SET uses = t.uses, amount_fen = t.amount_fen
FROM unnest($1::uuid[], $2::smallint[], $3::date[], $4::uuid[], $5::uuid[], $6::int[], $7::bigint[])
     AS t (campaign_id, cap, bucket, person_id, merchant_id, uses, amount_fen)
WHERE (u.campaign_id, u.cap, u.bucket, u.person_id, u.merchant_id)
    = (t.campaign_id, t.cap, t.bucket, t.person_id, t.merchant_id)
"""


async def lock_usage(connection: Connection, keys: Iterable[UsageKey]) -> dict[UsageKey, UsageRow]:
    """Lock the counters in key order, making those that are missing, and read them."""
    ordered = sorted(set(keys))
    if not ordered:
        return {}
    columns = list(zip(*ordered, strict=True))
    await connection.execute(_MAKE, *columns)
    found = await _rows(connection, _LOCK, columns)
    assert len(found) == len(ordered)
    return found


async def read_usage(connection: Connection, keys: Iterable[UsageKey]) -> dict[UsageKey, UsageRow]:
    """Read the counters without a lock, missing ones as zero: for quotes."""
    ordered = sorted(set(keys))
    if not ordered:
        return {}
    found = await _rows(connection, _READ, list(zip(*ordered, strict=True)))
    return {key: found.get(key, UsageRow()) for key in ordered}


def usage_update(usage: Mapping[UsageKey, UsageRow]) -> list[Statement]:
    """What writes locked counters that changed."""
    values = [(*key, row.uses, row.amount_fen) for key, row in usage.items() if row.changed]
    return [Statement(_UPDATE, list(zip(*values, strict=True)))] if values else []


async def _rows(
    connection: Connection, query: str, columns: list[tuple[object, ...]]
) -> dict[UsageKey, UsageRow]:
    rows = await connection.fetch(query, *columns)
    return {
        UsageKey(
            row["campaign_id"], row["cap"], row["bucket"], row["person_id"], row["merchant_id"]
        ): UsageRow(uses=row["uses"], amount_fen=row["amount_fen"])
        for row in rows
    }
