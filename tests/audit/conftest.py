"""A world with a past that an audit has proved and a part written since, cloned for each test."""

from collections.abc import AsyncIterator
from itertools import count

import asyncpg
import pytest

from campaigns.gate.valkey import open_gate
from campaigns.runtime.engines import Databases, Engines
from campaigns.services.auditing import audit
from campaigns.services.context import Context
from campaigns.services.paying import redeem
from campaigns.store.pool import open_pool
from tests.audit.bigworld import Size, make_bigworld
from tests.conftest import POOL_SIZE, TEST_HMAC_KEY
from tests.support.payworld import PayWorld, asked

BIG_TEMPLATE = "hongbao_audit_template"
PAST, SINCE = 600, 120
_numbers = count(1)


@pytest.fixture(scope="session")
async def big_template(engines: Engines, template: str) -> str:
    """A database with PAST payments that an audit has marked, and SINCE payments and a grant after it."""
    databases = await engines.create_database(BIG_TEMPLATE, template=template)
    pool = await open_pool(databases.app.dsn, size=POOL_SIZE)
    gate = open_gate(engines.redis_url)
    owner = await asyncpg.connect(databases.owner.dsn)
    try:
        ctx = Context(pool=pool, gate=gate, hmac_key=TEST_HMAC_KEY, mode="test")
        world = await make_bigworld(PayWorld(ctx), owner, Size(PAST))
        assert (await audit(ctx)).violations == 0
        await world.add(SINCE)
        person, shop = await world.small.person(), await world.small.merchant()
        await world.small.voucher(world.campaign_ids[0], person, 5_000)
        till, spend = world.small.till(shop), await world.small.spend(person, 3_000)
        await redeem(ctx, till, asked(till, spend), spend)
    finally:
        await owner.close()
        await gate.close()
        await pool.close()
    return BIG_TEMPLATE


@pytest.fixture
async def database(engines: Engines, big_template: str) -> AsyncIterator[Databases]:
    """A clone of that database for the test."""
    name = f"hongbao_audit_{next(_numbers)}"
    databases = await engines.create_database(name, template=big_template)
    yield databases
    await engines.drop_database(name)
