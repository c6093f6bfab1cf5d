"""The town that is paid in: residents with a voucher each, merchants with a store and a till, one campaign.

Rows by COPY into the migrated database, ledger lines included, so that the audit holds from the start. Terms have
eight rules: hours, place, whitelist, scenario, minimum spend, most per use, and two caps that nobody reaches.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from loadtests.ids import new_id

RESIDENTS = 50_000
STORES = 3_000
FACE_FEN = 1_000_000
PLACE = "370124"
TAG = "consumption-season"
ZONE = "Asia/Shanghai"
SCENARIO = "retail"
TILL_SCOPES = ("pay", "refund")
CHANNEL_SCOPES = ("codes.write", "vouchers.read", "pay.store_code")
CAPS = {
    "person": {"scope": "person", "period": "day", "uses": 100_000, "amount_fen": 100_000_000},
    "merchant": {"scope": "merchant", "period": "day", "uses": 1_000_000, "amount_fen": 10_000_000_000},
    "pair": {"scope": "person_merchant", "period": "day", "uses": 100_000, "amount_fen": 100_000_000},
}
SECOND_CAPS = ("merchant", "pair")


class World(Struct, frozen=True, kw_only=True):
    """What callers need to know of the town. ``till_keys`` and ``channel_key`` are bearer keys."""

    programme_id: UUID
    campaign_id: UUID
    people: list[UUID]
    till_keys: list[str]
    channel_key: str


class _Ids:
    """The ids that rows name each other by."""

    def __init__(self) -> None:
        self.programme, self.operator, self.unit, self.author, self.approver = (new_id() for _ in range(5))
        self.campaign, self.window, self.funder, self.funding = (new_id() for _ in range(4))


async def make_world(owner_url: str, *, residents: int, stores: int, second_cap: str) -> World:
    """Fill an empty migrated database."""
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction():
            now: datetime = await connection.fetchval("SELECT campaign_now()")
            ids = _Ids()
            await _office(connection, ids, now)
            version = await _campaign(connection, ids, now, residents * FACE_FEN, second_cap)
            keys = await _shops(connection, ids, now, stores)
            channel_key = (await _keys(connection, ids, now, "channel", [new_id()], CHANNEL_SCOPES))[0]
            people = [new_id() for _ in range(residents)]
            await _vouchers(connection, ids, now, people, version)
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
    return World(
        programme_id=ids.programme,
        campaign_id=ids.campaign,
        people=people,
        till_keys=keys,
        channel_key=channel_key,
    )


async def _copy(connection: Any, table: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
    await connection.copy_records_to_table(table, records=rows, columns=columns.split())


async def _office(connection: Any, ids: _Ids, now: datetime) -> None:
    await _copy(
        connection, "programme", "id code name_zh name_en identifying_kind created_at",
        [(ids.programme, "town", "县城", "Town", "phone", now)],
    )  # fmt: skip
    await _copy(
        connection, "operator", "id programme_id code name_zh name_en",
        [(ids.operator, ids.programme, "bank", "银行", "Bank")],
    )  # fmt: skip
    await _copy(
        connection, "unit", "id programme_id code name_zh name_en",
        [(ids.unit, ids.programme, "office", "办公室", "Office")],
    )  # fmt: skip
    await _copy(
        connection, "staff", "id unit_id programme_id login name roles active created_at",
        [(one, ids.unit, ids.programme, str(one), "S", "[]", True, now) for one in (ids.author, ids.approver)],
    )  # fmt: skip


async def _campaign(connection: Any, ids: _Ids, now: datetime, budget_fen: int, second_cap: str) -> int:
    """A published campaign, funded in full, with one list to issue by; answers its terms version."""
    start, end = now - timedelta(days=1), now + timedelta(days=30)
    await connection.execute(
        "INSERT INTO campaign (id, programme_id, code, state, source, definition, digest, author_id, approver_id,"
        " time_zone, spending_start, spending_end, refund_days, created_at, published_at)"
        " VALUES ($1, $2, 'spring', 'published', '', $3, '\\x00', $4, $5, $6, $7, $8, 30, $7, $7)",
        ids.campaign, ids.programme, json.dumps({"per_person": 1, "name": {"zh": "活动", "en": "Campaign"}}),
        ids.author, ids.approver, ZONE, start, end,
    )  # fmt: skip
    version: int = await connection.fetchval(
        "INSERT INTO terms_version (campaign_id, version, compiled, digest, created_at)"
        " VALUES ($1, 1, $2, '\\x00', $3) RETURNING id",
        ids.campaign, json.dumps(_terms(start, end, second_cap)), now,
    )  # fmt: skip
    await _copy(
        connection, "funder", "id campaign_id code name_zh name_en share_bp",
        [(ids.funder, ids.campaign, "county", "县财政", "County", 10_000)],
    )  # fmt: skip
    await _copy(
        connection, "funding", "id campaign_id funder_id operator_id amount_fen at",
        [(ids.funding, ids.campaign, ids.funder, ids.operator, budget_fen, now)],
    )  # fmt: skip
    await _copy(
        connection, "issue_window", "id campaign_id kind number", [(ids.window, ids.campaign, "list", 1)]
    )  # fmt: skip
    fund = (ids.funding, "fund", "funder", ids.funder, "escrow", ids.operator, budget_fen)
    await _transfers(connection, ids, now, [fund])
    return version


def _terms(start: datetime, end: datetime, second_cap: str) -> dict[str, object]:
    """The compiled terms as they are stored."""
    return {
        "campaign": "spring",
        "version": 1,
        "time_zone": ZONE,
        "spending_start": start.isoformat(),
        "spending_end": end.isoformat(),
        "whitelist": {"tags": [TAG]},
        "terms": {
            "benefit": {"kind": "stored_value"},
            "hours": ["00:00-24:00"],
            "places": [PLACE[:4]],
            "scenarios": [SCENARIO],
            "min_spend_fen": 100,
            "max_per_use_fen": 5_000,
            "caps": [CAPS["person"], CAPS[second_cap]],
        },
    }


async def _shops(connection: Any, ids: _Ids, now: datetime, count: int) -> list[str]:
    """Merchants with a store and a till each; answers the tills' keys."""
    merchants, stores, tills = ([new_id() for _ in range(count)] for _ in range(3))
    await _copy(
        connection, "merchant",
        "id programme_id code name credit_code acquiring_operator_id tags mcc active created_at",
        ((one, ids.programme, f"m{number}", "M", "", ids.operator, json.dumps([TAG]), "5411", True, now)
         for number, one in enumerate(merchants)),
    )  # fmt: skip
    await _copy(
        connection, "store", "id merchant_id code name place zones scenario active",
        ((one, merchant, "s", "S", PLACE, "[]", SCENARIO, True)
         for one, merchant in zip(stores, merchants, strict=True)),
    )  # fmt: skip
    await _copy(
        connection, "terminal", "id store_id code store_code channel active",
        ((one, store, "t", "S" + base64.b32encode(os.urandom(10)).decode(), "in_store", True)
         for one, store in zip(tills, stores, strict=True)),
    )  # fmt: skip
    return await _keys(connection, ids, now, "terminal", tills, TILL_SCOPES)


async def _keys(
    connection: Any, ids: _Ids, now: datetime, kind: str, subjects: Sequence[UUID], scopes: Sequence[str]
) -> list[str]:
    """A bearer key for each subject."""
    keys = ["hb_" + base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=") for _ in subjects]
    await _copy(
        connection, "api_key", "id digest kind subject_id programme_id label scopes created_at",
        ((new_id(), hashlib.sha256(key.encode()).digest(), kind, subject, ids.programme, "load",
          json.dumps(scopes), now) for key, subject in zip(keys, subjects, strict=True)),
    )  # fmt: skip
    return keys


async def _vouchers(connection: Any, ids: _Ids, now: datetime, people: Sequence[UUID], version: int) -> None:
    """A voucher for each person, with its allotment, turn and ledger line."""
    expires_at = now + timedelta(days=29)
    allotments, vouchers = [new_id() for _ in people], [new_id() for _ in people]
    await _copy(
        connection, "person", "id programme_id created_at", ((one, ids.programme, now) for one in people)
    )
    await _copy(
        connection, "allotment", "id campaign_id window_id tier operator_id face_fen state",
        ((one, ids.campaign, ids.window, 1, ids.operator, FACE_FEN, "granted") for one in allotments),
    )  # fmt: skip
    await _copy(
        connection, "turn", "campaign_id window_id person_id n",
        ((ids.campaign, ids.window, one, 1) for one in people),
    )  # fmt: skip
    await _copy(
        connection, "voucher",
        "id campaign_id person_id allotment_id operator_id terms_version_id face_fen balance_fen granted_at expires_at",
        ((voucher, ids.campaign, person, allotment, ids.operator, version, FACE_FEN, FACE_FEN, now, expires_at)
         for voucher, person, allotment in zip(vouchers, people, allotments, strict=True)),
    )  # fmt: skip
    await _transfers(
        connection, ids, now,
        ((one, "grant", "escrow", ids.operator, "outstanding", ids.operator, FACE_FEN) for one in vouchers),
    )  # fmt: skip


async def _transfers(connection: Any, ids: _Ids, now: datetime, lines: Iterable[Sequence[Any]]) -> None:
    """Ledger lines from (cause, kind, debit kind and holder, credit kind and holder, amount)."""
    columns = list(zip(*lines, strict=True))
    await connection.execute(
        "INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind,"
        " credit_id, amount_fen, at) SELECT cause_id, kind, 1, $8, $9, debit_kind, debit_id, credit_kind, credit_id,"
        " amount_fen, $10 FROM unnest($1::uuid[], $2::transfer_kind[], $3::account_kind[], $4::uuid[],"
        " $5::account_kind[], $6::uuid[], $7::bigint[])"
        " AS t (cause_id, kind, debit_kind, debit_id, credit_kind, credit_id, amount_fen)",
        *columns, ids.campaign, ids.operator, now,
    )  # fmt: skip
