"""Simulated residents: who enters, from where, when, and under which public id. Pure: a seed gives the same list."""

from base64 import b32encode
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from api.demo.behaviour import Behaviour

CODE_BYTES = 10
FIRST_PHONE = 13_000_000_000
PHONES = 7_000_000_000  # 130... to 199...: mobile numbers of mainland China


class Resident(NamedTuple):
    """A resident who enters. ``code`` is the entry's public id, ``at`` the moment it is said to have come."""

    code: str
    phone: str
    place: str
    accept_if_won: bool
    at: datetime


def residents(
    behaviour: Behaviour, seed: int, count: int, start: datetime, end: datetime, zone: ZoneInfo
) -> list[Resident]:
    """``count`` residents in their order of arrival within [``start``, ``end``)."""
    chance = Random(f"{seed}|residents")
    plan = behaviour.registration
    hours = _hours(behaviour, start, end, zone)
    arrivals = chance.choices([hour for hour, _ in hours], [weight for _, weight in hours], k=count)
    times = sorted(at + timedelta(seconds=chance.randrange(3_600)) for at in arrivals)
    last = end - timedelta(minutes=1)
    phones = chance.sample(range(FIRST_PHONE, FIRST_PHONE + PHONES), count)
    places = chance.choices(list(plan.places), list(plan.places.values()), k=count)
    codes: dict[str, None] = {}
    while len(codes) < count:
        codes["E" + b32encode(chance.randbytes(CODE_BYTES)).decode()] = None
    return [
        Resident(
            code, str(phone), place, chance.randrange(10_000) < plan.ticked_bp, min(max(at, start), last)
        )
        for code, phone, place, at in zip(codes, phones, places, times, strict=True)
    ]


def _hours(
    behaviour: Behaviour, start: datetime, end: datetime, zone: ZoneInfo
) -> list[tuple[datetime, int]]:
    """Each hour of the window with its weight."""
    found = []
    for day, weight in behaviour.registration.days.items():
        midnight = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=zone)
        for hour, share in enumerate(behaviour.registration.hours):
            at = midnight + timedelta(hours=hour)
            if start <= at < end and weight * share:
                found.append((at, weight * share))
    assert found, "the behaviour file names no hour of the registration window"
    return found
