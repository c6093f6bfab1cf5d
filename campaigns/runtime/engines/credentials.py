"""Passwords of the embedded engines: random, made once, in a file of mode 0600."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from campaigns.runtime.engines.layout import write_private

ADMIN_ROLE = "postgres"
OWNER_ROLE = "owner"
APP_ROLE = "app"
SWEEPER_ROLE = "sweeper"
ROLES = (OWNER_ROLE, APP_ROLE, SWEEPER_ROLE)
DATABASE_NAME = "hongbao"
VALKEY_ACCOUNT = "valkey"
FILE_NAME = "credentials.json"

_PASSWORD_BYTES = 24


@dataclass(frozen=True, slots=True)
class Credentials:
    """One password per role (hexadecimal digits), and Valkey's."""

    passwords: dict[str, str] = field(repr=False)

    def password(self, role: str) -> str:
        """The password of a role or of `VALKEY_ACCOUNT`."""
        return self.passwords[role]


def load(home: Path) -> Credentials:
    """Read the passwords the supervisor made."""
    return Credentials(json.loads((home / FILE_NAME).read_text()))


def load_or_make(home: Path) -> Credentials:
    """Read the passwords, or make them before the cluster is made."""
    try:
        return load(home)
    except FileNotFoundError:
        accounts = (ADMIN_ROLE, *ROLES, VALKEY_ACCOUNT)
        made = {account: secrets.token_hex(_PASSWORD_BYTES) for account in accounts}
        write_private(home / FILE_NAME, json.dumps(made))
        return Credentials(made)
