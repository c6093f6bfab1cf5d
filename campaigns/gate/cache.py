"""Answers that are read often and may be some seconds old, kept in Valkey as bytes.

What is kept is a copy that may be lost. A key carries the use and the ids the answer belongs to, so that an answer is
found only by who may ask for it. When Valkey does not answer, or a value is too large, the answer is computed;
then Valkey is left alone for a second. Readers of one process who miss at the same time share one computation.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from redis.exceptions import RedisError

from campaigns.gate.rate_limits import SILENCE_SECONDS
from campaigns.gate.valkey import Gate

OPEN_CAMPAIGNS_SECONDS = 5
REPORT_SECONDS = 15
MOST_VALUE_BYTES = 500_000
_PREFIX = (
    "hongbao:cache:v1:"  # counted up when an answer's shape changes, so that versions side by side do not mix
)
_MS = 1_000

Compute = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Use:
    """What is cached under ``name``, and for how many ``seconds`` from the moment its reading began."""

    name: str
    seconds: int


OPEN_CAMPAIGNS = Use("open-campaigns", OPEN_CAMPAIGNS_SECONDS)
REPORT = Use("report", REPORT_SECONDS)


@dataclass(slots=True)
class _Reading:
    task: asyncio.Task[bytes]
    readers: int = 0


class Cache:
    """The cache as one process uses it.

    ``on_read`` is told of each reading: the use, and ``hit``, ``miss``, ``too_large`` or ``silent`` (Valkey).
    """

    def __init__(self, gate: Gate, on_read: Callable[[str, str], None] = lambda use, outcome: None) -> None:
        self._redis = gate.redis
        self._on_read = on_read
        self._readings: dict[str, _Reading] = {}
        self._silent_until = 0.0

    async def read(self, use: Use, owners: tuple[UUID, ...], compute: Compute) -> bytes:
        """The answer kept for ``owners``, else what ``compute`` gives, which is kept. Raises what ``compute`` raises."""
        key = key_of(use, owners)
        reading = self._readings.get(key)
        if reading is None:
            task = asyncio.get_running_loop().create_task(self._read(use, key, compute))
            reading = self._readings[key] = _Reading(task)
        reading.readers += 1
        try:
            return await asyncio.shield(reading.task)
        finally:
            reading.readers -= 1
            if not reading.readers:
                del self._readings[key]
                reading.task.cancel()  # nobody waits for it; nothing happens where it has ended

    async def _read(self, use: Use, key: str, compute: Compute) -> bytes:
        if time.monotonic() < self._silent_until:
            self._on_read(use.name, "silent")
            return await compute()
        try:
            found: bytes | None = await self._redis.get(key)
        except (RedisError, OSError):
            self._fell_silent(use)
            return await compute()
        if found is not None:
            self._on_read(use.name, "hit")
            return found
        began = time.monotonic()
        value = await compute()
        await self._keep(use, key, value, began)
        return value

    async def _keep(self, use: Use, key: str, value: bytes, began: float) -> None:
        if len(value) > MOST_VALUE_BYTES:
            self._on_read(use.name, "too_large")
            return
        left_ms = int((began + use.seconds - time.monotonic()) * _MS)
        try:
            if left_ms > 0:
                await self._redis.set(key, value, px=left_ms)
        except (RedisError, OSError):
            self._fell_silent(use)
        else:
            self._on_read(use.name, "miss")

    def _fell_silent(self, use: Use) -> None:
        self._silent_until = time.monotonic() + SILENCE_SECONDS
        self._on_read(use.name, "silent")


def key_of(use: Use, owners: tuple[UUID, ...]) -> str:
    """The name in Valkey of an answer that belongs to ``owners``: programme, then campaign; none for a public one."""
    return _PREFIX + ":".join((use.name, *(owner.hex for owner in owners)))
