"""Who is behind a key, and for whom a channel acts."""

import hashlib
from typing import cast
from uuid import UUID

from campaigns.domain.errors import Denied, not_found
from campaigns.domain.principal import Principal, PrincipalKind
from campaigns.services.context import Context
from campaigns.store.access import find_key, person_exists


def key_digest(key: str) -> bytes:
    """What is stored of a key: SHA-256 of its text. A key is 256 random bits, so no salt is needed."""
    return hashlib.sha256(key.encode()).digest()


async def authenticate(ctx: Context, digest: bytes) -> Principal:
    """The principal of a live key's digest. Raises Denied ``key_unknown``."""
    async with ctx.pool.acquire() as connection:
        row = await find_key(connection, digest)
    if row is None:
        raise Denied("key_unknown", status=401)
    kind = cast(PrincipalKind, row.kind)
    scopes = frozenset(row.scopes)
    if row.merchant_id is not None:
        return Principal(kind, row.merchant_id, row.programme_id, scopes, terminal_id=row.subject_id)
    return Principal(kind, row.subject_id, row.programme_id, scopes)


async def check_person(ctx: Context, programme_id: UUID, person_id: UUID) -> None:
    """Raises Refused ``not_found`` unless the person is registered with the programme."""
    async with ctx.pool.acquire() as connection:
        if not await person_exists(connection, programme_id, person_id):
            raise not_found("person")
