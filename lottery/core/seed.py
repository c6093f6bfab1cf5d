"""The seed of a draw: the sha256 of its transcript, as 64 lower-case hexadecimal characters."""

from __future__ import annotations

import hashlib
import re

from lottery.core.errors import SeedError

HEX_64 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def seed_of(transcript: bytes) -> str:
    """The seed that follows from the bytes of `seed-rN.txt`."""
    return hashlib.sha256(transcript).hexdigest()


def check_seed(seed: str) -> None:
    """Raise SeedError unless `seed` is 64 lower-case hexadecimal characters."""
    if not HEX_64.fullmatch(seed):
        raise SeedError("seed", "a seed is 64 lower-case hexadecimal characters")
