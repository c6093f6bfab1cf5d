"""Migrating: again without effect, from several processes at once, and never over a changed text."""

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest

from campaigns.runtime.engines import Databases, Engines
from campaigns.store.migrate import ChangedMigrationError, WrongModeError, migrate, migration_texts


async def test_migrating_again_changes_nothing(database: Databases, owner: asyncpg.Connection) -> None:
    before = await owner.fetch("SELECT * FROM tortoise_migrations")
    await migrate(database.owner.dsn, "test")
    assert await owner.fetch("SELECT * FROM tortoise_migrations") == before


async def test_a_changed_text_is_refused_and_named(database: Databases, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE migration_text SET sha256 = '\\x00' WHERE name = '0002_value'")
    with pytest.raises(ChangedMigrationError, match="0002_value"):
        await migrate(database.owner.dsn, "test")


async def test_another_mode_is_refused(database: Databases) -> None:
    with pytest.raises(WrongModeError, match="HONGBAO_MODE=test"):
        await migrate(database.owner.dsn, "production")


def test_the_sql_beside_a_migration_counts(tmp_path: Path) -> None:
    (tmp_path / "0001_a.py").write_text("x")
    (tmp_path / "0001_a.sql").write_text("y")
    first = migration_texts(tmp_path)
    (tmp_path / "0001_a.sql").write_text("z")
    assert list(first) == ["0001_a"] and migration_texts(tmp_path) != first


async def test_two_connections_migrate_one_database(engines: Engines) -> None:
    databases = await engines.create_database("hongbao_twice")
    try:
        program = "import asyncio, sys; from campaigns.store.migrate import migrate; asyncio.run(migrate(*sys.argv[1:]))"
        started = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", program, databases.owner.dsn, "test")
            for _ in range(2)
        ]
        assert [await process.wait() for process in started] == [0, 0]
    finally:
        await engines.drop_database("hongbao_twice")
