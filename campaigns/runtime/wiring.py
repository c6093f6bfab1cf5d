"""From settings to a working `Context` and back: engines, migrations, pool, gate and the key of proofs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from campaigns.gate.valkey import open_gate
from campaigns.runtime.engines import Engines, connect_engines
from campaigns.runtime.keyfile import hmac_key
from campaigns.runtime.settings import Settings
from campaigns.services.context import Context
from campaigns.store.migrate import migrate
from campaigns.store.pool import open_pool


@asynccontextmanager
async def open_context(settings: Settings) -> AsyncIterator[Context]:
    """Join the engines (starting embedded ones) and open a Context on the migrated database.

    Leaves the engines at the end. Raises EngineError, NotDurableError, and asyncpg's errors.
    """
    engines = await connect_engines(settings)
    try:
        async with context_on(engines, settings) as ctx:
            yield ctx
    finally:
        engines.close()


@asynccontextmanager
async def context_on(engines: Engines, settings: Settings) -> AsyncIterator[Context]:
    """Open a Context on engines that somebody else holds."""
    key = hmac_key(settings)
    pool = await open_pool(engines.app_dsn, size=settings.pool_max_connections)
    try:
        gate = open_gate(engines.redis_url)
        try:
            yield Context(pool=pool, gate=gate, hmac_key=key, mode=settings.mode.value)
        finally:
            await gate.close()
    finally:
        await pool.close()


async def prepare(engines: Engines, settings: Settings) -> None:
    """Bring the database to the newest schema in this installation's mode, and see that the key of proofs exists.

    Raises WrongServerError, WrongModeError, KeyMissing, KeyUnsafe.
    """
    hmac_key(settings)
    await migrate(engines.owner_dsn, settings.mode.value)
