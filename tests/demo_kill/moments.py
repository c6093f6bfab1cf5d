"""What is killed and when. Pure: a seed gives the same moments."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

SERVER, SERVER_SUPERVISOR = "server", "server_supervisor"
POSTGRES, VALKEY, SUPERVISOR, DEMO = "postgres", "valkey", "supervisor", "demo"
TARGETS = (SERVER, SERVER_SUPERVISOR, POSTGRES, VALKEY, SUPERVISOR, DEMO)
NAMES = ("registration", "freeze", "draw", "25", "50", "75", "close")
MOST_PAYMENT_DELAY_SECONDS = 0.3
PART_OF_STAGE = 0.5
SHORT_STAGE_SECONDS = 0.1  # not longer than our own wake-up may take: killed at once


@dataclass(frozen=True)
class Moment:
    """``delay_seconds`` after the demonstration says that it is at ``percent`` of ``stage``."""

    name: str
    stage: str
    percent: int
    delay_seconds: float


def moments(names: tuple[str, ...], seed: str, stage_seconds: Mapping[str, float]) -> list[Moment]:
    """The moments with these names, in the order in which a demonstration comes to them.

    A stage is hit within the first half of the ``stage_seconds`` that it took undisturbed.
    """
    chance = Random(seed)
    found = []
    for name in NAMES:
        if name.isdecimal():
            moment = Moment(name, "payments", int(name), chance.uniform(0, MOST_PAYMENT_DELAY_SECONDS))
        else:
            seconds = stage_seconds.get(name, 0.0)
            delay = chance.uniform(0, PART_OF_STAGE * seconds) if seconds > SHORT_STAGE_SECONDS else 0.0
            moment = Moment(name, name, 0, delay)
        if name in names:
            found.append(moment)
    return found
