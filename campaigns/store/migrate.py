"""Bring a database to the newest schema: tortoise's executor under one advisory lock.

The executor itself has no lock between two migrating processes, so a session of our own holds one.
"""

from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
from tortoise import Tortoise
from tortoise.migrations.api.migrate import migrate as run_migrations

from campaigns.store.pool import Connection
from campaigns.store.seal_numbers import lift_numbers

MIGRATION_LOCK = 0x686F6E67  # "hong"
MIGRATIONS = Path(__file__).with_name("migrations")
SUPPORTED_MAJOR = 18


class WrongServerError(RuntimeError):
    """The database server is of a version hongbao was not tried on."""


class WrongModeError(RuntimeError):
    """The database was created for another mode (production, demo, test) than the process runs in."""


class ChangedMigrationError(RuntimeError):
    """A migration's text is not the one this database was made by: its tables may differ from what the code expects."""


class NoSchemaError(RuntimeError):
    """The database is empty: nothing has migrated it yet."""


async def check_mode(connection: Connection, mode: str) -> None:
    """See that the database was made for ``mode``, so that no demonstration acts on real money.

    Raises NoSchemaError and WrongModeError.
    """
    try:
        found = await connection.fetchval("SELECT mode FROM clock")
    except asyncpg.UndefinedTableError:
        found = None
    if found is None:
        raise NoSchemaError(
            "数据库是空的，请先运行 hongbao programme init 或 hongbao serve 建表。"
            " The database is empty: `hongbao programme init` or `hongbao serve` makes its tables."
        )
    if found != mode:
        raise _wrong_mode(found, mode)


def _wrong_mode(found: str, mode: str) -> WrongModeError:
    return WrongModeError(
        f"它是为 {found} 模式建立的，现在的模式是 {mode}；请设 HONGBAO_MODE={found}，或换用另一个数据库或数据目录。"
        f" This database was made for {found} mode and this is {mode} mode: set HONGBAO_MODE={found}, or name another"
        " database or data directory."
    )


async def migrate(owner_dsn: str, mode: str, clock_starts_at: datetime | None = None) -> None:
    """Migrate the database of ``owner_dsn`` and settle its mode (``production``, ``demo`` or ``test``).

    ``clock_starts_at`` is what the campaign clock of a new database says first, e.g. to replay a past year; the
    database refuses it in production, and one that has its clock keeps it.

    Raises WrongServerError, ChangedMigrationError and WrongModeError; safe to run from several processes at once.
    """
    lock = await asyncpg.connect(owner_dsn)
    try:
        major = lock.get_server_version().major
        if major != SUPPORTED_MAJOR:
            raise WrongServerError(f"PostgreSQL {major} found, {SUPPORTED_MAJOR} needed")
        await lock.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        await _check_texts(lock)
        try:
            await run_migrations(config=tortoise_config(owner_dsn))
        finally:
            await Tortoise.close_connections()
        await _note_texts(lock)
        await lift_numbers(lock)
        await lock.execute(
            "INSERT INTO clock (mode, shift) VALUES ($1, coalesce($2 - clock_timestamp(), '0'))"
            " ON CONFLICT DO NOTHING",
            mode,
            clock_starts_at,
        )
        await check_mode(lock, mode)
    finally:
        await lock.close()


def migration_texts(folder: Path) -> dict[str, bytes]:
    """SHA-256 of each migration's text: its Python file and the SQL beside it."""
    return {
        file.stem: sha256(
            b"".join(part.read_bytes() for part in sorted(folder.glob(f"{file.stem}.*")))
        ).digest()
        for file in sorted(folder.glob("[0-9]*.py"))
    }


async def _check_texts(lock: asyncpg.Connection) -> None:
    if await lock.fetchval("SELECT to_regclass('migration_text')") is None:
        return
    now = migration_texts(MIGRATIONS)
    rows = await lock.fetch("SELECT name, sha256 FROM migration_text ORDER BY name")
    changed = [row["name"] for row in rows if now.get(row["name"], row["sha256"]) != row["sha256"]]
    if changed:
        names = ", ".join(changed)
        raise ChangedMigrationError(
            f"迁移 {names} 的内容与建库时不同，表可能与程序不符；请用建库时的版本，演示数据可用 hongbao demo --fresh 重建。"
            f" Migration {names} is not the text this database was made by, so its tables may not fit: run the version"
            " that made it, or for a demonstration start anew with `hongbao demo --fresh`."
        )


async def _note_texts(lock: asyncpg.Connection) -> None:
    """Note what made this database; the table comes after the migrations' grants, so that only the owner has it."""
    await lock.execute(
        "CREATE TABLE IF NOT EXISTS migration_text (name text PRIMARY KEY, sha256 bytea NOT NULL)"
    )
    await lock.executemany(
        "INSERT INTO migration_text (name, sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        list(migration_texts(MIGRATIONS).items()),
    )


def tortoise_config(dsn: str) -> dict[str, object]:
    """Say to tortoise what an asyncpg DSN says, Unix sockets (``?host=/dir``) included."""
    parts = urlsplit(dsn)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if pair)
    credentials = {
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": parts.path.lstrip("/"),
        "host": unquote(query.get("host", parts.hostname or "localhost")),
        "port": parts.port or int(query.get("port", "5432")),
    }
    return {
        "connections": {
            "default": {"engine": "tortoise.backends.asyncpg", "credentials": credentials},
        },
        "apps": {
            "hongbao": {
                "models": ["campaigns.store.models"],
                "migrations": "campaigns.store.migrations",
                "default_connection": "default",
            }
        },
    }
