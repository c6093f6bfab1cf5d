"""Look-ups that share a statement: nobody waits for a second one, nobody hears another's answer."""

import asyncio
from collections.abc import Collection

import pytest

from campaigns.gate import gathered
from campaigns.gate.gathered import Gathered


class Shelf:
    """Answers look-ups when told to, and keeps what was asked in each."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.open = asyncio.Event()
        self.error: Exception | None = None

    async def find(self, keys: Collection[int]) -> dict[int, str]:
        self.asked.append(sorted(keys))
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return {key: f"v{key}" for key in keys if key % 2}


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_asked_while_one_runs_goes_into_the_next() -> None:
    shelf = Shelf()
    lookups = Gathered(shelf.find)
    asks = [asyncio.create_task(lookups.get(1))]
    await _settle()
    asks += [asyncio.create_task(lookups.get(key)) for key in (2, 3, 3)]
    await _settle()
    shelf.open.set()
    assert await asyncio.gather(*asks) == ["v1", None, "v3", "v3"]
    assert shelf.asked == [[1], [2, 3]]


async def test_one_that_leaves_takes_nothing_from_the_others() -> None:
    shelf = Shelf()
    lookups = Gathered(shelf.find)
    leaving, staying = (asyncio.create_task(lookups.get(1)) for _ in range(2))
    await _settle()
    leaving.cancel()
    await _settle()
    shelf.open.set()
    assert await staying == "v1"
    assert leaving.cancelled()


async def test_an_error_is_told_to_all_and_the_next_look_up_is_new() -> None:
    shelf = Shelf()
    lookups = Gathered(shelf.find)
    shelf.open.set()
    shelf.error = OSError("away")
    told = await asyncio.gather(lookups.get(1), lookups.get(3), return_exceptions=True)
    assert all(isinstance(one, OSError) for one in told)
    shelf.error = None
    assert await lookups.get(1) == "v1"
    assert shelf.asked == [[1, 3], [1]]


async def test_a_look_up_that_never_ends_is_given_up_and_does_not_hold_up_the_next() -> None:
    shelf = Shelf()
    lookups = Gathered(shelf.find, find_seconds=0.02)
    with pytest.raises(TimeoutError):
        await lookups.get(1)
    shelf.open.set()
    assert await lookups.get(1) == "v1"


async def test_a_look_up_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "MAX_GATHERED", 2)
    shelf = Shelf()
    lookups = Gathered(shelf.find)
    shelf.open.set()
    assert await asyncio.gather(*(lookups.get(key) for key in range(5))) == [None, "v1", None, "v3", None]
    assert [len(keys) for keys in shelf.asked] == [2, 2, 1]
