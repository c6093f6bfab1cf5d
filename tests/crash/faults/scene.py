"""What a fault is given, and the entry of a fault in the table."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from tests.crash.client import Weather
from tests.crash.deployment import FRONT, Deployment
from tests.crash.town import Town


@dataclass
class Scene:
    """One round as a fault sees it. ``stop_seconds`` is how long a process stays stopped."""

    deployment: Deployment
    town: Town
    weather: Weather
    chance: Random
    stop_seconds: float
    notes: list[str] = field(default_factory=list)


class Fault(NamedTuple):
    """``act`` returns when the fault is over, as far as it ends by itself; clients come through ``doors``."""

    name: str
    act: Callable[[Scene], Awaitable[None]]
    title: str
    doors: tuple[str, ...] = (FRONT,)
