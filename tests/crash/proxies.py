"""Small TCP proxies that cut or stall what passes them: between clients and server, between server and PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from random import Random

CHUNK_BYTES = 65_536
COMMIT = b"COMMIT"
COMMAND_COMPLETE, READY, SIMPLE_QUERY = b"C", b"Z", b"Q"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Pass = Callable[[bytes], Iterator[bytes]]


class Cut(Exception):
    """This connection ends here."""


class Proxy:
    """Passes every connection on. ``hits`` counts the cuts; `stall` holds every byte back until `flow`."""

    def __init__(self, connect: Callable[[], Awaitable[Streams]], chance: Random) -> None:
        self._connect = connect
        self._chance = chance
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.probability = 0.0
        self.hits = 0

    async def start(self) -> int:
        """Listen on a free port of 127.0.0.1; answers it."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        self.flow()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def stall(self) -> None:
        """Hold everything back."""
        self._flowing.clear()
        self.hits += 1

    def flow(self) -> None:
        """Let everything pass again."""
        self._flowing.set()

    def strikes(self) -> bool:
        """Draw whether this one is cut."""
        struck = self._chance.random() < self.probability
        self.hits += struck
        return struck

    def requests(self) -> Pass:
        """What passes from client to server on a new connection."""
        return iter_once

    def answers(self) -> Pass:
        """What passes from server to client on a new connection."""
        return iter_once

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._join(client, to_client)
        finally:
            self._connections.discard(task)
            to_client.close()

    async def _join(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            server, to_server = await self._connect()
        except OSError:
            return
        pumps = [
            asyncio.ensure_future(self._pump(client, to_server, self.requests())),
            asyncio.ensure_future(self._pump(server, to_client, self.answers())),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            to_server.close()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, passing: Pass) -> None:
        with suppress(Cut, OSError):
            while part := await source.read(CHUNK_BYTES):
                await self._flowing.wait()
                for passed in passing(part):
                    target.write(passed)
                    await target.drain()


def iter_once(part: bytes) -> Iterator[bytes]:
    """Pass a part on as it is."""
    yield part


class HttpProxy(Proxy):
    """Loses answers: the server has sent one, and the connection ends before, or in the middle of it."""

    def answers(self) -> Pass:
        def passing(part: bytes) -> Iterator[bytes]:
            if self.strikes():
                if self._chance.random() < 0.5:
                    yield part[: len(part) // 2]
                raise Cut
            yield part

        return passing


class PostgresProxy(Proxy):
    """Cuts at COMMIT. ``moment``: ``before`` it reaches the server, ``after`` it was done and before it is told, ``told``."""

    moment = "after"

    def requests(self) -> Pass:
        messages = Messages(untyped=1)

        def passing(part: bytes) -> Iterator[bytes]:
            for message in messages.feed(part):
                asks = message[:1] == SIMPLE_QUERY and message[5:11].upper() == COMMIT
                if asks and self.moment == "before" and self.strikes():
                    raise Cut
                yield message

        return passing

    def answers(self) -> Pass:
        messages = Messages(untyped=0)
        struck = False

        def passing(part: bytes) -> Iterator[bytes]:
            nonlocal struck
            for message in messages.feed(part):
                if message[:1] == COMMAND_COMPLETE and message[5:-1] == COMMIT and self.moment != "before":
                    struck = self.strikes()
                    if struck and self.moment == "after":
                        raise Cut
                yield message
                if struck and message[:1] == READY:
                    raise Cut

        return passing


class Messages:
    """Cuts a stream of PostgreSQL's protocol into messages; the client's first ``untyped`` ones have no type byte."""

    def __init__(self, untyped: int) -> None:
        self._untyped = untyped
        self._buffer = b""

    def feed(self, part: bytes) -> Iterator[bytes]:
        """The messages that are whole by now."""
        self._buffer += part
        while True:
            start = 0 if self._untyped else 1
            if len(self._buffer) < start + 4:
                return
            length = start + int.from_bytes(self._buffer[start : start + 4], "big")
            if len(self._buffer) < length:
                return
            message, self._buffer = self._buffer[:length], self._buffer[length:]
            self._untyped = max(0, self._untyped - 1)
            yield message
