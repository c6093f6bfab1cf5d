"""Connections of one audit: read-only transactions on one snapshot, with what sums over millions of rows need."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from campaigns.domain.errors import TryAgain
from campaigns.store.pool import Connection, Pool

AUDIT_TIMEOUT_MS: Final = 600_000
CONNECTIONS: Final = 2
FREE_CONNECTIONS: Final = 4  # a smaller pool keeps its second connection for payments
# Compiling a plan costs more than it saves here; the connections themselves are what runs at once.
_SETTINGS: Final = f"""
SET LOCAL statement_timeout = {AUDIT_TIMEOUT_MS};
SET LOCAL idle_in_transaction_session_timeout = {AUDIT_TIMEOUT_MS};
SET LOCAL jit = off;
SET LOCAL work_mem = '64MB';
SET LOCAL max_parallel_workers_per_gather = 0;
"""
AUDIT_LOCK: Final = 0x61756474  # "audt"
_ALONE: Final = "SELECT pg_try_advisory_xact_lock($1::bigint)"
LOOK_UP: Final = "SET LOCAL random_page_cost = 1.1"  # of an audit that looks up what was touched, row by row


@asynccontextmanager
async def audit_connections(pool: Pool, *, alone: bool = False) -> AsyncIterator[list[Connection]]:
    """Open the connections of an audit; all of them see the same moment.

    Raises TryAgain ``busy``; with ``alone`` also while another one that asked to be alone runs.
    """
    wanted = CONNECTIONS if pool.raw.get_max_size() >= FREE_CONNECTIONS else 1
    async with AsyncExitStack() as stack:
        connections: list[Connection] = []
        snapshot = ""
        for number in range(wanted):
            connection = await stack.enter_async_context(pool.acquire())
            await stack.enter_async_context(
                connection.transaction(isolation="repeatable_read", readonly=True)
            )
            if number == 0:
                if alone and not await connection.fetchval(_ALONE, AUDIT_LOCK):
                    raise TryAgain("busy")
                snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            else:
                await connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            await connection.execute(_SETTINGS)
            connections.append(connection)
        yield connections
