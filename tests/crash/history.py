"""What simulated clients asked and heard, in order, as in Jepsen: asked, told, lost; and the operations it adds up to.

An operation is one intent under one request key. It is ``ok`` or ``refused`` once any attempt was told so,
``nothing`` when every attempt was told that nothing happened, and ``unknown`` otherwise.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec

OK, REFUSED, NOTHING, UNKNOWN = "ok", "refused", "nothing", "unknown"
STATUS_REFUSED = (404, 409, 410)  # stored under the key: no later attempt has an effect
STATUS_NOTHING = (408, 429, 503)  # promise that this attempt did nothing
STATUS_UNKNOWN = 504

# Kinds of operations, and what they name: the basket of a payment, the basket captured (0: whole), the goods returned.
CODE, REDEEM, HOLD, STORE_HOLD = "code", "redeem", "hold", "store_hold"
CAPTURE, VOID, REFUND, UNDO, WISH, LOOK = "capture", "void", "refund", "undo", "wish", "look"
PAYS = (REDEEM, HOLD, STORE_HOLD)


class Asked(msgspec.Struct, frozen=True, kw_only=True, tag="asked"):
    """A request leaves; ``at`` is real time in seconds of one monotonic clock."""

    op: int
    attempt: int
    kind: str
    key: str
    person: str
    terminal: str
    payment: str
    amount_fen: int
    at: float


class Told(msgspec.Struct, frozen=True, kw_only=True, tag="told"):
    """An answer came whole."""

    op: int
    attempt: int
    status: int
    body: str
    at: float


class Lost(msgspec.Struct, frozen=True, kw_only=True, tag="lost"):
    """No answer came, or the client left before it."""

    op: int
    attempt: int
    why: str
    at: float


Event = Asked | Told | Lost


class History:
    """Events in memory and, line by line, in a file that only grows."""

    def __init__(self, file: Path | None = None) -> None:
        self.events: list[Event] = []
        self._file: IO[bytes] | None = None if file is None else file.open("ab")

    def write(self, event: Event) -> None:
        """Append an event."""
        self.events.append(event)
        if self._file is not None:
            self._file.write(msgspec.json.encode(event) + b"\n")

    def close(self) -> None:
        """Take no more."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_history(file: Path) -> list[Event]:
    """The whole lines of a history file; a kill may have cut the last one."""
    decoder = msgspec.json.Decoder(Event)
    return [decoder.decode(line) for line in file.read_bytes().split(b"\n")[:-1]]


@dataclass
class Operation:
    """All attempts under one key. ``amount_fen`` and ``payment`` are what the client asked for."""

    op: int
    kind: str
    key: str
    person: str
    terminal: str
    payment: str
    amount_fen: int
    asked_at: float
    told: list[Told] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    attempts: int = 0

    @property
    def final(self) -> list[Told]:
        """The answers that are stored under the key."""
        return [told for told in self.told if told.status < 300 or told.status in STATUS_REFUSED]

    @property
    def outcome(self) -> str:
        """ok, refused, nothing or unknown."""
        if self.final:
            return OK if self.final[0].status < 300 else REFUSED
        nothing = len(self.told) == self.attempts and all(told.status in STATUS_NOTHING for told in self.told)
        return NOTHING if nothing else UNKNOWN

    @property
    def known_at(self) -> float:
        """When the outcome was heard; infinity where it never was."""
        return min((told.at for told in self.final), default=math.inf)

    @property
    def answer(self) -> dict[str, Any]:
        """The body of success."""
        assert self.outcome == OK, self.op
        answer: dict[str, Any] = json.loads(self.final[0].body)
        return answer


def operations(events: Iterable[Event]) -> dict[int, Operation]:
    """Add events up to operations, by their number."""
    found: dict[int, Operation] = {}
    for event in events:
        if isinstance(event, Asked):
            one = found.get(event.op)
            if one is None:
                one = found[event.op] = Operation(
                    event.op, event.kind, event.key, event.person, event.terminal, event.payment,
                    event.amount_fen, event.at,
                )  # fmt: skip
            one.attempts += 1
        elif isinstance(event, Told):
            found[event.op].told.append(event)
        else:
            found[event.op].lost.append(event)
    return found
