"""What the driver is asked and what it answers: MessagePack on its stdin and stdout."""

from __future__ import annotations

import msgspec
from msgspec import Struct

PERCENTILES = (50.0, 90.0, 99.0, 99.9)
SAMPLES_MAX = 5


class Job(Struct, kw_only=True):
    """One round. ``rate`` 0: a closed loop, each connection sends again when it is answered. Otherwise an open loop:
    ``rate`` requests a second come by chance (a Poisson process of ``seed``), whether or not the others are answered.

    ``groups`` are process ids by name whose CPU is wanted. A request is sent once unless ``repeat`` says that they go
    round, for a server to which all are alike.
    """

    host: str
    port: int
    requests: list[bytes]
    connections: int
    seconds: float
    warmup_seconds: float
    rate: float = 0.0
    seed: int = 1
    repeat: bool = False
    groups: dict[str, list[int]] = {}


class Result(Struct, kw_only=True):
    """What a round came to. ``answered`` and the latencies are of the measured window; ``accepted`` counts every
    answer 200 or 201, the warm-up's and the last ones' too, so that it can be held against the rows.

    ``cpu`` is seconds of (user, system) in the window, by group; the driver itself is ``driver``.
    """

    seconds: float
    answered: int
    accepted: int
    sent: int
    refused: dict[int, int]
    samples: list[str]
    latency_ms: dict[str, float]
    cpu: dict[str, tuple[float, float]]
    ran_out: bool

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds

    def busy(self, group: str) -> float:
        """Cores that a group of processes kept busy."""
        return sum(self.cpu[group]) / self.seconds

    def cpu_us(self, group: str) -> float:
        """Microseconds of CPU for each answer."""
        return sum(self.cpu[group]) / max(1, self.answered) * 1e6


def latencies(seconds: list[float]) -> dict[str, float]:
    """Percentiles in milliseconds, by name: ``p50``, ``p99.9``; none of nothing."""
    ordered = sorted(seconds)
    if not ordered:
        return {}
    last = len(ordered) - 1
    return {
        f"p{one:g}": round(ordered[min(last, int(len(ordered) * one / 100))] * 1e3, 3) for one in PERCENTILES
    }


def encode(message: Job | Result) -> bytes:
    """As bytes for the pipe."""
    return msgspec.msgpack.encode(message)


def read_job(content: bytes) -> Job:
    """A job from the pipe."""
    return msgspec.msgpack.decode(content, type=Job)


def read_result(content: bytes) -> Result:
    """A result from the pipe."""
    return msgspec.msgpack.decode(content, type=Result)
