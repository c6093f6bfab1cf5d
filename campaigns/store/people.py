"""Rows of persons, their proofs, tokens and wallets. Proofs and tokens are known by HMAC alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from campaigns.store.pool import Connection

PERSON_LOCKS = 3  # first advisory-lock number; the second is drawn from the programme or the proof
_LOCK_SPACE = 2**31


class ProofRow(NamedTuple):
    """A proof bound to a person."""

    id: UUID
    programme_id: UUID
    person_id: UUID
    kind: str
    hmac: bytes
    created_at: datetime


async def lock_proofs(connection: Connection, programme_id: UUID, hmacs: Sequence[bytes]) -> None:
    """Let nobody else bind these proofs until the transaction ends, and no bulk import run meanwhile."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock_shared($1, $2)", PERSON_LOCKS, programme_id.int % _LOCK_SPACE
    )
    for number in sorted({int.from_bytes(found[:8], "big", signed=True) for found in hmacs}):
        await connection.execute("SELECT pg_advisory_xact_lock($1::bigint)", number)


async def lock_programme_proofs(connection: Connection, programme_id: UUID) -> None:
    """Let nobody else bind any proof in the programme until the transaction ends: bulk imports."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock($1, $2)", PERSON_LOCKS, programme_id.int % _LOCK_SPACE
    )


async def bound(
    connection: Connection, programme_id: UUID, kinds: Sequence[str], hmacs: Sequence[bytes]
) -> dict[tuple[str, bytes], UUID]:
    """Whose these proofs are; unbound ones are left out."""
    rows = await connection.fetch(
        "SELECT p.kind, p.hmac, p.person_id FROM unnest($2::text[], $3::bytea[]) AS w (kind, hmac)"
        " JOIN person_proof p ON p.programme_id = $1 AND p.kind = w.kind AND p.hmac = w.hmac",
        programme_id, list(kinds), list(hmacs),
    )  # fmt: skip
    return {(row["kind"], row["hmac"]): row["person_id"] for row in rows}


async def having_kind(connection: Connection, kind: str, person_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these persons have a proof of this kind."""
    rows = await connection.fetch(
        "SELECT person_id FROM person_proof WHERE kind = $1 AND person_id = ANY ($2)", kind, list(person_ids)
    )
    return {row["person_id"] for row in rows}


async def insert_persons(
    connection: Connection, programme_id: UUID, person_ids: Sequence[UUID], at: datetime
) -> None:
    """Insert persons by COPY."""
    await connection.copy_records_to_table(
        "person",
        records=[(person_id, programme_id, at) for person_id in person_ids],
        columns=["id", "programme_id", "created_at"],
    )


async def insert_proofs(connection: Connection, rows: Sequence[ProofRow]) -> None:
    """Insert proofs by COPY; the caller holds their locks."""
    await connection.copy_records_to_table("person_proof", records=rows, columns=list(ProofRow._fields))


async def known_persons(connection: Connection, programme_id: UUID, person_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these are persons of the programme."""
    rows = await connection.fetch(
        "SELECT id FROM person WHERE programme_id = $1 AND id = ANY ($2)", programme_id, list(person_ids)
    )
    return {row["id"] for row in rows}


async def proof_kinds(connection: Connection, person_id: UUID) -> list[str]:
    """The kinds of proof a person has given, in order."""
    rows = await connection.fetch(
        "SELECT DISTINCT kind FROM person_proof WHERE person_id = $1 ORDER BY kind", person_id
    )
    return [row["kind"] for row in rows]


# Tokens ----------------------------------------------------------------------------------------------


async def token_row(connection: Connection, kind: str, hmac: bytes) -> Any:
    """The token and its person's programme, locked: row (id, person_id, programme_id, revoked_at) or None."""
    return await connection.fetchrow(
        "SELECT t.id, t.person_id, p.programme_id, t.revoked_at FROM token t JOIN person p ON p.id = t.person_id"
        " WHERE t.kind = $1 AND t.hmac = $2 FOR UPDATE OF t",
        kind, hmac,
    )  # fmt: skip


async def insert_token(
    connection: Connection, token_id: UUID, person_id: UUID, kind: str, hmac: bytes, at: datetime
) -> bool:
    """False when the token was bound meanwhile."""
    status = await connection.execute(
        "INSERT INTO token (id, person_id, kind, hmac, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        token_id, person_id, kind, hmac, at,
    )  # fmt: skip
    return bool(status == "INSERT 0 1")


async def rebind_token(connection: Connection, token_id: UUID, person_id: UUID, at: datetime) -> None:
    await connection.execute(
        "UPDATE token SET person_id = $2, created_at = $3, revoked_at = NULL WHERE id = $1",
        token_id, person_id, at,
    )  # fmt: skip


async def revoke_token(connection: Connection, token_id: UUID, person_id: UUID, at: datetime) -> bool:
    """False when the person has no such token."""
    status = await connection.execute(
        "UPDATE token SET revoked_at = coalesce(revoked_at, $3) WHERE id = $1 AND person_id = $2",
        token_id, person_id, at,
    )  # fmt: skip
    return bool(status == "UPDATE 1")


async def tokens_of(connection: Connection, person_id: UUID) -> list[Any]:
    return await connection.fetch(
        "SELECT id, kind, created_at FROM token WHERE person_id = $1 AND revoked_at IS NULL ORDER BY id LIMIT 200",
        person_id,
    )  # fmt: skip


# Wallets ---------------------------------------------------------------------------------------------


async def insert_wallet(
    connection: Connection,
    wallet_id: UUID,
    person_id: UUID,
    operator_id: UUID,
    newly_opened: bool,
    at: datetime,
) -> bool:
    """False when the person has a wallet at the operator already."""
    status = await connection.execute(
        "INSERT INTO wallet (id, person_id, operator_id, newly_opened, bound_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        wallet_id, person_id, operator_id, newly_opened, at,
    )  # fmt: skip
    return bool(status == "INSERT 0 1")


async def wallets_of(connection: Connection, person_id: UUID) -> list[Any]:
    return await connection.fetch(
        "SELECT w.id, o.code AS operator, w.newly_opened, w.bound_at FROM wallet w"
        " JOIN operator o ON o.id = w.operator_id WHERE w.person_id = $1 ORDER BY o.code LIMIT 200",
        person_id,
    )  # fmt: skip
