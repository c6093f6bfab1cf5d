"""Who is behind a key, for whom a channel acts, and whether the database is fit to be served from."""

import hashlib
from typing import cast
from uuid import UUID

from campaigns.domain.errors import Denied, not_found
from campaigns.domain.principal import Principal, PrincipalKind
from campaigns.domain.roles import scopes_of
from campaigns.services.context import Context
from campaigns.store.access import applied_migrations, find_key, person_exists


def key_digest(key: str) -> bytes:
    """What is stored of a key: SHA-256 of its text. A key is 256 random bits, so no salt is needed."""
    return hashlib.sha256(key.encode()).digest()


async def authenticate(ctx: Context, digest: bytes) -> Principal:
    """The principal of a live key's digest, with the scopes it has now. Raises Denied ``key_unknown`` (401).

    A member of staff holds what both the key and their roles allow. The key of a till, merchant or member of
    staff who is no longer active is unknown.
    """
    async with ctx.pool.acquire() as connection:
        row = await find_key(connection, digest)
    if row is None:
        raise Denied("key_unknown", status=401)
    kind = cast(PrincipalKind, row.kind)
    scopes = frozenset(row.scopes)
    if row.roles is not None:
        scopes &= scopes_of(row.roles)
    if row.merchant_id is not None:
        return Principal(kind, row.merchant_id, row.programme_id, scopes, terminal_id=row.subject_id)
    return Principal(kind, row.subject_id, row.programme_id, scopes)


async def check_person(ctx: Context, programme_id: UUID, person_id: UUID) -> None:
    """Raises Refused ``not_found`` unless the person is registered with the programme."""
    async with ctx.pool.acquire() as connection:
        if not await person_exists(connection, programme_id, person_id):
            raise not_found("person")


async def missing_migrations(ctx: Context, wanted: frozenset[str]) -> frozenset[str]:
    """The migrations of ``wanted`` that this database has not had. Raises asyncpg's errors when it is away."""
    async with ctx.pool.acquire() as connection:
        return wanted - await applied_migrations(connection)
