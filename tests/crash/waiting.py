"""Waiting for a condition, within a bound."""

import asyncio
import time
from collections.abc import Awaitable, Callable

TICK_SECONDS = 0.02


class NeverCame(AssertionError):
    """What was waited for did not come in time."""


async def until(holds: Callable[[], Awaitable[bool] | bool], seconds: float, what: str) -> float:
    """Wait until ``holds``; answers how long it took. Raises NeverCame after ``seconds``."""
    started = time.monotonic()
    while True:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return time.monotonic() - started
        if time.monotonic() - started > seconds:
            raise NeverCame(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(TICK_SECONDS)
