"""Rate limits as token buckets in Valkey, taken a few tokens at a time.

A bucket fills at ``per_second`` up to ``burst``. A process asks for a lease (a tenth of the
burst) and spends it from memory, so most requests cost no round trip; all processes together never pass more than
the bucket gave, and what a process still holds is the most that comes on top of a full bucket. When Valkey does not answer, everything passes (a limit protects availability, not value)
and is counted, and Valkey is left alone for a second.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from redis.exceptions import RedisError

from campaigns.domain.errors import TryAgain
from campaigns.gate.valkey import Gate

LEASES_PER_BURST = 10
LEASE_LIFE_SECONDS = 60.0
SILENCE_SECONDS = 1.0
MOST_LEASES = 50_000
_PREFIX = "hongbao:limit:"

# KEYS[1] bucket; ARGV: tokens per second, burst, tokens wanted. Answers tokens given and, if none, the
# milliseconds until the next one. Time is Valkey's own, so processes on several machines agree.
_SCRIPT = """
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at_ms')
local tokens, at_ms = tonumber(bucket[1]) or burst, tonumber(bucket[2]) or now_ms
tokens = math.min(burst, tokens + math.max(0, now_ms - at_ms) * rate / 1000)
local given = math.min(wanted, math.floor(tokens))
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - given), 'at_ms', tostring(now_ms))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
if given > 0 then return {given, 0} end
return {0, math.ceil((1 - tokens) / rate * 1000)}
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


class RateLimits:
    """The limits of one process. ``on_open`` is told each time a request passed because Valkey was silent."""

    def __init__(self, gate: Gate, on_open: Callable[[], None] = lambda: None) -> None:
        self._script = gate.redis.register_script(_SCRIPT)
        self._on_open = on_open
        self._leases: dict[UUID, tuple[int, float]] = {}
        self._silent_until = 0.0
        self._asking: dict[UUID, asyncio.Future[None]] = {}

    async def take(self, bucket_id: UUID, limit: Limit) -> None:
        """Let one request pass, or raise TryAgain ``too_many_requests`` with the seconds to wait.

        One request of a bucket asks for a lease at a time: a hundred that come at once must not take a lease each.
        """
        while not self._spend(bucket_id):
            if time.monotonic() < self._silent_until:
                self._on_open()
                return
            asking = self._asking.get(bucket_id)
            if asking is None:
                await self._ask(bucket_id, limit)
                return
            await asyncio.shield(asking)

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
        try:
            given, wait_ms = await self._script(
                keys=[f"{_PREFIX}{bucket_id.hex}"], args=[limit.per_second, limit.burst, limit.lease]
            )
        except (RedisError, OSError):
            self._silent_until = time.monotonic() + SILENCE_SECONDS
            self._on_open()
            return
        finally:
            del self._asking[bucket_id]
            done.set_result(None)
        if not given:
            raise TryAgain(
                "too_many_requests", status=429, retry_after_seconds=max(1, -(-int(wait_ms) // 1000))
            )
        self._keep(bucket_id, int(given) - 1, now)

    def _keep(self, bucket_id: UUID, tokens: int, now: float) -> None:
        if len(self._leases) >= MOST_LEASES:
            self._leases.clear()  # gives tokens up, never makes any
        self._leases[bucket_id] = (tokens, now + LEASE_LIFE_SECONDS)
