"""B-orm: one Tortoise transaction per payment with select_for_update, in the order of the product's locks."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from sanic import Sanic
from tortoise import Tortoise, connections
from tortoise.exceptions import IntegrityError
from tortoise.expressions import F, Q
from tortoise.transactions import in_transaction

from loadtests.baselines.models import (
    Campaign,
    Idempotency,
    Payment,
    PaymentLine,
    Terminal,
    TermsVersion,
    Transfer,
    UsageCounter,
    Voucher,
)
from loadtests.baselines.rules import Cap, Compiled, Counted, Given, Refused, Shop, read, subsidy
from loadtests.baselines.rules import Voucher as VoucherFacts
from loadtests.baselines.sql import CAMPAIGN_LOCKS, LOCK_TIMEOUT_MS, MOST_VOUCHERS, NOBODY
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

STATUS_OK = 200


class Payments:
    """The terms that were read before."""

    def __init__(self) -> None:
        self._terms: dict[int, Compiled] = {}

    async def find_caller(self, digest: bytes) -> Caller | None:
        """Whose key this is."""
        client: Any = connections.get("default")
        async with client.acquire_connection() as connection:
            return await find_caller(connection, digest)

    async def pay(self, purchase: Purchase) -> bytes:
        """Redeem; the answer after COMMIT. An equal request that was first is found when the key is taken."""
        try:
            async with in_transaction() as db:
                return await self._pay(db, purchase)
        except IntegrityError as error:
            if "payment_code" in str(error):
                raise Refused("code_already_used") from None
            stored = await _stored(None, purchase)
            if stored is None:
                raise
            return stored

    async def _pay(self, db: Any, purchase: Purchase) -> bytes:
        stored = await _stored(db, purchase)
        if stored is not None:
            return stored
        till = (
            await Terminal.filter(id=purchase.caller.terminal_id, store__merchant__programme_id=purchase.caller.programme_id)
            .select_related("store__merchant").using_db(db).first()
        )  # fmt: skip
        if till is None or not (till.active and till.store.active and till.store.merchant.active):
            raise Refused("store_not_active")
        voucher = await _lock_voucher(db, purchase)
        campaign = await Campaign.get(id=voucher.campaign_id, using_db=db)
        if campaign.state != "published":
            raise Refused("campaign_not_open")
        if await Payment.filter(code_id=purchase.live.code_id).using_db(db).exists():
            raise Refused("code_already_used")
        rules = await self._rules(db, voucher.terms_version_id)
        bucket = rules.bucket(await _now(db))
        counters = await _lock_counters(db, rules, voucher.campaign_id, bucket, purchase)
        now = await _now(db)
        check_code(purchase, now)
        given = subsidy(
            rules, VoucherFacts(voucher.state, voucher.balance_fen, voucher.expires_at),
            Shop(till.store.place, till.store.scenario, till.store.merchant.tags),
            [Counted(one.uses, one.amount_fen) for one in counters], purchase.spend.basket_fen, now,
        )  # fmt: skip
        for one, cap in zip(counters, rules.terms.caps, strict=True):
            named = _named(cap, one.campaign_id, bucket, purchase)
            await (
                UsageCounter.filter(named)
                .using_db(db)
                .update(uses=F("uses") + 1, amount_fen=F("amount_fen") + given.amount_fen)
            )
        return await _write(db, purchase, till, voucher, campaign.code, given, now)

    async def _rules(self, db: Any, version: int) -> Compiled:
        if version not in self._terms:
            self._terms[version] = read((await TermsVersion.get(id=version, using_db=db)).compiled)
        return self._terms[version]


async def _now(db: Any) -> datetime:
    rows = await db.execute_query_dict("SELECT campaign_now() AS now")
    now: datetime = rows[0]["now"]
    return now


async def _stored(db: Any, purchase: Purchase) -> bytes | None:
    row = (
        await Idempotency.filter(principal_id=purchase.caller.merchant_id, key_digest=purchase.key_digest)
        .using_db(db).first()
    )  # fmt: skip
    return None if row is None else check_stored(purchase, row.fingerprint, row.body)


async def _lock_voucher(db: Any, purchase: Purchase) -> Voucher:
    """The person's voucher with the most left, after the campaign's lock and its own."""
    found = (
        await Voucher.filter(
            person_id=purchase.live.person_id, state="live", campaign__programme_id=purchase.caller.programme_id
        ).select_related("campaign").order_by("id").limit(MOST_VOUCHERS).using_db(db)
    )  # fmt: skip
    if not found:
        raise Refused("no_voucher")
    for seq in sorted({one.campaign.seq for one in found}):
        await db.execute_query("SELECT pg_advisory_xact_lock_shared($1, $2)", [CAMPAIGN_LOCKS, seq])
    locked = (
        await Voucher.filter(id__in=[one.id for one in found]).order_by("id").select_for_update().using_db(db)
    )
    return max(locked, key=lambda one: (one.balance_fen, -one.expires_at.timestamp()))


def _named(cap: Cap, campaign_id: UUID, bucket: date, purchase: Purchase) -> Q:
    return Q(campaign_id=campaign_id, bucket=bucket, **_names(cap, purchase))


def _names(cap: Cap, purchase: Purchase) -> dict[str, Any]:
    return {
        "cap": cap.number,
        "person_id": purchase.live.person_id if cap.scope in ("person", "person_merchant") else NOBODY,
        "merchant_id": purchase.caller.merchant_id
        if cap.scope in ("merchant", "person_merchant")
        else NOBODY,
    }


async def _lock_counters(
    db: Any, rules: Compiled, campaign_id: UUID, bucket: date, purchase: Purchase
) -> Sequence[UsageCounter]:
    """The counters in the order of the caps, made where they are missing."""
    caps = rules.terms.caps
    wanted = Q(*(_named(cap, campaign_id, bucket, purchase) for cap in caps), join_type="OR")
    asked = UsageCounter.filter(wanted).order_by("cap").select_for_update().using_db(db)
    counters = await asked
    if len(counters) < len(caps):
        rows = [UsageCounter(campaign_id=campaign_id, bucket=bucket, **_names(cap, purchase)) for cap in caps]
        await UsageCounter.bulk_create(rows, ignore_conflicts=True, using_db=db)
        counters = await asked
    return counters


async def _write(
    db: Any, purchase: Purchase, till: Terminal, voucher: Voucher, campaign: str, given: Given, now: datetime
) -> bytes:
    caller, live, basket_fen, payment_id = purchase.caller, purchase.live, purchase.spend.basket_fen, new_id()
    given_fen = given.amount_fen
    voucher.balance_fen -= given_fen
    voucher.captured_fen += given_fen
    voucher.uses += 1
    await voucher.save(using_db=db, update_fields=["balance_fen", "captured_fen", "uses"])
    await Payment.create(
        using_db=db, id=payment_id, programme_id=caller.programme_id, person_id=live.person_id,
        merchant_id=caller.merchant_id, store_id=till.store.id, terminal_id=caller.terminal_id, code_id=live.code_id,
        basket_fen=basket_fen, purchase={"channel": till.channel, "items": [], "position": None}, state="captured",
        subsidy_fen=given_fen, captured_basket_fen=basket_fen, captured_fen=given_fen, authorized_at=now,
        hold_until=now, captured_at=now,
    )  # fmt: skip
    await PaymentLine.create(
        using_db=db, payment_id=payment_id, line=1, voucher_id=voucher.id, campaign_id=voucher.campaign_id,
        operator_id=voucher.operator_id, terms_version_id=voucher.terms_version_id, eligible_fen=basket_fen,
        available_fen=given.available_fen, authorized_fen=given_fen, held_fen=0, captured_fen=given_fen,
    )  # fmt: skip
    await Transfer.create(
        using_db=db, cause_id=payment_id, kind="redeem", line=1, campaign_id=voucher.campaign_id,
        operator_id=voucher.operator_id, debit_kind="outstanding", debit_id=voucher.operator_id,
        credit_kind="payable", credit_id=caller.merchant_id, amount_fen=given_fen, at=now,
    )  # fmt: skip
    body = answer_of(purchase, payment_id, till.store.id, campaign, given_fen, now)
    await Idempotency.create(
        using_db=db, principal_id=caller.merchant_id, key_digest=purchase.key_digest,
        fingerprint=purchase.fingerprint, status=STATUS_OK, body=body, effect=True,
    )  # fmt: skip
    return body


def _config(url: str, pool: int) -> dict[str, Any]:
    """Tortoise's configuration for a database address."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    credentials = {
        "host": query.get("host", [unquote(parts.hostname or "")])[0],
        "port": int(query.get("port", [str(parts.port or 5432)])[0]),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.lstrip("/")),
        "minsize": pool,
        "maxsize": pool,
        "server_settings": {
            "synchronous_commit": "on",
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "timezone": "UTC",
        },
    }
    return {
        "connections": {"default": {"engine": "tortoise.backends.asyncpg", "credentials": credentials}},
        "apps": {"town": {"models": ["loadtests.baselines.models"], "default_connection": "default"}},
        "use_tz": True,
        "timezone": "UTC",
    }


def make(arguments: argparse.Namespace) -> Sanic[Any, Any]:
    """The application on a pool of ``arguments.pool`` connections."""
    desk = Desk(os.environ["REDIS_URL"])
    payments = Payments()
    desk.find = payments.find_caller
    app = make_till("b-orm", desk, payments.pay)

    async def start(app: Sanic[Any, Any]) -> None:
        await Tortoise.init(
            config=_config(os.environ["DATABASE_URL"], arguments.pool), _enable_global_fallback=True
        )

    async def end(app: Sanic[Any, Any]) -> None:
        await Tortoise.close_connections()
        await desk.close()

    app.before_server_start(start)
    app.after_server_stop(end)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m loadtests.baselines.orm", description=__doc__)
    parser.add_argument("--pool", type=int, default=16)
    serve(make, parser)
