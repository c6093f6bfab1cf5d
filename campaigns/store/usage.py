"""Usage counters: made where missing, locked in key order, written back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from campaigns.domain.usage import UsageKey, UsageRow
from campaigns.store.pool import Connection
from campaigns.store.statements import Statement, of_rows, rows_text

_KEYS = """json_to_recordset($1)
    AS t (campaign_id uuid, cap smallint, bucket date, person_id uuid, merchant_id uuid)"""

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
FROM json_to_recordset($1) AS t (campaign_id uuid, cap smallint, bucket date, person_id uuid, merchant_id uuid, uses int,
    amount_fen bigint)
WHERE (u.campaign_id, u.cap, u.bucket, u.person_id, u.merchant_id)
    = (t.campaign_id, t.cap, t.bucket, t.person_id, t.merchant_id)
"""


class _Counter(Struct):
    campaign_id: UUID
    cap: int
    bucket: date
    person_id: UUID
    merchant_id: UUID
    uses: int = 0
    amount_fen: int = 0


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
            rows = await connection.fetch(query, rows_text([_Counter(*key) for key in missing]))
            found |= _counters(rows)
            times += [row["at"] for row in rows]
    assert len(found) == len(set(keys))
    return found, max(times)


async def read_usage(connection: Connection, keys: Iterable[UsageKey]) -> dict[UsageKey, UsageRow]:
    """Read the counters without a lock, missing ones as zero: for quotes."""
    ordered = sorted(set(keys))
    if not ordered:
        return {}
    found = _counters(await connection.fetch(_READ, rows_text([_Counter(*key) for key in ordered])))
    return {key: found.get(key, UsageRow()) for key in ordered}


def usage_update(usage: Mapping[UsageKey, UsageRow]) -> list[Statement]:
    """What writes locked counters that changed."""
    rows = [_Counter(*key, row.uses, row.amount_fen) for key, row in usage.items() if row.changed]
    return of_rows(rows, _UPDATE)


def _counters(rows: Sequence[Any]) -> dict[UsageKey, UsageRow]:
    return {
        UsageKey(row[0], row[1], row[2], row[3], row[4]): UsageRow(uses=row[5], amount_fen=row[6])
        for row in rows
    }
