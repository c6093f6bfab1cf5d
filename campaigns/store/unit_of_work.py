"""One request, one transaction: the effect and the stored answer commit together.

Order (DESIGN, Speed): the stored answer is looked up before code, state or rules are judged; locks are taken
campaign (share) -> allotment -> voucher -> payment -> usage counter -> idempotency insert; the answer is given
after COMMIT. Stored: success and `Refused`. Not stored: `Denied`, `Invalid`, `TryAgain`, `Broken`.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from campaigns.domain.errors import Fact, Invalid, Refused, TryAgain
from campaigns.store.pool import Connection, Pool

T = TypeVar("T")
MAX_RERUNS = 3  # an equal key committed between our look-up and our insert: run again and find it
STATUS_OK = 200
KEY_CONSTRAINT = "idempotency_pkey"


class Request(NamedTuple):
    """What makes a write repeatable: who asks, under which key, with which body.

    ``fingerprint`` is over method, route and parsed body; the same key with another one is refused.
    """

    principal_id: UUID
    key: str
    fingerprint: bytes

    @property
    def key_digest(self) -> bytes:
        return hashlib.sha256(self.key.encode()).digest()[:16]


def request(principal_id: UUID, key: str, action: str, body: object) -> Request:
    """Make a Request: ``action`` is the method and route (or the button), ``body`` any msgspec-encodable value."""
    content = msgspec.json.encode(body, order="sorted")
    fingerprint = hashlib.sha256(action.encode() + b"\0" + content).digest()[:16]
    return Request(principal_id, key, fingerprint)


class Refusal(msgspec.Struct, frozen=True):
    """A refusal as stored under its key."""

    code: str
    status: int
    facts: dict[str, Fact]


@dataclass(frozen=True)
class Work(Generic[T]):
    """What to do inside the transaction, and the type it answers with.

    ``refused`` (optional) writes the refusal's own record in the transaction that stores the refused answer.
    """

    answers: type[T]
    act: Callable[[Connection], Awaitable[T]]
    refused: Callable[[Connection, Refused], Awaitable[None]] | None = None


async def perform(pool: Pool, asked: Request | None, work: Work[T]) -> T:
    """Run ``work`` once for ``asked`` and answer its result, or the stored one if it ran before.

    ``asked`` is None for acts without a caller (sweeps). Raises `Refused` (also a stored one), `Invalid`
    ``idempotency_key_reused``, `TryAgain` on deadlock or lock timeout. What is not stored gives way to the answer
    of an equal request that ended meanwhile: its effect may be the very reason.
    """
    for _ in range(MAX_RERUNS):
        async with pool.acquire() as connection:
            if asked is not None:
                found = await _stored(connection, asked, work.answers)
                if found is not None:
                    return found
            try:
                return await _run(connection, asked, work)
            except asyncpg.UniqueViolationError as error:
                if error.constraint_name != KEY_CONSTRAINT:
                    raise
            except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError, Invalid, TryAgain) as error:
                equal = None if asked is None else await _stored(connection, asked, work.answers)
                if equal is not None:
                    return equal
                if isinstance(error, (Invalid, TryAgain)):
                    raise
                raise TryAgain("busy") from None
    raise TryAgain("busy")


async def _stored(connection: Connection, asked: Request, answers: type[T]) -> T | None:
    row = await connection.fetchrow(
        "SELECT fingerprint, status, body FROM idempotency WHERE principal_id = $1 AND key_digest = $2",
        asked.principal_id,
        asked.key_digest,
    )
    if row is None:
        return None
    if row["fingerprint"] != asked.fingerprint:
        raise Invalid("idempotency_key_reused")
    if row["status"] != STATUS_OK:
        refusal = msgspec.json.decode(row["body"], type=Refusal)
        raise Refused(refusal.code, status=refusal.status, **refusal.facts)
    return msgspec.json.decode(row["body"], type=answers)


async def _run(connection: Connection, asked: Request | None, work: Work[T]) -> T:
    refusal: Refused | None = None
    async with connection.transaction():
        try:
            async with connection.transaction():  # a savepoint: a refusal undoes all but its own record
                answer = await work.act(connection)
        except Refused as error:
            refusal = error
            if work.refused is not None:
                await work.refused(connection, error)
            if asked is not None:
                stored = Refusal(error.code, error.status, error.facts)
                await _store(connection, asked, error.status, stored, effect=False)
        else:
            if asked is not None:
                await _store(connection, asked, STATUS_OK, answer, effect=True)
    if refusal is not None:
        raise refusal
    return answer


async def _store(
    connection: Connection, asked: Request, status: int, answer: object, *, effect: bool
) -> None:
    await connection.execute(
        "INSERT INTO idempotency (principal_id, key_digest, fingerprint, status, body, effect)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        asked.principal_id,
        asked.key_digest,
        asked.fingerprint,
        status,
        msgspec.json.encode(answer),
        effect,
    )
