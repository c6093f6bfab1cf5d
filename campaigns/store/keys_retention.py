"""The end of stored answers, by the one role that may delete them."""

from campaigns.store.pool import Connection

EFFECT_DAYS = 400
NO_EFFECT_HOURS = 72

# Retention is a matter of real time. Without a lock clause, for the role sweeper may delete and not update.
_DELETE = """
DELETE FROM idempotency WHERE (principal_id, key_digest) IN (
    SELECT principal_id, key_digest FROM idempotency
    WHERE at < clock_timestamp() - make_interval(hours => $2)
      AND (NOT effect OR at < clock_timestamp() - make_interval(days => $3))
    LIMIT $1)
"""


async def delete_old_keys(connection: Connection, limit: int) -> int:
    """Delete at most ``limit`` rows past their time: EFFECT_DAYS with an effect, NO_EFFECT_HOURS without."""
    status = await connection.execute(_DELETE, limit, NO_EFFECT_HOURS, EFFECT_DAYS)
    return int(status.rpartition(" ")[2])
