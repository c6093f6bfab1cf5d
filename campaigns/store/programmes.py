"""Rows of programmes, units, staff, operators and API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from campaigns.domain.errors import Refused
from campaigns.store.pool import Connection

Row: TypeAlias = Any

_STAFF = """
SELECT s.id, s.programme_id, s.login, s.name, s.roles, s.active, u.code AS unit, s.created_at
FROM staff s JOIN unit u ON u.id = s.unit_id
"""
_KEY = """
SELECT k.id, k.kind, k.subject_id, k.programme_id, k.label, k.scopes, k.created_at, k.revoked_at FROM api_key k
"""


async def insert_programme(
    connection: Connection,
    programme_id: UUID,
    code: str,
    zh: str,
    en: str,
    identifying_kind: str,
    at: datetime,
) -> None:
    """Raises Refused ``code_taken``."""
    try:
        await connection.execute(
            "INSERT INTO programme (id, code, name_zh, name_en, identifying_kind, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            programme_id, code, zh, en, identifying_kind, at,
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise Refused("code_taken", given=code) from None


async def programme_by_code(connection: Connection, code: str) -> Row | None:
    return await connection.fetchrow("SELECT * FROM programme WHERE code = $1", code)


async def programme_row(connection: Connection, programme_id: UUID) -> Row:
    return await connection.fetchrow("SELECT * FROM programme WHERE id = $1", programme_id)


async def insert_named(
    connection: Connection, table: str, row_id: UUID, programme_id: UUID, code: str, zh: str, en: str
) -> None:
    """Insert a unit or an operator. Raises Refused ``code_taken``."""
    assert table in ("unit", "operator")
    try:
        await connection.execute(
            f"INSERT INTO {table} (id, programme_id, code, name_zh, name_en) VALUES ($1, $2, $3, $4, $5)",
            row_id, programme_id, code, zh, en,
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise Refused("code_taken", given=code) from None


async def unit_by_code(connection: Connection, programme_id: UUID, code: str) -> UUID | None:
    found: UUID | None = await connection.fetchval(
        "SELECT id FROM unit WHERE programme_id = $1 AND code = $2", programme_id, code
    )
    return found


async def operators_by_code(connection: Connection, programme_id: UUID) -> dict[str, UUID]:
    rows = await connection.fetch("SELECT code, id FROM operator WHERE programme_id = $1", programme_id)
    return {row["code"]: row["id"] for row in rows}


async def named_page(
    connection: Connection, table: str, programme_id: UUID, after: UUID, limit: int
) -> list[Row]:
    """Units or operators of a programme after an id."""
    assert table in ("unit", "operator")
    return await connection.fetch(
        f"SELECT id, code, name_zh, name_en FROM {table} WHERE programme_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        programme_id, after, limit,
    )  # fmt: skip


async def insert_staff(
    connection: Connection, staff_id: UUID, programme_id: UUID, unit_id: UUID, login: str, name: str,
    roles: Sequence[str], at: datetime,
) -> None:  # fmt: skip
    """Raises Refused ``code_taken`` for a login in use."""
    try:
        await connection.execute(
            "INSERT INTO staff (id, programme_id, unit_id, login, name, roles, active, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, true, $7)",
            staff_id, programme_id, unit_id, login, name, list(roles), at,
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise Refused("code_taken", given=login) from None


async def update_staff(connection: Connection, staff_id: UUID, roles: Sequence[str], active: bool) -> None:
    await connection.execute(
        "UPDATE staff SET roles = $2, active = $3 WHERE id = $1", staff_id, list(roles), active
    )


async def staff_row(connection: Connection, programme_id: UUID, staff_id: UUID) -> Row | None:
    return await connection.fetchrow(
        f"{_STAFF} WHERE s.programme_id = $1 AND s.id = $2", programme_id, staff_id
    )


async def staff_by_login(connection: Connection, login: str) -> Row | None:
    return await connection.fetchrow(f"{_STAFF} WHERE s.login = $1", login)


async def staff_page(connection: Connection, programme_id: UUID, after: UUID, limit: int) -> list[Row]:
    return await connection.fetch(
        f"{_STAFF} WHERE s.programme_id = $1 AND s.id > $2 ORDER BY s.id LIMIT $3", programme_id, after, limit
    )


async def insert_keys(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert keys: (id, digest, kind, subject_id, programme_id, label, scopes, created_at) each."""
    await connection.executemany(
        "INSERT INTO api_key (id, digest, kind, subject_id, programme_id, label, scopes, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        rows,
    )


async def key_row(connection: Connection, programme_id: UUID, key_id: UUID) -> Row | None:
    return await connection.fetchrow(f"{_KEY} WHERE k.programme_id = $1 AND k.id = $2", programme_id, key_id)


async def key_page(connection: Connection, programme_id: UUID, after: UUID, limit: int) -> list[Row]:
    return await connection.fetch(
        f"{_KEY} WHERE k.programme_id = $1 AND k.id > $2 ORDER BY k.id LIMIT $3", programme_id, after, limit
    )


async def revoke_key(connection: Connection, key_id: UUID, at: datetime) -> None:
    await connection.execute(
        "UPDATE api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", key_id, at
    )


_SUBJECTS = {
    "staff": "SELECT programme_id FROM staff WHERE id = $1",
    "auditor": "SELECT programme_id FROM staff WHERE id = $1 AND roles ? 'auditor'",
    "operator": "SELECT programme_id FROM operator WHERE id = $1",
    "merchant": "SELECT programme_id FROM merchant WHERE id = $1",
    "terminal": "SELECT m.programme_id FROM terminal t JOIN store s ON s.id = t.store_id"
    " JOIN merchant m ON m.id = s.merchant_id WHERE t.id = $1",
}


async def subject_exists(connection: Connection, programme_id: UUID, kind: str, subject_id: UUID) -> bool:
    """Whether a key of ``kind`` may be made for this subject; a channel is known by its keys alone."""
    if kind == "channel":
        return True
    found = await connection.fetchval(_SUBJECTS[kind], subject_id)
    return bool(found == programme_id)


_NAMED = {
    "staff": "SELECT id FROM staff WHERE programme_id = $1 AND login = $2",
    "auditor": "SELECT id FROM staff WHERE programme_id = $1 AND login = $2",
    "operator": "SELECT id FROM operator WHERE programme_id = $1 AND code = $2",
    "merchant": "SELECT id FROM merchant WHERE programme_id = $1 AND code = $2",
}


async def subject_by_name(connection: Connection, programme_id: UUID, kind: str, name: str) -> UUID | None:
    """Whose key it will be, by login or code; tills and channels are named by id alone."""
    if kind not in _NAMED:
        return None
    found: UUID | None = await connection.fetchval(_NAMED[kind], programme_id, name)
    return found
