"""One request, one transaction: the effect and the stored answer commit together.

Order (DESIGN, Speed): the stored answer is looked up before code, state or rules are judged; locks are taken
campaign (share) -> allotment -> voucher -> payment -> usage counter -> idempotency insert; the answer is given
after COMMIT. Stored: success and `Refused`. Not stored: `Denied`, `Invalid`, `TryAgain`, `Broken`.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
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


# A table was changed under a prepared statement; asyncpg has forgotten it by now and prepares it anew.
CHANGED_TABLES = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)

_STORED = """
SELECT principal_id, key_digest, fingerprint, status, body FROM idempotency
JOIN unnest($1::uuid[], $2::bytea[]) AS asked (principal_id, key_digest) USING (principal_id, key_digest)
"""

_STORE = """
INSERT INTO idempotency (principal_id, key_digest, fingerprint, status, body, effect)
SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::smallint[], $5::bytea[], $6::boolean[])
ON CONFLICT DO NOTHING RETURNING 1
"""


class KeyName(NamedTuple):
    """What names a request: its principal and the digest of its key."""

    principal_id: UUID
    key_digest: bytes


class Request(NamedTuple):
    """What makes a write repeatable: its name by who asks under which ``key``, and with which body.

    ``fingerprint`` is over method, route and parsed body; the same key with another one is refused.
    """

    name: KeyName
    key: str
    fingerprint: bytes


def request(principal_id: UUID, key: str, action: str, body: object) -> Request:
    """Make a Request: ``action`` is the method and route (or the button), ``body`` any msgspec-encodable value."""
    content = msgspec.json.encode(body, order="sorted")
    fingerprint = hashlib.sha256(action.encode() + b"\0" + content).digest()[:16]
    key_digest = hashlib.sha256(key.encode()).digest()[:16]
    return Request(KeyName(principal_id, key_digest), key, fingerprint)


class KeyTaken(Exception):
    """An equal key was committed since the look-up: roll back and run again, to find its answer."""


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
    try:
        return await _perform(pool, asked, work)
    except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
        raise TryAgain("busy") from None  # of the look-up too; COMMIT waits for no lock, so nothing happened


async def _perform(pool: Pool, asked: Request | None, work: Work[T]) -> T:
    for _ in range(MAX_RERUNS):
        async with pool.acquire() as connection:
            if asked is not None:
                found = await _stored(connection, asked, work.answers)
                if found is not None:
                    return found
            try:
                return await _run(connection, asked, work)
            except (KeyTaken, *CHANGED_TABLES):
                continue
            except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError, Invalid, TryAgain):
                equal = None if asked is None else await _stored(connection, asked, work.answers)
                if equal is not None:
                    return equal
                raise
    raise TryAgain("busy")


async def _stored(connection: Connection, asked: Request, answers: type[T]) -> T | None:
    row = (await stored_answers(connection, [asked])).get(asked.name)
    return None if row is None else row.told(asked, answers)


class StoredAnswer(NamedTuple):
    """What lies under a key: whose request it was, and the answer as it was given."""

    fingerprint: bytes
    status: int
    body: bytes

    def told(self, asked: Request, answers: type[T]) -> T:
        """The answer again. Raises the stored Refused; Invalid ``idempotency_key_reused`` to another body."""
        if self.fingerprint != asked.fingerprint:
            raise Invalid("idempotency_key_reused")
        if self.status != STATUS_OK:
            refusal = msgspec.json.decode(self.body, type=Refusal)
            raise Refused(refusal.code, status=refusal.status, **refusal.facts)
        return msgspec.json.decode(self.body, type=answers)


async def stored_answers(connection: Connection, asked: Sequence[Request]) -> dict[KeyName, StoredAnswer]:
    """What is stored under the keys of these requests, by key, in one statement."""
    if not asked:
        return {}
    rows = await connection.fetch(
        _STORED, [one.name.principal_id for one in asked], [one.name.key_digest for one in asked]
    )
    return {KeyName(row[0], row[1]): StoredAnswer(row[2], row[3], row[4]) for row in rows}


async def store_answers(connection: Connection, answered: Sequence[tuple[Request, object]]) -> bool:
    """Store the answers (`Refused` among them) in one statement; False when one of the keys was taken meanwhile."""
    if not answered:
        return True
    rows = sorted((*asked.name, asked.fingerprint, *_row(answer)) for asked, answer in answered)
    taken = await connection.fetch(_STORE, *zip(*rows, strict=True))
    return len(taken) == len(rows)


def _row(answer: object) -> tuple[int, bytes, bool]:
    if isinstance(answer, Refused):
        return answer.status, msgspec.json.encode(Refusal(answer.code, answer.status, answer.facts)), False
    return STATUS_OK, msgspec.json.encode(answer), True


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
                await _store(connection, asked, error)
        else:
            if asked is not None:
                await _store(connection, asked, answer)
    if refusal is not None:
        raise refusal
    return answer


async def _store(connection: Connection, asked: Request, answer: object) -> None:
    if not await store_answers(connection, [(asked, answer)]):
        raise KeyTaken
