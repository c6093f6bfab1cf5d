"""Tills and channels over real sockets: bearer key, Idempotency-Key, and the same request again until it is answered.

A lost connection, 503 and 504 mean "unknown" or "not now": the request is repeated with the same key and body. Each
of `connections` tasks holds a connection of its own.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx
import msgspec

PATIENCE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.05
MOST_PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 40.0
NOT_NOW = frozenset({429, 502, 503, 504})


class Reply(NamedTuple):
    """An answer: its status and body. ``interrupted`` when it took more than one try."""

    status: int
    body: dict[str, Any]
    interrupted: bool


class ServerSilent(RuntimeError):
    """The server did not answer a request for `PATIENCE_SECONDS`."""


class Client:
    """HTTP/1.1 to one server."""

    def __init__(self, base_url: str, connections: int) -> None:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._http = httpx.AsyncClient(base_url=base_url, limits=limits, timeout=TIMEOUT_SECONDS)
        self.requests = 0

    async def post(
        self, path: str, key: str, request_key: str, body: Mapping[str, Any], person: str = ""
    ) -> Reply:
        """Send a write until it is answered. Raises ServerSilent."""
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": request_key, "Content-Type": "application/json"}  # fmt: skip
        if person:
            headers["Hongbao-Person"] = person
        content = msgspec.json.encode(body)
        loop = asyncio.get_running_loop()
        started, pause, tries = loop.time(), FIRST_PAUSE_SECONDS, 0
        while True:
            tries += 1
            try:
                response = await self._http.post(path, content=content, headers=headers)
            except httpx.TransportError as error:
                said: object = type(error).__name__
            else:
                if response.status_code not in NOT_NOW:
                    self.requests += 1
                    return Reply(response.status_code, msgspec.json.decode(response.content), tries > 1)
                said = response.status_code
            if loop.time() - started > PATIENCE_SECONDS:
                raise ServerSilent(f"{path}: no answer within {PATIENCE_SECONDS:.0f} s (last: {said})")
            await asyncio.sleep(pause)
            pause = min(2 * pause, MOST_PAUSE_SECONDS)

    async def close(self) -> None:
        await self._http.aclose()
