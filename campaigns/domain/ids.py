"""Identifiers: UUID version 7 (RFC 9562), made by the application so that an id is known before the row is."""

import base64
import os
import secrets
import time
from uuid import UUID

_TIME = (1 << 128) - (1 << 80)
_VERSION = 0x7 << 76 | 0x2 << 62
_RANDOM = (1 << 80) - 1 & ~(0xF << 76) & ~(0x3 << 62)


def new_id() -> UUID:
    """Make a UUID version 7: 48 bits of Unix milliseconds, then 74 random bits. Its order is never a rule."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    return UUID(int=milliseconds << 80 & _TIME | random & _RANDOM | _VERSION)


def new_entry_code() -> str:
    """Make an entry id: ``E`` and 16 random base32 characters (80 bits), never derived from the person."""
    return "E" + base64.b32encode(secrets.token_bytes(10)).decode()
