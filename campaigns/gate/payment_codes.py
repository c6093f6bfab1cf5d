"""Live payment codes in Valkey: code -> whose it is. That a code pays once is PostgreSQL's to keep.

A person has a few live codes at most; a newer one pushes the oldest out. The codes of a batch are looked up in one
command, so one node keeps them all.
"""

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from redis.exceptions import RedisError

from campaigns.domain.errors import TryAgain
from campaigns.gate.valkey import Gate

MAX_LIVE_PER_PERSON = 3
_CODE = "pay:code:"
_PERSON = "pay:codes-of:"
_SCAN_COUNT = 500


class LiveCode(Struct, frozen=True, kw_only=True):
    """What a code says: the person, the code's id (unique in payments), and its end in campaign time."""

    code_id: UUID
    person_id: UUID
    programme_id: UUID
    expires_at: datetime


async def keep_code(gate: Gate, code: str, live: LiveCode, keep_seconds: int) -> bool:
    """Store ``code`` for ``keep_seconds`` of real time; False if it is live already. Raises TryAgain."""
    redis = gate.redis
    of_person = f"{_PERSON}{live.person_id}"
    try:
        if not await redis.set(_CODE + code, msgspec.json.encode(live), nx=True, ex=keep_seconds):
            return False
        await redis.zadd(of_person, {code: live.expires_at.timestamp()})
        await redis.expire(of_person, keep_seconds)
        beyond = await redis.zcard(of_person) - MAX_LIVE_PER_PERSON
        if beyond > 0:
            oldest: Any = await redis.zrange(of_person, 0, beyond - 1)
            for code_beyond in oldest:
                await redis.delete(_CODE.encode() + code_beyond)
            await redis.zrem(of_person, *oldest)
    except (RedisError, OSError):
        raise TryAgain("busy") from None
    return True


async def find_codes(gate: Gate, codes: Collection[str]) -> dict[str, LiveCode]:
    """Answer what each of ``codes`` says, those that do not live left out, in one command (so from one node).

    Raises TryAgain when Valkey cannot be asked.
    """
    asked = list(codes)
    if not asked:
        return {}
    try:
        found = await gate.redis.mget([_CODE + code for code in asked])
    except (RedisError, OSError):
        raise TryAgain("busy") from None
    return {
        code: msgspec.json.decode(one, type=LiveCode)
        for code, one in zip(asked, found, strict=True)
        if one is not None
    }


async def live_codes(gate: Gate) -> AsyncIterator[LiveCode]:
    """Walk through every live code; for the clock of demo and test mode, not for the way of a payment."""
    async for key in gate.redis.scan_iter(match=_CODE + "*", count=_SCAN_COUNT):
        found = await gate.redis.get(key)
        if found is not None:
            yield msgspec.json.decode(found, type=LiveCode)


async def forget_codes(gate: Gate) -> int:
    """Make every live code void; for demo and test mode. Answers how many there were."""
    count = 0
    for key in [key async for key in gate.redis.scan_iter(match=_CODE + "*", count=_SCAN_COUNT)]:
        count += await gate.redis.delete(key)
    return count
