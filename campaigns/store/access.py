"""What the edge asks of the database before any rule: whose key this is, whose a person is, the schema's state."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from campaigns.store.pool import Connection

# A till's key speaks for its merchant, and dies with the till, the store or the merchant; a member of
# staff who left has no key.
_KEYS = """
SELECT k.digest, k.kind, k.subject_id, k.programme_id, k.scopes, s.merchant_id, f.roles
FROM api_key k
LEFT JOIN terminal t ON k.kind = 'terminal' AND t.id = k.subject_id AND t.active
LEFT JOIN store s ON s.id = t.store_id AND s.active
LEFT JOIN merchant m ON m.id = CASE k.kind WHEN 'terminal' THEN s.merchant_id
                                           WHEN 'merchant' THEN k.subject_id END AND m.active
LEFT JOIN staff f ON k.kind IN ('staff', 'auditor') AND f.id = k.subject_id AND f.active
WHERE k.digest = ANY($1::bytea[]) AND k.revoked_at IS NULL
  AND (k.kind NOT IN ('terminal', 'merchant') OR m.id IS NOT NULL)
  AND (k.kind NOT IN ('staff', 'auditor') OR f.id IS NOT NULL)
"""


_PERSONS = """
SELECT p.programme_id, p.id FROM person p
JOIN unnest($1::uuid[], $2::uuid[]) AS asked (programme_id, id) ON p.id = asked.id AND p.programme_id = asked.programme_id
"""


class KeyRow(NamedTuple):
    """A live key; ``merchant_id`` is set for a till's, ``roles`` for one of staff."""

    kind: str
    subject_id: UUID
    programme_id: UUID
    scopes: list[str]
    merchant_id: UUID | None
    roles: list[str] | None


async def find_keys(connection: Connection, digests: Collection[bytes]) -> dict[bytes, KeyRow]:
    """The live keys of these SHA-256 digests; left out are the unknown, the revoked, and those of nobody active."""
    rows = await connection.fetch(_KEYS, list(digests))
    return {row[0]: KeyRow(*row[1:]) for row in rows}


async def persons_of(connection: Connection, asked: Collection[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Which of the pairs (programme, person) are registered with each other."""
    programmes, persons = zip(*asked, strict=True)
    return {(row[0], row[1]) for row in await connection.fetch(_PERSONS, programmes, persons)}


async def person_exists(connection: Connection, programme_id: UUID, person_id: UUID) -> bool:
    """Whether the person is registered with the programme."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM person WHERE id = $1 AND programme_id = $2)", person_id, programme_id
        )
    )


async def applied_migrations(connection: Connection) -> set[str]:
    """Names of the migrations this database has had."""
    return {row[0] for row in await connection.fetch("SELECT name FROM tortoise_migrations")}
