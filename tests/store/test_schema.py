"""The migrated database holds the constraints and triggers that are listed in the repository, no more, no less."""

from pathlib import Path

import asyncpg
import pytest

from campaigns.runtime.engines import Databases
from tests.support.constraints import lines

LISTED = Path(__file__).with_name("constraints.txt")


async def test_constraints_and_triggers_are_those_listed(owner: asyncpg.Connection) -> None:
    assert await lines(owner) == LISTED.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("table", ["transfer", "audit"])
@pytest.mark.parametrize("change", ["UPDATE {} SET at = at", "DELETE FROM {}", "TRUNCATE {}"])
async def test_books_are_append_only_even_for_the_owner(
    owner: asyncpg.Connection, table: str, change: str
) -> None:
    await owner.execute(
        "INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind,"
        " credit_id, amount_fen, at) SELECT i, 'fund', 1, i, i, 'funder', i, 'escrow', i, 1, now()"
        " FROM gen_random_uuid() AS i"
    )
    await owner.execute(
        "INSERT INTO audit (at, programme_id, actor_kind, actor_id, action, facts)"
        " VALUES (now(), gen_random_uuid(), 'staff', gen_random_uuid(), 'test', '{}')"
    )
    with pytest.raises(asyncpg.RestrictViolationError):
        await owner.execute(change.format(table))


@pytest.mark.parametrize("table", ["transfer", "audit", "idempotency", "refund", "refusal", "turn"])
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
async def test_the_service_may_not_rewrite_history(database: Databases, table: str, change: str) -> None:
    connection = await asyncpg.connect(database.app.dsn)
    try:
        column = {"idempotency": "status", "turn": "n"}.get(table, "at")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(change.format(table, column))
    finally:
        await connection.close()


# What app may change beside SELECT and INSERT; of voucher and clock it may change some columns only.
CHANGED = [
    "allotment", "announcement", "api_key", "award", "campaign", "draw", "draw_source", "entry", "merchant", "payment",
    "payment_line", "staff", "store", "terminal", "terms_change", "token", "usage_counter", "waitlist", "wallet",
]  # fmt: skip
DELETED = ["person_proof", "token", "wallet"]
OWNERS_ALONE = ["clock", "migration_text", "tortoise_migrations"]
SEALED = [
    "audit",
    "award",
    "refund",
    "transfer",
    "voucher",
]  # app may insert every column but tx, which is the database's


async def test_the_roles_have_the_rights_listed_and_no_more(owner: asyncpg.Connection) -> None:
    tables = [r[0] for r in await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]

    async def having(role: str, right: str) -> list[str]:
        found = await owner.fetch(
            "SELECT t FROM unnest($1::text[]) AS t WHERE has_table_privilege($2, t, $3) ORDER BY t",
            tables, role, right,
        )  # fmt: skip
        return [row[0] for row in found]

    assert await having("app", "INSERT") == sorted(set(tables) - set(OWNERS_ALONE) - set(SEALED))
    columns = await owner.fetch(
        "SELECT a.attrelid::regclass::text, a.attname FROM pg_attribute a WHERE a.attrelid = ANY($1::regclass[])"
        " AND a.attnum > 0 AND a.attidentity = '' AND NOT has_column_privilege('app', a.attrelid, a.attnum, 'INSERT')",
        SEALED,
    )
    assert sorted(tuple(row) for row in columns) == [(table, "tx") for table in SEALED]
    assert await having("app", "UPDATE") == CHANGED
    assert await having("app", "DELETE") == DELETED
    assert await having("app", "TRUNCATE") == []
    assert await having("sweeper", "SELECT") == await having("sweeper", "DELETE") == ["idempotency"]
    assert await having("sweeper", "INSERT") == await having("sweeper", "UPDATE") == []


async def test_the_face_of_a_voucher_is_fixed(database: Databases) -> None:
    connection = await asyncpg.connect(database.app.dsn)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE voucher SET face_fen = face_fen + 1")
    finally:
        await connection.close()


async def test_what_a_voucher_is_never_changes_even_for_the_owner(owner: asyncpg.Connection) -> None:
    await owner.execute(
        "INSERT INTO voucher (id, campaign_id, person_id, allotment_id, operator_id, terms_version_id, face_fen,"
        " balance_fen, granted_at, expires_at) SELECT i, i, i, i, i, 1, 100, 100, now(), now() FROM gen_random_uuid() AS i"
    )
    await owner.execute("UPDATE voucher SET balance_fen = 40, captured_fen = 60, uses = 1, state = 'expired'")
    fixed = [
        "id", "campaign_id", "person_id", "allotment_id", "operator_id", "terms_version_id", "face_fen", "granted_at",
        "expires_at", "tx",
    ]  # fmt: skip
    for change in [f"UPDATE voucher SET {column} = {column}" for column in fixed] + [
        "DELETE FROM voucher",
        "TRUNCATE voucher",
    ]:
        with pytest.raises(asyncpg.RestrictViolationError):
            await owner.execute(change)


async def test_campaign_time_never_goes_back(owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE clock SET shift = '1 hour'")
    with pytest.raises(asyncpg.RestrictViolationError):
        await owner.execute("UPDATE clock SET shift = '59 minutes'")


async def test_production_has_real_time(owner: asyncpg.Connection) -> None:
    await owner.execute("TRUNCATE clock")
    await owner.execute("INSERT INTO clock (mode) VALUES ('production')")
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute("UPDATE clock SET shift = '1 hour'")
