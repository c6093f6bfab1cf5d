"""Tills and channels over real sockets: bearer key, Idempotency-Key, and the same request again until it is answered.

A lost connection, 503 and 504 mean "unknown" or "not now": the request is repeated with the same key and body.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from api.demo.http import Connection

PATIENCE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.05
MOST_PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 40.0
NOT_NOW = frozenset({429, 502, 503, 504})


class Reply(NamedTuple):
    """An answer: its status and body."""

    status: int
    body: dict[str, Any]


class ServerSilent(RuntimeError):
    """The server did not answer a request for `PATIENCE_SECONDS`."""


class Client:
    """As many connections to one server as there are requests at a time; the caller bounds those."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._idle: list[Connection] = []
        self.requests = 0

    async def post(
        self, path: str, key: str, request_key: str, body: Mapping[str, Any], person: str = ""
    ) -> Reply:
        """Send a write until it is answered. Raises ServerSilent."""
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": request_key}
        if person:
            headers["Hongbao-Person"] = person
        content = msgspec.json.encode(body)
        connection = self._idle.pop() if self._idle else Connection(*self._address)
        try:
            status, answer = await self._until_answered(connection, path, headers, content)
        finally:
            self._idle.append(connection)
        self.requests += 1
        return Reply(status, msgspec.json.decode(answer))

    async def _until_answered(
        self, connection: Connection, path: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[int, bytes]:
        loop = asyncio.get_running_loop()
        started, pause = loop.time(), FIRST_PAUSE_SECONDS
        while True:
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    status, answer = await connection.post(path, headers, content)
            except (OSError, TimeoutError) as error:
                said: object = type(error).__name__
            else:
                if status not in NOT_NOW:
                    return status, answer
                said = status
            if loop.time() - started > PATIENCE_SECONDS:
                raise ServerSilent(f"{path}: no answer within {PATIENCE_SECONDS:.0f} s (last: {said})")
            await asyncio.sleep(pause)
            pause = min(2 * pause, MOST_PAUSE_SECONDS)

    async def close(self) -> None:
        """Leave."""
        for connection in self._idle:
            connection.close()
