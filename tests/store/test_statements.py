"""Several writes in one statement: all of them happen, and one that finds too few rows is a bug that is heard."""

import asyncpg
import pytest
from msgspec import Struct

from campaigns.store.pool import Pool
from campaigns.store.statements import of_rows, run_together

MAKE = "INSERT INTO pair (id, value) SELECT id, value FROM json_to_recordset($1) AS t (id int, value text)"
CHANGE = "UPDATE pair SET value = t.value || $2 FROM json_to_recordset($1) AS t (id int, value text) WHERE pair.id = t.id"


class Pair(Struct):
    id: int
    value: str


@pytest.fixture
async def pairs(owner: asyncpg.Connection) -> asyncpg.Connection:
    await owner.execute(
        "CREATE TABLE pair (id int PRIMARY KEY, value text); GRANT ALL ON pair TO app; INSERT INTO pair VALUES (1, 'a')"
    )
    return owner


async def test_all_are_written_at_once(pool: Pool, pairs: asyncpg.Connection) -> None:
    async with pool.acquire() as connection:
        await run_together(
            connection, [*of_rows([Pair(2, "b"), Pair(3, "c")], MAKE), *of_rows([Pair(1, "z")], CHANGE, "!")]
        )
        await run_together(connection, of_rows([], MAKE))
    rows = await pairs.fetch("SELECT id, value FROM pair ORDER BY id")
    assert [tuple(row) for row in rows] == [(1, "z!"), (2, "b"), (3, "c")]


async def test_a_row_that_is_not_there_takes_all_back(pool: Pool, pairs: asyncpg.Connection) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(AssertionError, match="not there"):
            async with connection.transaction():
                await run_together(
                    connection,
                    [*of_rows([Pair(2, "b")], MAKE), *of_rows([Pair(1, "z"), Pair(9, "y")], CHANGE, "!")],
                )
    assert await pairs.fetchval("SELECT array_agg(value) FROM pair") == ["a"]
