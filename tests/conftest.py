"""Fixtures on real engines: a fresh migrated database for each test, cloned from one migrated template."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from campaigns.gate.valkey import Gate, open_gate
from campaigns.runtime.engines import Databases, Engines
from campaigns.services.context import Context
from campaigns.store.migrate import migrate
from campaigns.store.pool import Pool, open_pool

pytest_plugins = ["tests.engines_fixture", "tests.scratch", "tests.skips"]

TEMPLATE = "hongbao_template"
TEST_HMAC_KEY = bytes(range(32))
POOL_SIZE = 16
_numbers = count(1)


@pytest.fixture(scope="session")
async def template(engines: Engines) -> str:
    """The name of a migrated, empty database in test mode."""
    databases = await engines.create_database(TEMPLATE)
    await migrate(databases.owner.dsn, "test")
    return TEMPLATE


@pytest.fixture
async def database(engines: Engines, template: str) -> AsyncIterator[Databases]:
    """A database of the test's own: ``.owner``, ``.app`` and ``.sweeper`` are ways to it."""
    name = f"hongbao_{next(_numbers)}"
    databases = await engines.create_database(name, template=template)
    yield databases
    await engines.drop_database(name)


@pytest.fixture
async def pool(database: Databases) -> AsyncIterator[Pool]:
    """A pool as role app, as the service uses it."""
    pool = await open_pool(database.app.dsn, size=POOL_SIZE)
    yield pool
    await pool.close()


@pytest.fixture
async def gate(engines: Engines) -> AsyncIterator[Gate]:
    """The gate on an empty Valkey."""
    gate = open_gate(engines.redis_url)
    await gate.redis.flushall()
    yield gate
    await gate.close()


@pytest.fixture
async def owner(database: Databases) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the owner, to look at rows and to tamper with them."""
    connection = await asyncpg.connect(database.owner.dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def ctx(pool: Pool, gate: Gate) -> Context:
    """What services work with, in test mode."""
    return Context(pool=pool, gate=gate, hmac_key=TEST_HMAC_KEY, mode="test")


@pytest.fixture
def environment(
    tmp_path: Path, engines: Engines, database: Databases, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Settings that lead a command to the test's engines and key; a folder of its own."""
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    key = secrets / "hmac.key"
    key.write_text(TEST_HMAC_KEY.hex() + "\n")
    key.chmod(0o600)
    for name, value in {
        "HONGBAO_MODE": "test",
        "HONGBAO_DATA_DIR": str(tmp_path),
        "HONGBAO_SECRETS_DIR": str(secrets),
        "DATABASE_URL": database.app.dsn,
        "REDIS_URL": engines.redis_url,
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path
