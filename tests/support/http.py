"""The application on a real socket in the test's own event loop, and keys to call it with."""

import hashlib
import io
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec

from api.app import create_app
from api.logs import make_log
from api.routing import Route
from api.running import Running
from campaigns.domain.ids import new_id
from campaigns.runtime.servers import bind
from campaigns.runtime.workers import Loop
from campaigns.services.context import Context


@dataclass
class Served:
    """A serving application, a client of it, and what it logged."""

    running: Running
    client: httpx.AsyncClient
    log: io.BytesIO
    numbers: Any = field(default_factory=lambda: iter(range(1, 1_000_000)))

    def lines(self) -> list[dict[str, Any]]:
        """The log so far."""
        return [msgspec.json.decode(line) for line in self.log.getvalue().splitlines()]

    def next_key(self) -> str:
        """A fresh Idempotency-Key."""
        return f"test-{next(self.numbers)}"


@asynccontextmanager
async def serve(ctx: Context, routes: Iterable[Route], loops: Sequence[Loop] = ()) -> AsyncIterator[Served]:
    """Serve ``routes`` on ``ctx`` until the block ends."""

    @asynccontextmanager
    async def borrowed() -> AsyncIterator[Context]:
        yield ctx

    log = io.BytesIO()
    app = create_app(borrowed, routes, loops=loops, log=make_log(log))
    running = await Running.start(app, bind("127.0.0.1", 0))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}", trust_env=False) as client:
            yield Served(running, client, log)
    finally:
        await running.stop()


async def make_programme(owner: asyncpg.Connection, code: str = "tests") -> UUID:
    """A bare programme row."""
    programme_id = new_id()
    await owner.execute(
        "INSERT INTO programme (id, code, name_zh, name_en, identifying_kind, created_at)"
        " VALUES ($1, $2, '测试', 'Tests', 'phone', now())",
        programme_id,
        code,
    )
    return programme_id


async def make_key(
    owner: asyncpg.Connection,
    programme_id: UUID,
    kind: str,
    scopes: Sequence[str],
    subject_id: UUID | None = None,
) -> str:
    """A live key of this kind, as its bearer holds it."""
    key = "hb_" + secrets.token_urlsafe(32)
    await owner.execute(
        "INSERT INTO api_key (id, digest, kind, subject_id, programme_id, label, scopes, created_at)"
        " VALUES ($1, $2, $3, $4, $5, 'test', $6::jsonb, now())",
        new_id(),
        hashlib.sha256(key.encode()).digest(),
        kind,
        subject_id or new_id(),
        programme_id,
        msgspec.json.encode(list(scopes)).decode(),
    )
    return key


async def make_person(owner: asyncpg.Connection, programme_id: UUID) -> UUID:
    """A bare person row."""
    person_id = new_id()
    await owner.execute(
        "INSERT INTO person (id, programme_id, created_at) VALUES ($1, $2, now())", person_id, programme_id
    )
    return person_id


async def make_merchant(owner: asyncpg.Connection, programme_id: UUID) -> UUID:
    """A bare merchant and its operator."""
    operator_id, merchant_id = new_id(), new_id()
    await owner.execute(
        "INSERT INTO operator (id, programme_id, code, name_zh, name_en) VALUES ($1, $2, 'bank', '银行', 'Bank')",
        operator_id,
        programme_id,
    )
    await owner.execute(
        "INSERT INTO merchant (id, programme_id, code, name, credit_code, acquiring_operator_id, tags, mcc, active,"
        " created_at) VALUES ($1, $2, 'm', 'M', '', $3, '[]', '5411', true, now())",
        merchant_id,
        programme_id,
        operator_id,
    )
    return merchant_id


async def make_terminal(owner: asyncpg.Connection, programme_id: UUID) -> UUID:
    """A bare terminal of a bare store of a bare merchant."""
    store_id, terminal_id = new_id(), new_id()
    await owner.execute(
        "INSERT INTO store (id, merchant_id, code, name, place, zones, scenario, active)"
        " VALUES ($1, $2, 's', 'S', '1101', '[]', 'dining', true)",
        store_id,
        await make_merchant(owner, programme_id),
    )
    await owner.execute(
        "INSERT INTO terminal (id, store_id, code, store_code, channel, active)"
        " VALUES ($1, $2, 't', 'T1', 'in_store', true)",
        terminal_id,
        store_id,
    )
    return terminal_id


async def make_staff(owner: asyncpg.Connection, programme_id: UUID, roles: Sequence[str]) -> UUID:
    """A bare member of staff of a bare unit."""
    unit_id, staff_id = new_id(), new_id()
    await owner.execute(
        "INSERT INTO unit (id, programme_id, code, name_zh, name_en) VALUES ($1, $2, 'u', '处', 'Unit')",
        unit_id,
        programme_id,
    )
    await owner.execute(
        "INSERT INTO staff (id, unit_id, programme_id, login, name, roles, active, created_at)"
        " VALUES ($1, $2, $3, 'a', 'A', to_jsonb($4::text[]), true, now())",
        staff_id,
        unit_id,
        programme_id,
        list(roles),
    )
    return staff_id
