"""What both baselines share before and after their transaction: the request, the till's key, the code, the answer."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct
from redis.asyncio import BlockingConnectionPool, Redis
from sanic import Request, Sanic
from sanic.response import HTTPResponse

from loadtests.baselines.rules import Refused
from loadtests.ids import new_id
from loadtests.payments import CODE_KEY, GRACE_SECONDS
from loadtests.serving import make_app

KEY_LIFE_SECONDS = 5.0
VALKEY_CONNECTIONS_MAX = 32
REFUSED_STATUS = {"code_unknown": 404, "key_unknown": 401, "idempotency_key_reused": 422}
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_KEY = """
SELECT k.scopes, k.programme_id, t.id AS terminal_id, m.id AS merchant_id
FROM api_key k JOIN terminal t ON t.id = k.subject_id AND t.active JOIN store s ON s.id = t.store_id AND s.active
JOIN merchant m ON m.id = s.merchant_id AND m.active
WHERE k.digest = $1 AND k.kind = 'terminal' AND k.revoked_at IS NULL
"""


class Spend(Struct, frozen=True, forbid_unknown_fields=True):
    """The request."""

    basket_fen: int
    payment_code: str


class LiveCode(Struct, frozen=True):
    """What a payment code says."""

    code_id: UUID
    person_id: UUID
    programme_id: UUID
    expires_at: datetime


class Caller(Struct, frozen=True):
    """Whose key it is."""

    programme_id: UUID
    merchant_id: UUID
    terminal_id: UUID


class Purchase(Struct, frozen=True):
    """All that the transaction is told."""

    caller: Caller
    spend: Spend
    live: LiveCode
    key_digest: bytes
    fingerprint: bytes


class Line(Struct, frozen=True):
    """What the campaign gives."""

    campaign: str
    authorized_fen: int
    captured_fen: int
    refunded_fen: int
    voucher_id: UUID | None


class Payment(Struct, frozen=True, kw_only=True):
    """The answer, member for member the product's."""

    id: UUID
    state: str
    merchant_id: UUID
    store_id: UUID
    terminal_id: UUID
    basket_fen: int
    subsidy_fen: int
    own_fen: int
    captured_basket_fen: int
    captured_fen: int
    returned_goods_fen: int
    refunded_fen: int
    authorized_at: datetime
    hold_until: datetime
    captured_at: datetime
    ended_at: datetime | None
    undo_asked_at: datetime | None
    lines: tuple[Line, ...]


Pay = Callable[[Purchase], Awaitable[bytes]]


def answer_of(
    purchase: Purchase, payment_id: UUID, store_id: UUID, campaign: str, subsidy_fen: int, now: datetime
) -> bytes:
    """The answer to a redemption."""
    basket_fen = purchase.spend.basket_fen
    payment = Payment(
        id=payment_id, state="captured", merchant_id=purchase.caller.merchant_id, store_id=store_id,
        terminal_id=purchase.caller.terminal_id, basket_fen=basket_fen, subsidy_fen=subsidy_fen,
        own_fen=basket_fen - subsidy_fen, captured_basket_fen=basket_fen, captured_fen=subsidy_fen,
        returned_goods_fen=0, refunded_fen=0, authorized_at=now, hold_until=now, captured_at=now, ended_at=None,
        undo_asked_at=None, lines=(Line(campaign, subsidy_fen, subsidy_fen, 0, None),),
    )  # fmt: skip
    return msgspec.json.encode(payment)


def check_stored(purchase: Purchase, fingerprint: bytes, body: bytes) -> bytes:
    """The answer that lies under the key. Raises Refused where it was given to another request."""
    if fingerprint != purchase.fingerprint:
        raise Refused("idempotency_key_reused")
    return body


def check_code(purchase: Purchase, now: datetime) -> None:
    """Raise Refused once the code's time and grace are over."""
    if now >= purchase.live.expires_at + timedelta(seconds=GRACE_SECONDS):
        raise Refused("code_unknown")


class Desk:
    """The keys one process has seen lately, and the codes."""

    def __init__(self, redis_url: str) -> None:
        pool = BlockingConnectionPool.from_url(redis_url, max_connections=VALKEY_CONNECTIONS_MAX)
        self._valkey = Redis(connection_pool=pool)
        self._keys: dict[bytes, tuple[Caller, float]] = {}
        self.find: Callable[[bytes], Awaitable[Caller | None]]

    async def read(self, request: Request) -> Purchase:
        """The request, judged as far as needs no transaction. Raises Refused."""
        spend = msgspec.json.decode(request.body, type=Spend)
        caller = await self._caller(request.headers.get("authorization", ""))
        found = await self._valkey.get(CODE_KEY + spend.payment_code)
        live = None if found is None else msgspec.json.decode(found, type=LiveCode)
        if live is None or live.programme_id != caller.programme_id:
            raise Refused("code_unknown")
        key = request.headers["idempotency-key"]
        return Purchase(
            caller, spend, live, hashlib.sha256(key.encode()).digest()[:16],
            hashlib.sha256(b"redeem\0" + msgspec.json.encode(spend)).digest()[:16],
        )  # fmt: skip

    async def _caller(self, header: str) -> Caller:
        digest = hashlib.sha256(header.removeprefix("Bearer ").encode()).digest()
        now = time.monotonic()
        caller, until = self._keys.get(digest, (None, 0.0))
        if caller is None or now >= until:
            caller = await self.find(digest)
            if caller is None:
                raise Refused("key_unknown")
            self._keys[digest] = (caller, now + KEY_LIFE_SECONDS)
        return caller

    async def close(self) -> None:
        """Leave Valkey."""
        await self._valkey.aclose(close_connection_pool=True)


async def find_caller(connection: Any, digest: bytes) -> Caller | None:
    """Whose key this is, asked of the database."""
    row = await connection.fetchrow(_KEY, digest)
    if row is None or "pay" not in msgspec.json.decode(row["scopes"]):
        return None
    return Caller(row["programme_id"], row["merchant_id"], row["terminal_id"])


def make_till(name: str, desk: Desk, pay: Pay) -> Sanic[Any, Any]:
    """The application: one address."""
    app = make_app(name)

    async def redeem(request: Request) -> HTTPResponse:
        try:
            return _answer(await pay(await desk.read(request)), 201)
        except Refused as error:
            status = REFUSED_STATUS.get(str(error), 409)
            return _answer(msgspec.json.encode({"code": str(error), "status": status}), status)
        except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
            return _answer(b'{"code":"busy","status":503}', 503)

    app.add_route(redeem, "/v1/redemptions", methods=["POST"])
    return app


def _answer(body: bytes, status: int) -> HTTPResponse:
    return HTTPResponse(body, status, {"Request-Id": new_id().hex, **_HEADERS}, "application/json")
