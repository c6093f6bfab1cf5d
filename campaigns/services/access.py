"""Who is behind a key, for whom a channel acts, and whether the database is fit to be served from."""

import hashlib
from collections.abc import Collection
from typing import cast
from uuid import UUID

from campaigns.domain.principal import Principal, PrincipalKind
from campaigns.domain.roles import scopes_of
from campaigns.services.context import Context
from campaigns.store.access import KeyRow, applied_migrations, find_keys, persons_of


def key_digest(key: str) -> bytes:
    """What is stored of a key: SHA-256 of its text. A key is 256 random bits, so no salt is needed."""
    return hashlib.sha256(key.encode()).digest()


async def principals_of(ctx: Context, digests: Collection[bytes]) -> dict[bytes, Principal]:
    """The principals of live keys by digest, with the scopes they have now; unknown keys are left out.

    A member of staff holds what both the key and their roles allow. The key of a till, merchant or member of
    staff who is no longer active is unknown.
    """
    async with ctx.pool.acquire() as connection:
        rows = await find_keys(connection, digests)
    return {digest: _principal(row) for digest, row in rows.items()}


def _principal(row: KeyRow) -> Principal:
    kind = cast(PrincipalKind, row.kind)
    scopes = frozenset(row.scopes)
    if row.roles is not None:
        scopes &= scopes_of(row.roles)
    if row.merchant_id is not None:
        return Principal(kind, row.merchant_id, row.programme_id, scopes, terminal_id=row.subject_id)
    return Principal(kind, row.subject_id, row.programme_id, scopes)


async def registered(ctx: Context, asked: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], bool]:
    """Which of the pairs (programme, person) belong to each other; the others are left out."""
    async with ctx.pool.acquire() as connection:
        return dict.fromkeys(await persons_of(connection, asked), True)


async def missing_migrations(ctx: Context, wanted: frozenset[str]) -> frozenset[str]:
    """The migrations of ``wanted`` that this database has not had. Raises asyncpg's errors when it is away."""
    async with ctx.pool.acquire() as connection:
        return wanted - await applied_migrations(connection)
