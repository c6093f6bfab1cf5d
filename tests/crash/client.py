"""One operation from its first request to its end, as a careful client does it: same key until an answer comes.

Everything is written into the history before it is sent and when it is heard.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from tests.crash.history import LOOK, STATUS_NOTHING, STATUS_UNKNOWN, Asked, History, Lost, Told
from tests.crash.http import Line
from tests.crash.town import Till

PATIENCE_SECONDS = 3.0
ATTEMPTS_MAX = 60
OPERATION_SECONDS_MAX = 25.0
PAUSE_MIN_SECONDS, PAUSE_MAX_SECONDS = 0.03, 0.4
LEFT_ALONE = 0.1  # of the operations whose outcome is unknown: their client never asks again
ASKED_AGAIN = 0.05  # of those that were answered: the client asks once more and must hear the same
COPIES = 3


@dataclass
class Weather:
    """How clients behave now: how long they wait, and how many hang up at once."""

    patience_seconds: float = PATIENCE_SECONDS
    leave: float = 0.0

    def clear(self) -> None:
        """Back to normal."""
        self.patience_seconds, self.leave = PATIENCE_SECONDS, 0.0


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What a client wants done. ``content`` is None for a look."""

    kind: str
    path: str
    content: Mapping[str, Any] | None
    person: UUID
    till: Till
    payment: str = ""
    amount_fen: int = 0
    as_holder: bool = False


class Client:
    """Performs intents one after the other (copies of one at once), on connections of its own."""

    def __init__(
        self, port: int, channel_key: str, history: History, numbers: "count[int]", weather: Weather, chance: Random,
        attempts_max: int = ATTEMPTS_MAX,
    ) -> None:  # fmt: skip
        self.port = port
        self._lines = [Line(port) for _ in range(COPIES)]
        self._channel_key = channel_key
        self._history = history
        self._numbers = numbers
        self._weather = weather
        self._attempts_max = attempts_max
        self.chance = chance

    async def perform(self, intent: Intent, *, copies: int = 1) -> dict[str, Any] | None:
        """Do it once, however often it must be asked; answer the body of success, None for anything else."""
        number = next(self._numbers)
        key = f"op-{number}-{self.chance.getrandbits(64):016x}"
        ends = await asyncio.gather(
            *(self._insist(line, intent, number, key) for line in self._lines[:copies])
        )
        return next((end for end in ends if end is not None), None)

    async def _insist(self, line: Line, intent: Intent, number: int, key: str) -> dict[str, Any] | None:
        until = time.monotonic() + OPERATION_SECONDS_MAX
        pause = PAUSE_MIN_SECONDS
        for _ in range(self._attempts_max):
            status, body = await self._attempt(line, intent, number, key)
            if status and status not in STATUS_NOTHING and status != STATUS_UNKNOWN:
                if intent.kind != LOOK and self.chance.random() < ASKED_AGAIN:
                    await self._attempt(line, intent, number, key)
                answer: dict[str, Any] | None = json.loads(body) if status < 300 else None
                return answer
            if time.monotonic() > until or self.chance.random() < LEFT_ALONE:
                return None
            await asyncio.sleep(pause * self.chance.uniform(0.5, 1.5))
            pause = min(2 * pause, PAUSE_MAX_SECONDS)
        return None

    async def _attempt(self, line: Line, intent: Intent, number: int, key: str) -> tuple[int, bytes]:
        """One request; status 0 when no answer came."""
        attempt = self._asked(intent, number, key)
        method = "GET" if intent.content is None else "POST"
        content = b"" if intent.content is None else json.dumps(intent.content).encode()
        headers = {
            "Authorization": f"Bearer {self._channel_key if intent.as_holder else intent.till.key}",
            "Idempotency-Key": key,
            "Hongbao-Person": str(intent.person),
        }
        try:
            if self.chance.random() < self._weather.leave:
                await line.leave(method, intent.path, headers, content)
                self._lost(number, attempt, "left")
                return 0, b""
            seconds = self._weather.patience_seconds
            status, body = await line.ask(method, intent.path, headers, content, seconds)
        except (OSError, TimeoutError) as error:
            self._lost(number, attempt, type(error).__name__)
            return 0, b""
        except asyncio.CancelledError:
            self._lost(number, attempt, "cancelled")
            raise
        told = Told(op=number, attempt=attempt, status=status, body=body.decode(), at=time.monotonic())
        self._history.write(told)
        return status, body

    def _asked(self, intent: Intent, number: int, key: str) -> int:
        attempt = next(self._numbers)
        self._history.write(
            Asked(
                op=number, attempt=attempt, kind=intent.kind, key=key, person=str(intent.person),
                terminal=str(intent.till.terminal), payment=intent.payment, amount_fen=intent.amount_fen,
                at=time.monotonic(),
            )
        )  # fmt: skip
        return attempt

    def _lost(self, number: int, attempt: int, why: str) -> None:
        self._history.write(Lost(op=number, attempt=attempt, why=why, at=time.monotonic()))

    def close(self) -> None:
        """Hang up."""
        for line in self._lines:
            line.close()
