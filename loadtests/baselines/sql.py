"""B-sql: one asyncpg transaction per payment, plain SELECT ... FOR UPDATE in the order of the product's locks."""

from __future__ import annotations

import argparse
import os
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sanic import Sanic

from loadtests.baselines.rules import Compiled, Counted, Given, Refused, Shop, Voucher, read, subsidy
from loadtests.baselines.till import (
    Caller,
    Desk,
    Purchase,
    answer_of,
    check_code,
    check_stored,
    find_caller,
    make_till,
)
from loadtests.ids import new_id
from loadtests.serving import serve

CAMPAIGN_LOCKS = 1
NOBODY = UUID(int=0)
MOST_VOUCHERS = 50
LOCK_TIMEOUT_MS = 5_000

_STORED = "SELECT fingerprint, body FROM idempotency WHERE principal_id = $1 AND key_digest = $2"
_TILL = """
SELECT s.id AS store_id, t.channel, t.active AND s.active AND m.active AS active, s.place, s.scenario, m.tags
FROM terminal t JOIN store s ON s.id = t.store_id JOIN merchant m ON m.id = s.merchant_id
WHERE t.id = $1 AND m.programme_id = $2
"""
_CANDIDATES = """
SELECT v.id, c.seq FROM voucher v JOIN campaign c ON c.id = v.campaign_id
WHERE v.person_id = $1 AND v.state = 'live' AND c.programme_id = $2 ORDER BY v.balance_fen = 0, v.id LIMIT $3
"""
_SHARE = "SELECT pg_advisory_xact_lock_shared($1, $2)"
_LOCK = "SELECT * FROM voucher WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
_CAMPAIGN = "SELECT code, state FROM campaign WHERE id = $1"
_TERMS = "SELECT compiled FROM terms_version WHERE id = $1"
_CODE_USED = "SELECT EXISTS (SELECT FROM payment WHERE code_id = $1)"
_COUNT_FROM = """
INSERT INTO usage_counter (campaign_id, cap, bucket, person_id, merchant_id)
SELECT $1, cap, $3, person_id, merchant_id FROM unnest($2::smallint[], $4::uuid[], $5::uuid[])
     AS t (cap, person_id, merchant_id)
ON CONFLICT DO NOTHING
"""
_COUNTED = """
SELECT u.uses, u.amount_fen FROM usage_counter u
JOIN unnest($2::smallint[], $4::uuid[], $5::uuid[]) AS t (cap, person_id, merchant_id) USING (cap, person_id, merchant_id)
WHERE u.campaign_id = $1 AND u.bucket = $3 ORDER BY u.cap FOR UPDATE OF u
"""
_COUNT = """
UPDATE usage_counter AS u SET uses = u.uses + 1, amount_fen = u.amount_fen + $6
FROM unnest($2::smallint[], $4::uuid[], $5::uuid[]) AS t (cap, person_id, merchant_id)
WHERE u.campaign_id = $1 AND u.bucket = $3
  AND (u.cap, u.person_id, u.merchant_id) = (t.cap, t.person_id, t.merchant_id)
"""
_SPEND = """
UPDATE voucher SET balance_fen = balance_fen - $2, captured_fen = captured_fen + $2, uses = uses + 1 WHERE id = $1
"""
_PAYMENT = """
INSERT INTO payment (id, programme_id, person_id, merchant_id, store_id, terminal_id, code_id, basket_fen, purchase,
    state, subsidy_fen, captured_basket_fen, captured_fen, authorized_at, hold_until, captured_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'captured', $10, $8, $10, $11, $11, $11)
"""
_LINE = """
INSERT INTO payment_line (payment_id, line, voucher_id, campaign_id, operator_id, terms_version_id, eligible_fen,
    available_fen, authorized_fen, held_fen, captured_fen)
VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, 0, $8)
"""
_TRANSFER = """
INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind, credit_id,
    amount_fen, at)
VALUES ($1, 'redeem', 1, $2, $3, 'outstanding', $3, 'payable', $4, $5, $6)
"""
_STORE = """
INSERT INTO idempotency (principal_id, key_digest, fingerprint, status, body, effect) VALUES ($1, $2, $3, 200, $4, true)
"""


class Payments:
    """The pool, and the terms that were read before."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._terms: dict[int, Compiled] = {}

    async def find_caller(self, digest: bytes) -> Caller | None:
        """Whose key this is."""
        async with self._pool.acquire() as connection:
            return await find_caller(connection, digest)

    async def pay(self, purchase: Purchase) -> bytes:
        """Redeem; the answer after COMMIT. An equal request that was first is found when the key is taken."""
        async with self._pool.acquire() as connection:
            try:
                async with connection.transaction():
                    return await self._pay(connection, purchase)
            except asyncpg.UniqueViolationError as error:
                if error.constraint_name == "payment_code":
                    raise Refused("code_already_used") from None
                if error.constraint_name != "idempotency_pkey":
                    raise
                return await self._stored(connection, purchase) or b""

    async def _stored(self, connection: Any, purchase: Purchase) -> bytes | None:
        row = await connection.fetchrow(_STORED, purchase.caller.merchant_id, purchase.key_digest)
        return None if row is None else check_stored(purchase, row["fingerprint"], row["body"])

    async def _pay(self, connection: Any, purchase: Purchase) -> bytes:
        stored = await self._stored(connection, purchase)
        if stored is not None:
            return stored
        caller, live = purchase.caller, purchase.live
        till = await connection.fetchrow(_TILL, caller.terminal_id, caller.programme_id)
        if till is None or not till["active"]:
            raise Refused("store_not_active")
        voucher = await self._lock_voucher(connection, purchase)
        campaign = await connection.fetchrow(_CAMPAIGN, voucher["campaign_id"])
        if campaign["state"] != "published":
            raise Refused("campaign_not_open")
        if await connection.fetchval(_CODE_USED, live.code_id):
            raise Refused("code_already_used")
        rules = await self._rules(connection, voucher["terms_version_id"])
        bucket = rules.bucket(await connection.fetchval("SELECT campaign_now()"))
        counters = _counters(rules, voucher["campaign_id"], bucket, live.person_id, caller.merchant_id)
        await connection.execute(_COUNT_FROM, *counters)
        counted = [Counted(*row) for row in await connection.fetch(_COUNTED, *counters)]
        now = await connection.fetchval("SELECT campaign_now()")
        check_code(purchase, now)
        shop = Shop(till["place"], till["scenario"], msgspec.json.decode(till["tags"]))
        fact = Voucher(voucher["state"], voucher["balance_fen"], voucher["expires_at"])
        given = subsidy(rules, fact, shop, counted, purchase.spend.basket_fen, now)
        await connection.execute(_COUNT, *counters, given.amount_fen)
        return await _write(connection, purchase, till, voucher, campaign["code"], given, now)

    async def _lock_voucher(self, connection: Any, purchase: Purchase) -> Any:
        """The person's voucher with the most left, after the campaign's lock and its own."""
        found = await connection.fetch(
            _CANDIDATES, purchase.live.person_id, purchase.caller.programme_id, MOST_VOUCHERS
        )
        if not found:
            raise Refused("no_voucher")
        for seq in sorted({row["seq"] for row in found}):
            await connection.execute(_SHARE, CAMPAIGN_LOCKS, seq)
        locked = await connection.fetch(_LOCK, [row["id"] for row in found])
        return max(locked, key=lambda row: (row["balance_fen"], -row["expires_at"].timestamp()))

    async def _rules(self, connection: Any, version: int) -> Compiled:
        if version not in self._terms:
            self._terms[version] = read(await connection.fetchval(_TERMS, version))
        return self._terms[version]


def _counters(
    rules: Compiled, campaign_id: UUID, bucket: date, person_id: UUID, merchant_id: UUID
) -> tuple[object, ...]:
    """The names of the counters, a column each, in the order of the caps (which is that of their locks)."""
    caps = rules.terms.caps
    return (
        campaign_id,
        [cap.number for cap in caps],
        bucket,
        [person_id if cap.scope in ("person", "person_merchant") else NOBODY for cap in caps],
        [merchant_id if cap.scope in ("merchant", "person_merchant") else NOBODY for cap in caps],
    )


async def _write(
    connection: Any, purchase: Purchase, till: Any, voucher: Any, campaign: str, given: Given, now: datetime
) -> bytes:
    caller, live, basket_fen, payment_id = purchase.caller, purchase.live, purchase.spend.basket_fen, new_id()
    campaign_id, operator_id, given_fen = voucher["campaign_id"], voucher["operator_id"], given.amount_fen
    details = msgspec.json.encode({"channel": till["channel"], "items": [], "position": None}).decode()
    await connection.execute(_SPEND, voucher["id"], given_fen)
    await connection.execute(
        _PAYMENT, payment_id, caller.programme_id, live.person_id, caller.merchant_id, till["store_id"],
        caller.terminal_id, live.code_id, basket_fen, details, given_fen, now,
    )  # fmt: skip
    await connection.execute(
        _LINE, payment_id, voucher["id"], campaign_id, operator_id, voucher["terms_version_id"], basket_fen,
        given.available_fen, given_fen,
    )  # fmt: skip
    await connection.execute(
        _TRANSFER, payment_id, campaign_id, operator_id, caller.merchant_id, given_fen, now
    )
    body = answer_of(purchase, payment_id, till["store_id"], campaign, given_fen, now)
    await connection.execute(_STORE, caller.merchant_id, purchase.key_digest, purchase.fingerprint, body)
    return body


def make(arguments: argparse.Namespace) -> Sanic[Any, Any]:
    """The application on a pool of ``arguments.pool`` connections."""
    desk = Desk(os.environ["REDIS_URL"])
    payments: Payments

    async def pay(purchase: Purchase) -> bytes:
        return await payments.pay(purchase)

    app = make_till("b-sql", desk, pay)

    async def start(app: Sanic[Any, Any]) -> None:
        nonlocal payments
        pool = await asyncpg.create_pool(
            os.environ["DATABASE_URL"], min_size=arguments.pool, max_size=arguments.pool,
            server_settings={"synchronous_commit": "on", "lock_timeout": str(LOCK_TIMEOUT_MS), "timezone": "UTC"},
        )  # fmt: skip
        payments = Payments(pool)
        desk.find = payments.find_caller
        app.ctx.pool = pool

    async def end(app: Sanic[Any, Any]) -> None:
        await app.ctx.pool.close()
        await desk.close()

    app.before_server_start(start)
    app.after_server_stop(end)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m loadtests.baselines.sql", description=__doc__)
    parser.add_argument("--pool", type=int, default=16)
    serve(make, parser)
