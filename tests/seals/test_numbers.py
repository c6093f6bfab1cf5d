"""A dump restored into a server with lower transaction numbers is noticed, mended by migrating, and goes on being sealed."""

import asyncpg
import pytest

from campaigns.runtime.engines import Databases
from campaigns.services.seals import seal_rows
from campaigns.store.migrate import migrate
from campaigns.store.seal_numbers import MARGIN, NumbersBehindError, check_numbers, lift_numbers
from campaigns.store.seals import SealsBehind
from tests.seals.conftest import Sealed

OLDER_SERVER = 7_000_000_000  # beyond 32 bits
BODY = "SELECT pg_get_functiondef('row_tx()'::regprocedure) || ';' || pg_get_functiondef('settled_tx()'::regprocedure)"


@pytest.fixture
async def restored(unsealed: Sealed, owner: asyncpg.Connection) -> Sealed:
    """Rows and a block of a server far ahead, in a database whose functions count as this server does."""
    own = await owner.fetchval(BODY)
    for function, expression in (
        ("row_tx", "pg_current_xact_id()"),
        ("settled_tx", "pg_snapshot_xmin(pg_current_snapshot())"),
    ):
        await owner.execute(
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS xid8 LANGUAGE sql STABLE"
            f" RETURN ({expression}::text::bigint + {OLDER_SERVER})::text::xid8"
        )
    await unsealed.pay()
    assert await seal_rows(unsealed.ctx) == 1
    await unsealed.pay()  # in the dump, and in no block
    await owner.execute(own)
    return unsealed


async def test_it_is_noticed(restored: Sealed, owner: asyncpg.Connection) -> None:
    with pytest.raises(NumbersBehindError):
        await check_numbers(owner)
    with pytest.raises(SealsBehind):
        await seal_rows(restored.ctx)


async def test_migrating_mends_it(restored: Sealed, owner: asyncpg.Connection, database: Databases) -> None:
    await migrate(database.owner.dsn, "test")
    await check_numbers(owner)
    await restored.pay()
    assert await owner.fetchval("SELECT max(tx)::text::bigint FROM transfer") > OLDER_SERVER + MARGIN
    assert await seal_rows(restored.ctx) == 1
    check = await restored.verify()
    assert (check.findings, check.number) == ([], 2)
    assert (
        await owner.fetchval(
            "SELECT count(*) FROM transfer t WHERE tx >= (SELECT max(upto_tx) FROM seal_block)"
        )
        == 0
    )
    assert await lift_numbers(owner) > OLDER_SERVER, "said again, and not added again"
    lifted = await owner.fetchval(BODY)
    await migrate(database.owner.dsn, "test")
    assert await owner.fetchval(BODY) == lifted


async def test_numbers_that_lie_are_seen_without_the_mending(
    restored: Sealed, owner: asyncpg.Connection
) -> None:
    """Negative control: rows written with the lower numbers seem to be put into the old block."""
    await restored.pay()
    assert {one.what for one in (await restored.verify()).findings} == {"put in"}


async def test_a_database_in_use_is_left_alone(
    unsealed: Sealed, database: Databases, owner: asyncpg.Connection
) -> None:
    before = await owner.fetchval(BODY)
    slow = await asyncpg.connect(database.app.dsn)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute("INSERT INTO turn VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1)")
    await unsealed.pay()  # committed, with a higher number than one that still runs
    assert await lift_numbers(owner) == 0
    await transaction.rollback()
    await slow.close()
    assert await owner.fetchval(BODY) == before


async def test_a_database_of_before_the_seals_is_not_refused_for_its_numbers(
    owner: asyncpg.Connection,
) -> None:
    await owner.execute("DROP FUNCTION settled_tx()")
    await check_numbers(owner)
