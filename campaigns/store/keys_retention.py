"""The end of stored answers, by the one role that may delete them."""

from campaigns.store.pool import Connection

# Retention is a matter of real time. Without a lock clause, for the role sweeper may delete and not update.
_DELETE = """
DELETE FROM idempotency WHERE (principal_id, key_digest) IN (
    SELECT principal_id, key_digest FROM idempotency
    WHERE at < clock_timestamp() - interval '72 hours'
      AND (NOT effect OR at < clock_timestamp() - interval '400 days')
    LIMIT $1)
"""


async def delete_old_keys(connection: Connection, limit: int) -> int:
    """Delete at most ``limit`` rows past their time: 400 days with an effect, 72 hours without."""
    status = await connection.execute(_DELETE, limit)
    return int(status.rpartition(" ")[2])
