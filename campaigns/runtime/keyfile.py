"""The HMAC key that hides identity numbers and phones: a file outside the database.

With the embedded engines it is made on first use. With servers of the operator's own it must be there:
a key made silently beside an existing database would find no registered person again.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from campaigns.runtime.engines.errors import DirectoryNotWritable, KeyMissing, KeyUnsafe
from campaigns.runtime.engines.layout import prepare_data_dir, user_name
from campaigns.runtime.settings import Settings

KEY_FILE_NAME = "hmac.key"
KEY_BYTES = 32
# Beside the data, so that a key that was lost later is noticed instead of made anew.
MADE_MARK_NAME = "hmac.key.made"

_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")


def hmac_key(settings: Settings) -> bytes:
    """The installation's 32-byte HMAC key, made on first use with the embedded engines.

    Raises `KeyMissing`, `KeyUnsafe` (mode, owner or content) or `DirectoryNotWritable`.
    """
    path = settings.secrets_dir / KEY_FILE_NAME
    mark = settings.data_dir / MADE_MARK_NAME
    # The mark is looked at first: it comes after the key, so another process that makes both now is no lost key.
    made = mark.exists()
    if not path.exists():
        if not settings.embedded or made:
            raise KeyMissing(path=str(path))
        _make(path, settings.data_dir)
    key = _read(path)
    if settings.embedded and not mark.exists():
        prepare_data_dir(settings.data_dir)
        mark.touch(mode=0o600)
    return key


def _make(path: Path, data_dir: Path) -> None:
    prepare_data_dir(data_dir)
    try:
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        try:
            with os.fdopen(fd, "w") as out:
                out.write(secrets.token_hex(KEY_BYTES) + "\n")
                out.flush()
                os.fsync(fd)
            with suppress(FileExistsError):  # another process was first: its key counts
                os.link(temporary, path)
        finally:
            Path(temporary).unlink()
    except OSError as error:
        raise DirectoryNotWritable(
            path=str(path.parent), reason=error.strerror or "refused", user=user_name(os.geteuid())
        ) from error


def _read(path: Path) -> bytes:
    def unsafe(reason: str) -> KeyUnsafe:
        return KeyUnsafe(path=str(path), reason=reason, user=user_name(os.geteuid()))

    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise unsafe(error.strerror or "not readable") from error
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise unsafe("it is not a plain file")
        if info.st_mode & 0o077:
            raise unsafe(f"its mode is {stat.S_IMODE(info.st_mode):04o}")
        if info.st_uid != os.geteuid():
            raise unsafe(f"it belongs to {user_name(info.st_uid)}")
        text = os.read(fd, KEY_BYTES * 4).decode("ascii", "replace").strip()
    finally:
        os.close(fd)
    if not _HEX_KEY.fullmatch(text):
        raise unsafe("its content is not 64 hexadecimal digits")
    return bytes.fromhex(text)
