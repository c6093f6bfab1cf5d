"""Payments ready to be sent: fresh payment codes put where the service keeps them, and the requests as bytes.

Codes are put into Valkey in bulk, just before a round, in the form in which the service itself keeps them: made
through its address they would take longer than they live. Their use is inside the round.
"""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime, timedelta

import redis

from loadtests.ids import new_id
from loadtests.world import World

LIFE_SECONDS = 60
GRACE_SECONDS = 15
CODE_KEY = "pay:code:"
LEAST_FEN, MOST_FEN = 100, 900
PIPELINE_COMMANDS = 2_000
_DIGITS = 15
_DAMM = tuple(
    tuple(map(int, row))
    for row in (
        "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
        "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
    )
)  # fmt: skip


def make_codes(
    redis_url: str, world: World, people: list[int], expires_at: datetime | None = None
) -> list[str]:
    """A live code for each of the residents (numbers into ``world.people``), usable for 75 s."""
    expires_at = expires_at or datetime.now(UTC) + timedelta(seconds=LIFE_SECONDS)
    ending = f'"programme_id":"{world.programme_id}","expires_at":"{expires_at.isoformat()}"}}'
    codes: list[str] = []
    with redis.Redis.from_url(redis_url) as valkey:
        pipeline = valkey.pipeline(transaction=False)
        for number in people:
            code = _code(int.from_bytes(os.urandom(8), "big"))
            live = f'{{"code_id":"{new_id()}","person_id":"{world.people[number]}",{ending}'
            pipeline.set(CODE_KEY + code, live, ex=LIFE_SECONDS + GRACE_SECONDS)
            codes.append(code)
            if len(codes) % PIPELINE_COMMANDS == 0:
                pipeline.execute()
        pipeline.execute()
    return codes


def _code(chance: int) -> str:
    """77, fifteen digits and the check digit by Damm's method."""
    digits = f"77{chance % 10**_DIGITS:0{_DIGITS}d}"
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][ord(digit) - 48]
    return f"{digits}{interim}"


def redemptions(redis_url: str, world: World, count: int, seed: int) -> list[bytes]:
    """``count`` requests by residents and tills drawn at random, each with a code, a key and a basket of its own."""
    chance = random.Random(seed)
    people = chance.choices(range(len(world.people)), k=count)
    tills = chance.choices(world.till_keys, k=count)
    return [
        request(
            "/v1/redemptions", {"basket_fen": chance.randint(LEAST_FEN, MOST_FEN), "payment_code": code}, till
        )
        for code, till in zip(make_codes(redis_url, world, people), tills, strict=True)
    ]


def request(path: str, body: dict[str, object], key: str) -> bytes:
    """A POST as a till sends it, under a request key of its own."""
    content = json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nIdempotency-Key: {new_id()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
