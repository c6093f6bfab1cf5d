"""Who may be acted for in a load test of a deployment: a file of keys and residents.

    {"channel": "hb_...", "tills": ["hb_...", ...], "people": ["01890a5d-...", ...]}

The channel's key needs the scope ``codes.write``, the tills' ``pay`` and ``refund``. Residents are ids of persons with a
live voucher. The file holds secrets: mode 0600.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
from msgspec import Struct


class Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a keys file."""

    channel: str
    tills: list[str]
    people: list[str]


class KeysUnusable(Exception):
    """The keys file cannot be used; the text says why."""


def read_keys(path: Path) -> Keys:
    """Read a keys file. Raises KeysUnusable."""
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeysUnusable(f"{path} holds secrets and others may read it: chmod 600")
        keys = msgspec.json.decode(path.read_bytes(), type=Keys)
    except (OSError, msgspec.DecodeError) as error:
        raise KeysUnusable(
            f"{path}: {error}; loadtests/README.md says how to make the file of keys"
        ) from error
    if not keys.tills or not keys.people:
        raise KeysUnusable(f"{path} names no till or no resident")
    return keys


def write_keys(path: Path, keys: Keys) -> None:
    """Write a keys file that only its owner may read."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(msgspec.json.encode(keys))
