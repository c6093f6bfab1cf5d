"""Which errors mean that an engine is away for now, so that waiting helps: everything else is a bug of ours."""

import asyncpg
from redis.exceptions import RedisError

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, crashed, starting, cancelled
    asyncpg.IdleInTransactionSessionTimeoutError,  # we were stopped for too long
    asyncpg.InsufficientResourcesError,  # disk, memory or connections are used up
    asyncpg.PostgresSystemError,  # a file could not be opened or read: seen on the way into a server that was killed
    asyncpg.LockNotAvailableError,  # a table under maintenance; where a row's lock is waited for, `perform` says busy
    RedisError,
    OSError,
    TimeoutError,
)


def is_outage(error: BaseException) -> bool:
    """Whether PostgreSQL or Valkey did not answer (gone, restarting, full, locked, or too slow)."""
    if isinstance(error, _AWAY):
        return True
    if isinstance(error, asyncpg.InternalClientError):
        # PostgreSQL's last words, on its kill, reached a connection at rest and its end has not come yet: nothing
        # can be sent on it. (Two operations on one connection, a bug of ours, would be an InterfaceError.)
        return "cannot switch to" in str(error)
    # asyncpg says this of a connection that was lost in the middle of a transaction
    return isinstance(error, asyncpg.InterfaceError) and "clos" in str(error)
