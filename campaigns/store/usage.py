"""Usage counters: made where missing, locked in key order, written back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from campaigns.domain.usage import UsageKey, UsageRow
from campaigns.store.pool import Connection
from campaigns.store.statements import Statement

_KEYS = """unnest($1::uuid[], $2::smallint[], $3::date[], $4::uuid[], $5::uuid[])
     AS t (campaign_id, cap, bucket, person_id, merchant_id)"""

_MAKE = f"""
INSERT INTO usage_counter (campaign_id, cap, bucket, person_id, merchant_id)
SELECT campaign_id, cap, bucket, person_id, merchant_id FROM {_KEYS}
ON CONFLICT DO NOTHING
RETURNING campaign_id, cap, bucket, person_id, merchant_id, uses, amount_fen, campaign_now() AS at
"""

_ROWS = f"""
SELECT campaign_id, cap, bucket, person_id, merchant_id, uses, amount_fen
FROM usage_counter JOIN {_KEYS} USING (campaign_id, cap, bucket, person_id, merchant_id)
ORDER BY campaign_id, cap, bucket, person_id, merchant_id FOR UPDATE OF usage_counter
"""
_READ = _ROWS.replace("FOR UPDATE OF usage_counter", "")

# Each row's time is asked for once it is locked, so the last one's is later than every lock.
_LOCK = f"SELECT counter.*, campaign_now() AS at FROM ({_ROWS}) AS counter"

_UPDATE = """
UPDATE usage_counter AS u SET uses = t.uses, amount_fen = t.amount_fen
FROM unnest($1::uuid[], $2::smallint[], $3::date[], $4::uuid[], $5::uuid[], $6::int[], $7::bigint[])
     AS t (campaign_id, cap, bucket, person_id, merchant_id, uses, amount_fen)
WHERE (u.campaign_id, u.cap, u.bucket, u.person_id, u.merchant_id)
    = (t.campaign_id, t.cap, t.bucket, t.person_id, t.merchant_id)
"""


async def lock_usage(
    connection: Connection, keys: Collection[UsageKey]
) -> tuple[dict[UsageKey, UsageRow], datetime]:
    """Lock the counters in key order, making those that are missing; read them, and campaign time after every lock.

    Two who make the same counter at once may meet in a deadlock where each holds other ones: one of them runs again.
    """
    assert keys
    found: dict[UsageKey, UsageRow] = {}
    times: list[datetime] = []
    for query in (_LOCK, _MAKE, _LOCK):  # the last for those that somebody else made between the first two
        missing = sorted(set(keys) - found.keys())
        if missing:
            rows = await connection.fetch(query, *zip(*missing, strict=True))
            found |= _counters(rows)
            times += [row["at"] for row in rows]
    assert len(found) == len(set(keys))
    return found, max(times)


async def read_usage(connection: Connection, keys: Iterable[UsageKey]) -> dict[UsageKey, UsageRow]:
    """Read the counters without a lock, missing ones as zero: for quotes."""
    ordered = sorted(set(keys))
    if not ordered:
        return {}
    found = _counters(await connection.fetch(_READ, *zip(*ordered, strict=True)))
    return {key: found.get(key, UsageRow()) for key in ordered}


def usage_update(usage: Mapping[UsageKey, UsageRow]) -> list[Statement]:
    """What writes locked counters that changed."""
    values = [(*key, row.uses, row.amount_fen) for key, row in usage.items() if row.changed]
    return [Statement(_UPDATE, list(zip(*values, strict=True)))] if values else []


def _counters(rows: Sequence[Any]) -> dict[UsageKey, UsageRow]:
    return {
        UsageKey(row[0], row[1], row[2], row[3], row[4]): UsageRow(uses=row[5], amount_fen=row[6])
        for row in rows
    }
