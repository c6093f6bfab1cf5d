"""RFC 3797 selection, a compatibility mode for offices that already use it; our own draws use `hashrank-1`."""

from __future__ import annotations

import hashlib

POOL_MAX = 65_535  # the index is two bytes


def select(key: bytes, pool: int, count: int) -> tuple[int, ...]:
    """`count` positions (1-based) out of a pool, in the order selected (RFC 3797, section 4).

    Each is the MD5 of index || key || index (index = 2 bytes, big-endian) modulo what remains. ValueError when more
    are asked for than the pool holds.
    """
    if not 0 <= count <= pool <= POOL_MAX:
        raise ValueError(f"count {count} and pool {pool} must satisfy 0 <= count <= pool <= {POOL_MAX}")
    remaining = list(range(1, pool + 1))
    chosen: list[int] = []
    for index in range(count):
        mark = index.to_bytes(2, "big")
        number = int.from_bytes(hashlib.md5(mark + key + mark, usedforsecurity=False).digest(), "big")
        chosen.append(remaining.pop(number % len(remaining)))
    return tuple(chosen)
