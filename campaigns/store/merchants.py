"""Rows of merchants, their stores and tills."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import msgspec

from campaigns.store.pool import Connection


class MerchantRow(NamedTuple):
    """A merchant's row as written; `upsert` keeps the id, and the time it was made, of one that is there."""

    id: UUID
    programme_id: UUID
    code: str
    name: str
    credit_code: str
    acquiring_operator_id: UUID
    tags: list[str]
    mcc: str
    active: bool
    created_at: datetime


class StoreRow(NamedTuple):
    id: UUID
    merchant_id: UUID
    code: str
    name: str
    place: str
    zones: list[str]
    scenario: str
    latitude_e6: int | None
    longitude_e6: int | None
    active: bool


class TerminalRow(NamedTuple):
    id: UUID
    store_id: UUID
    code: str
    store_code: str
    channel: str
    active: bool


def _upserts(table: str, row: type[Any], types: str, owner: str, kept: tuple[str, ...]) -> tuple[str, str]:
    """Index it by whether ``active`` of a row that is there stays as it is."""
    off_too = (*kept, "active")
    return _upsert(table, row, types, owner, kept), _upsert(table, row, types, owner, off_too)


def _upsert(table: str, row: type[Any], types: str, owner: str, kept: tuple[str, ...]) -> str:
    columns = row._fields
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in kept)
    numbered = ", ".join(
        f"${i}::{kind.replace('jsonb', 'text')}[]" for i, kind in enumerate(types.split(), 1)
    )
    typed = ", ".join(f"{name}::{kind}" for name, kind in zip(columns, types.split(), strict=True))
    return (
        f"INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {typed} FROM unnest({numbered}) AS t ({', '.join(columns)})"
        f" ON CONFLICT ({owner}, code) DO UPDATE SET {changed} RETURNING {owner}, code, id"
    )


_MERCHANTS = _upserts(
    "merchant", MerchantRow, "uuid uuid text text text uuid jsonb text bool timestamptz", "programme_id",
    ("id", "programme_id", "code", "created_at"),
)  # fmt: skip
_STORES = _upserts(
    "store", StoreRow, "uuid uuid text text text jsonb text int int bool", "merchant_id",
    ("id", "merchant_id", "code"),
)  # fmt: skip
_TERMINALS = _upserts(
    "terminal", TerminalRow, "uuid uuid text text text bool", "store_id",
    ("id", "store_id", "code", "store_code"),
)  # fmt: skip

Row: TypeAlias = Any
Ids = dict[tuple[UUID, str], UUID]


async def upsert_merchants(
    connection: Connection, rows: Sequence[MerchantRow], *, keep_active: bool = False
) -> Ids:
    """Insert or update by (programme, code), with ``keep_active`` not whether it is; answers the id of each."""
    return await _write(connection, _MERCHANTS[keep_active], rows)


async def upsert_stores(
    connection: Connection, rows: Sequence[StoreRow], *, keep_active: bool = False
) -> Ids:
    """As `upsert_merchants` by (merchant, code)."""
    return await _write(connection, _STORES[keep_active], rows)


async def upsert_terminals(
    connection: Connection, rows: Sequence[TerminalRow], *, keep_active: bool = False
) -> Ids:
    """As `upsert_merchants` by (store, code); never the store code that is printed already."""
    return await _write(connection, _TERMINALS[keep_active], rows)


async def _write(connection: Connection, sql: str, rows: Sequence[Any]) -> Ids:
    if not rows:
        return {}
    columns = [[_plain(value) for value in column] for column in zip(*rows, strict=True)]
    found = await connection.fetch(sql, *columns)
    return {(row[0], row["code"]): row["id"] for row in found}


def _plain(value: object) -> object:
    """Lists go as JSON text: in an array asyncpg would take them for a further dimension."""
    return msgspec.json.encode(value).decode() if isinstance(value, list) else value


_MERCHANT = """
SELECT m.id, m.code, m.name, m.credit_code, o.code AS operator, m.tags, m.mcc, m.active, m.created_at
FROM merchant m JOIN operator o ON o.id = m.acquiring_operator_id WHERE m.programme_id = $1
"""


async def merchant_row(connection: Connection, programme_id: UUID, merchant_id: UUID) -> Row:
    return await connection.fetchrow(f"{_MERCHANT} AND m.id = $2", programme_id, merchant_id)


async def merchant_page(connection: Connection, programme_id: UUID, after: UUID, limit: int) -> list[Row]:
    return await connection.fetch(
        f"{_MERCHANT} AND m.id > $2 ORDER BY m.id LIMIT $3", programme_id, after, limit
    )


async def store_row(connection: Connection, programme_id: UUID, store_id: UUID) -> Row:
    return await connection.fetchrow(
        "SELECT s.* FROM store s JOIN merchant m ON m.id = s.merchant_id WHERE m.programme_id = $1 AND s.id = $2",
        programme_id, store_id,
    )  # fmt: skip


async def store_page(connection: Connection, merchant_id: UUID, after: UUID, limit: int) -> list[Row]:
    return await connection.fetch(
        "SELECT * FROM store WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        merchant_id,
        after,
        limit,
    )


async def terminal_row(connection: Connection, programme_id: UUID, terminal_id: UUID) -> Row:
    return await connection.fetchrow(
        "SELECT t.* FROM terminal t JOIN store s ON s.id = t.store_id JOIN merchant m ON m.id = s.merchant_id"
        " WHERE m.programme_id = $1 AND t.id = $2",
        programme_id, terminal_id,
    )  # fmt: skip


async def terminal_page(connection: Connection, store_id: UUID, after: UUID, limit: int) -> list[Row]:
    return await connection.fetch(
        "SELECT * FROM terminal WHERE store_id = $1 AND id > $2 ORDER BY id LIMIT $3", store_id, after, limit
    )


async def keyed_subjects(connection: Connection, subject_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these tills have a live key already."""
    rows = await connection.fetch(
        "SELECT DISTINCT subject_id FROM api_key WHERE kind = 'terminal' AND revoked_at IS NULL"
        " AND subject_id = ANY ($1)",
        list(subject_ids),
    )
    return {row["subject_id"] for row in rows}


async def store_codes(connection: Connection, terminal_ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = await connection.fetch(
        "SELECT id, store_code FROM terminal WHERE id = ANY ($1)", list(terminal_ids)
    )
    return {row["id"]: row["store_code"] for row in rows}
