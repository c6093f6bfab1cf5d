"""Identifiers: UUID version 7 (RFC 9562), made by the application so that an id is known before the row is."""

import base64
import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """Make a UUID version 7: 48 bits of Unix milliseconds, then 74 random bits. Its order is never a rule."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def new_entry_code() -> str:
    """Make an entry id: ``E`` and 16 random base32 characters (80 bits), never derived from the person."""
    return "E" + base64.b32encode(secrets.token_bytes(10)).decode()
