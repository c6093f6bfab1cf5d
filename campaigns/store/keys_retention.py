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


class MayNotDeleteError(RuntimeError):
    """The role that is to end the retention of request keys has no right to delete them."""


async def check_may_delete(connection: Connection) -> None:
    """See at the start what the loop that deletes would find later. Raises MayNotDeleteError."""
    if not await connection.fetchval("SELECT has_table_privilege(to_regclass('idempotency'), 'DELETE')"):
        raise MayNotDeleteError(
            "DATABASE_SWEEPER_URL（未设时为 DATABASE_URL）的用户不能删除过期的请求记录，请设为角色 sweeper 的地址。"
            " The role in DATABASE_SWEEPER_URL (if not set, in DATABASE_URL) may not delete expired request keys:"
            " give the address of the role sweeper."
        )


async def delete_old_keys(connection: Connection, limit: int) -> int:
    """Delete at most ``limit`` rows past their time: EFFECT_DAYS with an effect, NO_EFFECT_HOURS without."""
    status = await connection.execute(_DELETE, limit, NO_EFFECT_HOURS, EFFECT_DAYS)
    return int(status.rpartition(" ")[2])
