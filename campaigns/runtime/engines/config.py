"""What the starting client hands to the supervisor."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

START_TIMEOUT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Config:
    """What the starting client hands over; no secrets, for it stands on the command line."""

    data_dir: str
    shared_buffers_mb: int
    max_wal_mb: int
    max_connections: int
    tcp_port: int

    def to_json(self) -> str:
        """The form on the command line."""
        return json.dumps(asdict(self))
