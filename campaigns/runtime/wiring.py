"""From settings to a working `Context` and back: engines, migrations, pool, gate and the key of proofs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime

import asyncpg

from campaigns.gate.valkey import open_gate
from campaigns.runtime.engines import EngineError, Engines, connect_engines
from campaigns.runtime.keyfile import hmac_key
from campaigns.runtime.outages import is_outage
from campaigns.runtime.settings import Settings
from campaigns.services.context import Context
from campaigns.store.keys_retention import MayNotDeleteError, check_may_delete
from campaigns.store.migrate import (
    ChangedMigrationError,
    NoSchemaError,
    WrongModeError,
    WrongServerError,
    check_mode,
    migrate,
)
from campaigns.store.pool import NotDurableError, open_pool
from campaigns.store.seal_numbers import NumbersBehindError, check_numbers

logger = logging.getLogger(__name__)

DRAWS_FOLDER = "draws"
REJOIN_SECONDS = 5.0


class CannotStart(RuntimeError):
    """The database cannot be used as it is; the text says why, in Chinese and English."""


class EngineAway(CannotStart):
    """PostgreSQL does not answer now; waiting may help."""


@contextmanager
def _said_plainly() -> Iterator[None]:
    try:
        yield
    except (
        WrongServerError,
        ChangedMigrationError,
        WrongModeError,
        NoSchemaError,
        NumbersBehindError,
        NotDurableError,
        MayNotDeleteError,
    ) as error:
        raise CannotStart(f"数据库不能使用。{error}") from error
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        name = type(error).__name__
        raise CannotStart(
            f"PostgreSQL 拒绝登录，请检查 DATABASE_URL 与 DATABASE_OWNER_URL 中的用户、密码和库名。"
            f" PostgreSQL does not let us in ({name}): check user, password and database in DATABASE_URL"
            " and DATABASE_OWNER_URL."
        ) from error
    except Exception as error:
        if not is_outage(error):
            raise
        raise EngineAway(
            "PostgreSQL 没有应答，请检查 DATABASE_URL 中的地址与端口。"
            f" PostgreSQL does not answer ({type(error).__name__}): check host and port in DATABASE_URL."
        ) from error


@asynccontextmanager
async def open_context(settings: Settings) -> AsyncIterator[Context]:
    """Join the engines (starting embedded ones) and open a Context on the migrated database.

    Embedded engines whose supervisor was killed are joined, or started, again. Leaves the engines at the end.
    Raises EngineError and CannotStart.
    """
    engines = await connect_engines(settings)
    guard = asyncio.create_task(_keep(engines), name="engines") if engines.embedded else None
    try:
        async with context_on(engines, settings) as ctx:
            yield ctx
    finally:
        if guard is not None:
            guard.cancel()
            await asyncio.wait({guard})
        engines.close()


async def _keep(engines: Engines) -> None:
    """Stay a user of the engines; where there is no way back to them now (a full disk), try again and again."""
    while True:
        try:
            await engines.join_again()
            await engines.watch()
        except EngineError as error:
            logger.error("the engines are away: %s", error.code)
        await asyncio.sleep(REJOIN_SECONDS)


@asynccontextmanager
async def context_on(engines: Engines, settings: Settings) -> AsyncIterator[Context]:
    """Open a Context on engines that somebody else holds. Raises KeyMissing, KeyUnsafe and CannotStart."""
    key = hmac_key(settings)
    with _said_plainly():
        pool = await open_pool(
            engines.app_dsn,
            size=settings.pool_max_connections,
            min_size=settings.pool_min_connections,
            acquire_timeout_ms=settings.acquire_timeout_ms,
            lock_timeout_ms=settings.lock_timeout_ms,
            statement_timeout_ms=settings.statement_timeout_ms,
        )
    try:
        with _said_plainly():
            async with pool.acquire() as connection:
                await check_mode(connection, settings.mode.value)
                await check_numbers(connection)
        gate = open_gate(engines.redis_url, settings.redis_max_connections)
        try:
            ctx = Context(
                pool=pool,
                gate=gate,
                hmac_key=key,
                mode=settings.mode.value,
                draws_dir=settings.data_dir / DRAWS_FOLDER,
            )
            try:
                yield ctx
            finally:
                for lanes in ctx.lanes.values():
                    await lanes.drain()
        finally:
            await gate.close()
    finally:
        await pool.close()


async def prepare(engines: Engines, settings: Settings, clock_starts_at: datetime | None = None) -> None:
    """Bring the database to the newest schema in this installation's mode, and see that the key of proofs exists.

    ``clock_starts_at`` is for a new database that is not a production one, see `migrate`.

    Raises CannotStart, KeyMissing, KeyUnsafe.
    """
    hmac_key(settings)
    with _said_plainly():
        await migrate(engines.owner_dsn, settings.mode.value, clock_starts_at)


async def prepare_service(engines: Engines, settings: Settings) -> None:
    """As `prepare`, and see that the service's loops may do their work. Raises as `prepare`."""
    await prepare(engines, settings)
    with _said_plainly():
        sweeper = await asyncpg.connect(engines.sweeper_dsn)
        try:
            await check_may_delete(sweeper)
        finally:
            await sweeper.close()
