"""Rate limits as token buckets in Valkey, taken a few tokens at a time.

A bucket fills at ``per_second`` up to ``burst``. A process asks for a lease (a tenth of the
burst) and spends it from memory, so most requests cost no round trip; all processes together never pass more than
the bucket gave, and what a process still holds is the most that comes on top of a full bucket. When Valkey does not answer, everything passes (a limit protects availability, not value)
and is counted, and Valkey is left alone for a second.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from redis.exceptions import RedisError

from campaigns.domain.errors import TryAgain
from campaigns.gate.gathered import Gathered
from campaigns.gate.valkey import Gate

LEASES_PER_BURST = 10
LEASE_LIFE_SECONDS = 60.0
SILENCE_SECONDS = 1.0
MOST_LEASES = 50_000
_PREFIX = "hongbao:limit:"

# KEYS buckets; ARGV for each: tokens per second, burst, tokens wanted. Answers for each tokens given and, if none, the
# milliseconds until the next one. Time is Valkey's own, so processes on several machines agree.
_SCRIPT = """
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local answers = {}
for i, key in ipairs(KEYS) do
    local rate, burst, wanted = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
    local bucket = redis.call('HMGET', key, 'tokens', 'at_ms')
    local tokens, at_ms = tonumber(bucket[1]) or burst, tonumber(bucket[2]) or now_ms
    tokens = math.min(burst, tokens + math.max(0, now_ms - at_ms) * rate / 1000)
    local given = math.min(wanted, math.floor(tokens))
    redis.call('HSET', key, 'tokens', tostring(tokens - given), 'at_ms', tostring(now_ms))
    redis.call('PEXPIRE', key, math.ceil(burst / rate * 1000) + 1000)
    answers[i] = {given, given > 0 and 0 or math.ceil((1 - tokens) / rate * 1000)}
end
return answers
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """``per_second`` requests in the long run, ``burst`` at once; both at least 1."""

    per_second: int
    burst: int

    def __post_init__(self) -> None:
        assert self.per_second >= 1 and self.burst >= 1, self

    @property
    def lease(self) -> int:
        """Tokens asked for at a time."""
        return max(1, self.burst // LEASES_PER_BURST)


class _Asked(NamedTuple):
    bucket_id: UUID
    limit: Limit


class _Given(NamedTuple):
    tokens: int
    wait_ms: int


class RateLimits:
    """The limits of one process. ``on_open`` is told each time a request passed because Valkey was silent."""

    def __init__(self, gate: Gate, on_open: Callable[[], None] = lambda: None) -> None:
        self._script = gate.redis.register_script(_SCRIPT)
        self._on_open = on_open
        self._leases: dict[UUID, tuple[int, float]] = {}
        self._silent_until = 0.0
        self._asking: dict[UUID, asyncio.Future[int]] = {}
        self._given: Gathered[_Asked, _Given] = Gathered(self._ask_many)

    async def take(self, bucket_id: UUID, limit: Limit) -> None:
        """Let one request pass, or raise TryAgain ``too_many_requests`` with the seconds to wait.

        One request of a bucket asks for a lease at a time: a hundred that come at once must not take a lease each, and
        of an empty bucket all who wait hear so at once: a flood must not be turned away one by one.
        """
        while not self._spend(bucket_id):
            if time.monotonic() < self._silent_until:
                self._on_open()
                return
            asking = self._asking.get(bucket_id)
            if asking is None:
                await self._ask(bucket_id, limit)
                return
            wait_ms = await asyncio.shield(asking)
            if wait_ms:
                raise _too_many(wait_ms)

    def _spend(self, bucket_id: UUID) -> bool:
        left, until = self._leases.get(bucket_id, (0, 0.0))
        if left <= 0 or time.monotonic() >= until:
            return False
        self._leases[bucket_id] = (left - 1, until)
        return True

    async def _ask(self, bucket_id: UUID, limit: Limit) -> None:
        """Take a lease and spend one token of it, while the bucket's other requests wait."""
        now = time.monotonic()
        done = self._asking[bucket_id] = asyncio.get_running_loop().create_future()
        wait_ms = 0
        try:
            given = await self._given.get(_Asked(bucket_id, limit))
            assert given is not None
            wait_ms = given.wait_ms
        except (RedisError, OSError):
            self._silent_until = time.monotonic() + SILENCE_SECONDS
            self._on_open()
            return
        finally:
            del self._asking[bucket_id]
            done.set_result(wait_ms)
        if wait_ms:
            raise _too_many(wait_ms)
        self._keep(bucket_id, given.tokens - 1, now)

    async def _ask_many(self, asked: Collection[_Asked]) -> dict[_Asked, _Given]:
        """The leases of many buckets in one command (so from one node)."""
        answers = await self._script(
            keys=[f"{_PREFIX}{one.bucket_id.hex}" for one in asked],
            args=[number for _, limit in asked for number in (limit.per_second, limit.burst, limit.lease)],
        )
        return {one: _Given(*map(int, answer)) for one, answer in zip(asked, answers, strict=True)}

    def _keep(self, bucket_id: UUID, tokens: int, now: float) -> None:
        if len(self._leases) >= MOST_LEASES:
            self._leases.clear()  # gives tokens up, never makes any
        self._leases[bucket_id] = (tokens, now + LEASE_LIFE_SECONDS)


def _too_many(wait_ms: int) -> TryAgain:
    return TryAgain("too_many_requests", status=429, retry_after_seconds=max(1, -(-wait_ms // 1000)))
