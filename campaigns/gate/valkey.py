"""The connection to Valkey. The gate may refuse; it never grants.

redis-py 8 retries by default, and a retried reply runs a command twice: retries are off here.
"""

from dataclasses import dataclass

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

SOCKET_TIMEOUT_SECONDS = 2.0
MAX_CONNECTIONS = 32


@dataclass(frozen=True)
class Gate:
    """Valkey as the rooms above see it; keys are named only in this package."""

    redis: Redis

    async def close(self) -> None:
        await self.redis.aclose()


def open_gate(url: str, max_connections: int = MAX_CONNECTIONS) -> Gate:
    """Open a Gate at ``url`` (redis:// or unix://); connects on first use.

    Whoever finds all ``max_connections`` in use waits for one, as long as for an answer, and then hears a RedisError.
    """
    connections = BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=SOCKET_TIMEOUT_SECONDS,
        socket_timeout=SOCKET_TIMEOUT_SECONDS,
        socket_connect_timeout=SOCKET_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
    )
    return Gate(Redis.from_pool(connections))
