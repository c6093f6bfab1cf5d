"""Copies of one request over HTTP at two `hongbao serve`, started as an operator starts them, on one database.

Somebody else holds the voucher until both servers wait for it, so that all copies are under way at once.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import asyncpg
import httpx
import pytest

from campaigns.domain.roles import KIND_SCOPES
from campaigns.gate.valkey import open_gate
from campaigns.runtime.engines import Databases, Engines
from campaigns.runtime.keyfile import KEY_FILE_NAME
from campaigns.services.context import Context
from campaigns.store.pool import open_pool
from tests.conftest import TEST_HMAC_KEY
from tests.races.support import findings
from tests.support.http import make_key
from tests.support.payworld import PayWorld

DATABASE = "hongbao_served"
COPIES = 60
WAIT_SECONDS = 30
BASKET_FEN = 100

_BLOCKED = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@contextmanager
def serving(engines: Engines, databases: Databases, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """`hongbao serve` with one process, on servers of the operator's own."""
    key = directory / KEY_FILE_NAME
    key.touch(mode=0o600)
    key.write_text(TEST_HMAC_KEY.hex())
    environ = {
        **os.environ,
        "HONGBAO_MODE": "test",
        "HONGBAO_DATA_DIR": str(directory),
        "HONGBAO_SECRETS_DIR": str(directory),
        "DATABASE_URL": databases.app.dsn,
        "DATABASE_OWNER_URL": databases.owner.dsn,
        "DATABASE_SWEEPER_URL": databases.sweeper.dsn,
        "REDIS_URL": engines.redis_url,
    }
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", "0", "--processes", "1"]  # fmt: skip
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS)
            assert process.stdout is not None
            process.stdout.close()


class Served(NamedTuple):
    """A world, the clients of two servers on it, a channel's key, and connections beside the servers'."""

    world: PayWorld
    clients: Sequence[httpx.AsyncClient]
    channel: str
    owner: asyncpg.Connection
    watcher: asyncpg.Connection  # of the servers' role, to see them wait


@pytest.fixture(scope="module")
async def served(
    engines: Engines, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    databases = await engines.create_database(DATABASE, template=template)
    pool, gate = await open_pool(databases.app.dsn, size=4), open_gate(engines.redis_url)
    owner, watcher = [await asyncpg.connect(role.dsn) for role in (databases.owner, databases.app)]
    world = await PayWorld(Context(pool=pool, gate=gate, hmac_key=TEST_HMAC_KEY, mode="test")).start()
    channel = await make_key(owner, world.programme_id, "channel", sorted(KIND_SCOPES["channel"]))
    with ExitStack() as stack:
        processes = [
            stack.enter_context(serving(engines, databases, tmp_path_factory.mktemp(name)))
            for name in ("first", "second")
        ]
        clients = []
        for process in processes:
            assert process.stdout is not None
            line = await asyncio.to_thread(process.stdout.readline)
            assert line, "".join(log.read_text() for log in tmp_path_factory.getbasetemp().rglob("log"))
            address = line.removesuffix("/v1/docs\n")
            transport = httpx.AsyncHTTPTransport(retries=5, limits=httpx.Limits(max_connections=COPIES))
            clients.append(httpx.AsyncClient(base_url=address, transport=transport, timeout=WAIT_SECONDS))
            assert (await clients[-1].get("/readyz")).status_code == 200
        yield Served(world, clients, channel, owner, watcher)
        for client, process in zip(clients, processes, strict=True):
            await client.aclose()
            process.terminate()  # both, before either is waited for
    await watcher.close()
    await owner.close()
    await gate.close()
    await pool.close()
    await engines.drop_database(DATABASE)


class Phone(NamedTuple):
    """A person at a counter who holds over HTTP."""

    served: Served
    person: UUID
    voucher: UUID
    shop: UUID

    def hold(self, server: int, key: str, basket_fen: int = BASKET_FEN) -> "asyncio.Task[httpx.Response]":
        world = self.served.world
        request = self.served.clients[server].post(
            "/v1/holder/authorizations",
            json={"store_code": world.store_codes[self.shop], "basket_fen": basket_fen},
            headers={
                "Authorization": f"Bearer {self.served.channel}",
                "Hongbao-Person": str(self.person),
                "Idempotency-Key": key,
            },
        )
        return asyncio.ensure_future(request)

    async def payments(self) -> int:
        count = "SELECT count(*) FROM payment WHERE person_id = $1"
        return int(await self.served.owner.fetchval(count, self.person))


@pytest.fixture
async def phone(served: Served) -> Phone:
    world = served.world
    person, shop = await world.person(), await world.merchant()
    voucher = await world.voucher(await world.campaign(), person, 100_000)
    return Phone(served, person, voucher, shop)


async def meet(phone: Phone, requests: Sequence[tuple[int, str, int]]) -> list[httpx.Response]:
    """Send (server, key, basket) all at once while the voucher is held, until both servers wait for it."""
    holding, watcher = phone.served.owner, phone.served.watcher
    async with asyncio.timeout(WAIT_SECONDS):
        async with holding.transaction():
            await holding.execute("SELECT FROM voucher WHERE id = $1 FOR UPDATE", phone.voucher)
            tasks = [phone.hold(*one) for one in requests]
            while await watcher.fetchval(_BLOCKED) < len(phone.served.clients):
                ended = [task.result() for task in tasks if task.done()]
                assert not ended, ended[0].text
        return await asyncio.gather(*tasks)


async def test_copies_at_two_servers_have_one_effect_and_the_same_bytes(phone: Phone) -> None:
    answers = await meet(phone, [(number % 2, "receipt-1", BASKET_FEN) for number in range(COPIES)])
    assert [answer.status_code for answer in answers] == [201] * COPIES, answers[0].text
    assert len({answer.content for answer in answers}) == 1
    assert await phone.payments() == 1
    assert await findings(phone.served.world.ctx) == set()


@pytest.mark.parametrize("first", [0, 1])
async def test_another_body_under_the_key_at_the_other_server_has_no_effect(phone: Phone, first: int) -> None:
    answers = await meet(phone, [(first, "receipt-1", 100), (1 - first, "receipt-1", 200)])
    assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert await phone.payments() == 1
    assert await findings(phone.served.world.ctx) == set()


async def test_control_without_the_keys_row_each_server_pays(phone: Phone) -> None:
    """Both have looked for a stored answer when they wait for the voucher: the key's row alone keeps it to one."""
    owner = phone.served.owner
    await owner.execute("ALTER TABLE idempotency DROP CONSTRAINT idempotency_pkey")
    try:
        answers = await meet(phone, [(number % 2, "receipt-1", BASKET_FEN) for number in range(COPIES)])
    finally:
        await owner.execute("DELETE FROM idempotency")
        await owner.execute("ALTER TABLE idempotency ADD PRIMARY KEY (principal_id, key_digest)")
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == await phone.payments() == 2
