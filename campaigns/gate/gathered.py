"""Look-ups that many ask for at once share one statement: what is asked while one runs goes into the next."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MAX_GATHERED: Final = 1_000  # keys in one look-up; the rest wait for the next
FIND_SECONDS: Final = 10.0  # of one look-up: the next waits for it, and a link may be cut without a word

Find = Callable[[Collection[K]], Awaitable[Mapping[K, V]]]


class Gathered(Generic[K, V]):
    """Look-ups by key. ``find`` answers what it found of the keys it is given; what it raises is told to all of them.

    One that takes longer than ``find_seconds`` is given up: TimeoutError.
    """

    def __init__(self, find: "Find[K, V]", find_seconds: float = FIND_SECONDS) -> None:
        self._find = find
        self._find_seconds = find_seconds
        self._asked: dict[K, asyncio.Future[V | None]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """What is found under ``key``, None for nothing. Raises what the look-up raised."""
        asked = self._asked.get(key)
        if asked is None:
            loop = asyncio.get_running_loop()
            asked = self._asked[key] = loop.create_future()
            if self._reader is None:
                self._reader = loop.create_task(self._read(), name="gathered look-ups")
        return await asyncio.shield(asked)  # one that leaves does not take it from the others

    async def _read(self) -> None:
        try:
            while self._asked:
                keys = list(self._asked)[:MAX_GATHERED]
                asked = [self._asked.pop(key) for key in keys]
                await self._answer(keys, asked)
        finally:
            self._reader = None

    async def _answer(self, keys: list[K], asked: "list[asyncio.Future[V | None]]") -> None:
        try:
            async with asyncio.timeout(self._find_seconds):
                found = await self._find(keys)
        except Exception as error:  # noqa: BLE001 - told to everybody who asked
            for one in asked:
                one.set_exception(error)
                one.exception()  # nobody may be left to hear it
            return
        for key, one in zip(keys, asked, strict=True):
            one.set_result(found.get(key))
