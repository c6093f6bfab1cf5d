"""One keep-alive HTTP/1.1 connection of a simulated client. It may leave before the answer, as people do."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

LIMIT_BYTES = 1_000_000


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    body: bytes


class AnswerLost(ConnectionError):
    """The connection ended, or what came over it is no answer; whether the request was done is unknown."""


class Line:
    """Opened on the first request, and again after it was lost. One request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes, seconds: float
    ) -> Answer:
        """Send, and await the answer at most ``seconds``. Raises OSError (AnswerLost) and TimeoutError."""
        try:
            async with asyncio.timeout(seconds):
                reader, _ = await self._send(method, path, headers, content)
                return await self._answer(reader)
        except BaseException:  # whatever was cut off here would be read as the next request's answer
            self.close()
            raise

    async def leave(self, method: str, path: str, headers: Mapping[str, str], content: bytes) -> None:
        """Send and hang up at once. Raises OSError where not even that was possible."""
        try:
            _, writer = await self._send(method, path, headers, content)
            await writer.drain()
        finally:
            self.close()

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=LIMIT_BYTES)
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if method == "POST":
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        self._streams[1].write("\r\n".join([*lines, "", ""]).encode("ascii") + content)
        return self._streams

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").lower()
            status, length, ends = _read_head(head)
            body = await reader.readexactly(length)
        except (EOFError, ValueError, asyncio.LimitOverrunError) as error:
            raise AnswerLost(type(error).__name__) from error
        if ends:
            self.close()
        return Answer(status, body)

    def close(self) -> None:
        """Give the connection up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _read_head(head: str) -> tuple[int, int, bool]:
    first, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    if "content-length" not in headers:
        raise ValueError("an answer without its length")
    status = int(first.removeprefix("http/1.1 ")[:3])
    return status, int(headers["content-length"]), headers.get("connection") == "close"
