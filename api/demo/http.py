"""One keep-alive HTTP/1.1 connection that speaks JSON with our own server, and nothing more.

A general client spends more time on each request than the server does, on the same two cores.
"""

import asyncio
from collections.abc import Mapping

LIMIT_BYTES = 1_000_000


class ConnectionLost(ConnectionError):
    """The connection ended, or what came over it is not an answer; whether the request was done is unknown."""


class Connection:
    """Opened on the first request, and again after it was lost. One request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, headers: Mapping[str, str], content: bytes) -> tuple[int, bytes]:
        """Send and await the status and body. Raises OSError (ConnectionLost)."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection(*self._address, limit=LIMIT_BYTES)
            reader, writer = self._streams
            lines = [f"POST {path} HTTP/1.1", f"Host: {self._address[0]}:{self._address[1]}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}", "", ""]
            writer.write("\r\n".join(lines).encode("ascii") + content)
            return await self._answer(reader)
        except BaseException:  # whatever was cut off here would be read as the next request's answer
            self.close()
            raise

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").lower()
            status, length, ends = _read_head(head)
            content = await reader.readexactly(length)
        except (EOFError, ValueError, asyncio.LimitOverrunError) as error:
            raise ConnectionLost(type(error).__name__) from error
        if ends:
            self.close()
        return status, content

    def close(self) -> None:
        """Give the connection up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _read_head(head: str) -> tuple[int, int, bool]:
    """Status, length of the body, and whether the server closes. Raises ValueError."""
    first, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    if "content-length" not in headers:
        raise ValueError("an answer without its length")
    return (
        int(first.removeprefix("http/1.1 ")[:3]),
        int(headers["content-length"]),
        headers.get("connection") == "close",
    )
