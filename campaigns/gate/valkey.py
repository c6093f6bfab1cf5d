"""The connection to Valkey. The gate may refuse; it never grants.

redis-py 8 retries by default, and a retried reply runs a command twice: retries are off here.
"""

from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

SOCKET_TIMEOUT_SECONDS = 2.0
MAX_CONNECTIONS = 64


@dataclass(frozen=True)
class Gate:
    """Valkey as the rooms above see it; keys are named only in this package."""

    redis: Redis

    async def close(self) -> None:
        await self.redis.aclose()


def open_gate(url: str) -> Gate:
    """Open a Gate at ``url`` (redis:// or unix://); connects on first use."""
    redis = Redis.from_url(
        url,
        socket_timeout=SOCKET_TIMEOUT_SECONDS,
        socket_connect_timeout=SOCKET_TIMEOUT_SECONDS,
        max_connections=MAX_CONNECTIONS,
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
    )
    return Gate(redis)
