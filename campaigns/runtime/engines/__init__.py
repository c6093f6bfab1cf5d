"""PostgreSQL 18 and Valkey 9 for every process of hongbao: embedded, or servers of the operator's own.

See `client.py` for use, `layout.py` for the directories, `supervisor.py` for the process that holds them.
"""

from campaigns.runtime.engines.access import DatabaseAccess
from campaigns.runtime.engines.client import (
    Databases,
    Engines,
    Pids,
    connect_engines,
    engines,
)
from campaigns.runtime.engines.credentials import APP_ROLE, DATABASE_NAME, OWNER_ROLE, SWEEPER_ROLE
from campaigns.runtime.engines.errors import EngineError
from campaigns.runtime.engines.join import wait_until_stopped

__all__ = [
    "APP_ROLE",
    "DATABASE_NAME",
    "OWNER_ROLE",
    "SWEEPER_ROLE",
    "DatabaseAccess",
    "Databases",
    "EngineError",
    "Engines",
    "Pids",
    "connect_engines",
    "engines",
    "wait_until_stopped",
]
