"""The baselines do what the product does: the same rows for the same payment, the same refusals, sound books."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from api.routes import payments as payment_routes
from campaigns.gate.valkey import Gate
from campaigns.runtime.engines import Databases, Engines
from campaigns.services.context import Context
from campaigns.store.pool import open_pool
from loadtests.contestants import HOST, Server, echo
from loadtests.payments import make_codes
from loadtests.processes import module
from loadtests.world import World, make_world
from tests.conftest import TEST_HMAC_KEY
from tests.support.http import serve
from tests.support.payworld import check_books

NAMES = ("hongbao", "bsql", "borm")
TOWN = "hongbao_load_town"
TABLES = (
    "voucher",
    "payment",
    "payment_line",
    "usage_counter",
    "transfer",
    "idempotency",
    "refund",
    "announcement",
)
# Of the database's own making, of the request's route and body as each one writes them, or the clock's.
OWN = {"tx", "seq", "fingerprint", "body", "at"}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")


class Town:
    """One world in three databases, each with its contestant serving."""

    def __init__(self, world: World, databases: dict[str, Databases], redis_url: str) -> None:
        self.world, self.databases, self.redis_url = world, databases, redis_url

    @asynccontextmanager
    async def served(self, name: str, gate: Gate) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the contestant, and its books checked at the end."""
        pool = await open_pool(self.databases[name].app.dsn, size=8)
        ctx = Context(pool=pool, gate=gate, hmac_key=TEST_HMAC_KEY, mode="test")
        try:
            if name == "hongbao":
                async with serve(ctx, payment_routes.ROUTES) as served:
                    yield served.client
            else:
                addresses = {"DATABASE_URL": self.databases[name].app.dsn, "REDIS_URL": self.redis_url}
                command = module(f"loadtests.baselines.{name.removeprefix('b')}", "--pool", 4)
                server = Server(name, command, os.environ | addresses)
                try:
                    url = f"http://{HOST}:{server.port}"
                    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
                        yield client
                finally:
                    server.close()
            await check_books(ctx)
        finally:
            await pool.close()

    async def rows(self, name: str) -> dict[str, list[dict[str, Any]]]:
        """What the tables hold; new ids and times by what they are."""
        connection = await asyncpg.connect(self.databases[name].owner.dsn)
        try:
            found = {}
            for table in TABLES:
                rows = await connection.fetch(
                    f"SELECT to_jsonb(t) - $1::text[] AS row FROM {table} t", sorted(OWN)
                )
                found[table] = sorted(self._alike(row["row"]) for row in rows)
            return found
        finally:
            await connection.close()

    def _alike(self, row: str) -> str:
        known = {str(self.world.programme_id), str(self.world.campaign_id), *map(str, self.world.people)}
        return _TIME.sub("TIME", _UUID.sub(lambda one: one[0] if one[0] in known else "ID", row))


@pytest.fixture
async def town(engines: Engines, template: str) -> AsyncIterator[Town]:
    made = await engines.create_database(TOWN, template=template)
    world = await make_world(made.owner.dsn, residents=5, stores=2, second_cap="merchant")
    copies = {name: f"{TOWN}_{name}" for name in NAMES}
    databases = {name: await engines.create_database(copy, template=TOWN) for name, copy in copies.items()}
    yield Town(world, databases, engines.redis_url)
    for name in (*copies.values(), TOWN):
        await engines.drop_database(name)


@pytest.mark.timeout(300)
async def test_the_same_payment_writes_the_same_rows(town: Town, gate: Gate) -> None:
    people = [0, 1, 0, 2]
    codes = make_codes(town.redis_url, town.world, people)
    (expired,) = make_codes(town.redis_url, town.world, [1], datetime.now(UTC) - timedelta(seconds=16))
    tries = [
        *((code, 500 + number, f"key-{number}") for number, code in enumerate(codes[:3])),
        (codes[0], 500, "key-0"),  # again
        (codes[0], 501, "key-0"),  # the key with another body
        (codes[1], 700, "key-a"),  # a code that has paid
        (expired, 700, "key-b"),
        ("77" + "0" * 16, 700, "key-c"),
        (codes[3], 99, "key-d"),  # below the minimum spend
        (codes[3], 9_000, "key-e"),  # cut at the most per use
    ]
    told, rows = {}, {}
    for name in NAMES:
        async with town.served(name, gate) as client:
            told[name] = [await _pay(client, town.world.till_keys[0], *one) for one in tries]
        rows[name] = await town.rows(name)
    assert [one[0] for one in told["hongbao"]] == [201, 201, 201, 201, 422, 409, 404, 404, 409, 201]
    assert told["hongbao"][3] == told["hongbao"][0]
    for name in ("bsql", "borm"):
        assert told[name][3] == told[name][0]
        assert [_answer(one) for one in told[name]] == [_answer(one) for one in told["hongbao"]]
        for table, expected in rows["hongbao"].items():
            kept = [
                row for row in expected if '"effect": false' not in row
            ]  # refusals are not stored by the baselines
            assert rows[name][table] == kept, (name, table)


@pytest.mark.timeout(300)
async def test_every_contestant_answers_under_the_same_headers(town: Town, gate: Gate) -> None:
    till = town.world.till_keys[0]
    body = {"basket_fen": 500, "payment_code": make_codes(town.redis_url, town.world, [0])[0]}
    heads = {}
    for name in NAMES:
        async with town.served(name, gate) as client:
            heads[name] = (await _post(client, till, body, "key")).headers
    server = echo()
    try:
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{server.port}", trust_env=False) as client:
            response = await _post(client, till, body, "key")
    finally:
        server.close()
    assert (response.status_code, response.json()) == (201, body)
    for head in (response.headers, heads["bsql"], heads["borm"]):
        assert sorted(head) == sorted(heads["hongbao"])


async def _pay(
    client: httpx.AsyncClient, till: str, code: str, basket_fen: int, key: str
) -> tuple[int, dict[str, Any]]:
    response = await _post(client, till, {"basket_fen": basket_fen, "payment_code": code}, key)
    return response.status_code, response.json()


async def _post(client: httpx.AsyncClient, till: str, body: dict[str, Any], key: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {till}", "Idempotency-Key": key}
    return await client.post("/v1/redemptions", json=body, headers=headers)


def _answer(told: tuple[int, dict[str, Any]]) -> object:
    """An answer without what differs by nature: a payment's id and times; a refusal is its code."""
    status, body = told
    if status != 201:
        return status, body["code"]
    return {
        name: value for name, value in body.items() if name != "id" and not name.endswith(("_at", "_until"))
    }
