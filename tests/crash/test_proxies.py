"""The cutting proxies, on a real PostgreSQL: what a cut leaves behind, by its moment."""

import asyncio
from random import Random

import asyncpg
import pytest

from campaigns.runtime.engines import Databases
from tests.crash.http import AnswerLost, Line
from tests.crash.proxies import HttpProxy, Messages, PostgresProxy

LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError)


@pytest.mark.parametrize(
    ("moment", "told", "rows"), [("before", False, 0), ("after", False, 1), ("told", True, 1)]
)
async def test_a_cut_at_commit(
    database: Databases, owner: asyncpg.Connection, moment: str, told: bool, rows: int
) -> None:
    app = database.owner
    proxy = PostgresProxy(lambda: asyncio.open_unix_connection(f"{app.host}/.s.PGSQL.{app.port}"), Random(1))
    proxy.moment, port = moment, await proxy.start()
    await owner.execute("CREATE TABLE seen (n int)")
    way = {**app.credentials, "host": "127.0.0.1", "port": port, "ssl": False}
    try:
        connection = await asyncpg.connect(**way)
        await connection.execute("INSERT INTO seen VALUES (0)")  # no COMMIT is sent for it
        proxy.probability = 1.0
        was_told = False
        try:
            async with connection.transaction():
                await connection.execute("INSERT INTO seen VALUES (1)")
            was_told = True
        except LOST:
            pass
        assert was_told is told
        with pytest.raises(LOST):
            await connection.execute("SELECT 1")
        connection.terminate()
        assert (await owner.fetchval("SELECT count(*) FROM seen"), proxy.hits) == (1 + rows, 1)
    finally:
        await proxy.stop()


async def test_a_stall_holds_answers_back_and_loses_none(database: Databases) -> None:
    app = database.app
    proxy = PostgresProxy(lambda: asyncio.open_unix_connection(f"{app.host}/.s.PGSQL.{app.port}"), Random(1))
    way = {**app.credentials, "host": "127.0.0.1", "port": await proxy.start(), "ssl": False}
    try:
        connection = await asyncpg.connect(**way)
        proxy.stall()
        asked = asyncio.create_task(connection.fetchval("SELECT 7"))
        done, _ = await asyncio.wait({asked}, timeout=0.1)
        assert not done
        proxy.flow()
        assert await asked == 7
        await connection.close()
    finally:
        await proxy.stop()


async def test_an_answer_is_lost_after_the_server_gave_it() -> None:
    given = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal given
        await reader.readuntil(b"\r\n\r\n")
        given += 1
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    proxy = HttpProxy(lambda: asyncio.open_connection("127.0.0.1", port), Random(1))
    line = Line(await proxy.start())
    try:
        assert (await line.ask("GET", "/", {}, b"", 5.0)).status == 200
        proxy.probability = 1.0
        for _ in range(4):  # at its start or in its middle
            with pytest.raises(AnswerLost):
                await line.ask("GET", "/", {}, b"", 5.0)
        assert (given, proxy.hits) == (5, 4)
    finally:
        line.close()
        await proxy.stop()
        server.close()


def test_a_stream_is_cut_into_messages_wherever_it_was_split() -> None:
    first = (8).to_bytes(4, "big") + b"\0\3\0\0"
    query = b"Q" + (12).to_bytes(4, "big") + b"COMMIT;\0"
    for at in range(len(first + query)):
        messages = Messages(untyped=1)
        parts = ((first + query)[:at], (first + query)[at:])
        assert [message for part in parts for message in messages.feed(part)] == [first, query]
