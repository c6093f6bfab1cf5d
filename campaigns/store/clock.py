"""The one-row clock: its mode, and its growth while no hold is open."""

from datetime import timedelta

from campaigns.store.pool import Connection


async def database_mode(connection: Connection) -> str:
    """The mode the database was created in; it never changes."""
    return str(await connection.fetchval("SELECT mode FROM clock"))


async def lock_holds(connection: Connection) -> bool:
    """Let no payment begin or end until the transaction does, and say whether a hold is open."""
    await connection.execute("LOCK TABLE payment IN SHARE ROW EXCLUSIVE MODE")
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM payment WHERE state = 'held')"))


async def grow_clock(connection: Connection, by: timedelta) -> None:
    """Add to the offset of campaign time."""
    await connection.execute("UPDATE clock SET shift = shift + $1", by)
