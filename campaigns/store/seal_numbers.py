"""Transaction numbers of a database that was restored into another server.

Rows and blocks carry numbers of the server they were written on. A dump restored elsewhere meets lower numbers, and
what is written then would seem to belong to old blocks. So the functions that number rows get a body that adds what
is missing: within one database numbers only grow, as the seals need it.
"""

from typing import Final

import asyncpg

from campaigns.store.pool import Connection

MARGIN: Final = 1_000_000  # transactions between the old server's numbers and the new one's

_HIGHEST = """
SELECT greatest((SELECT max(tx)::text::bigint + 1 FROM transfer), (SELECT max(tx)::text::bigint + 1 FROM voucher),
                (SELECT max(tx)::text::bigint + 1 FROM audit),
                (SELECT max(upto_tx)::text::bigint FROM seal_block), 0)
"""
# The next number of the server, and what is added to it already; xmin alone lags behind while somebody writes.
_NEXT = """
SELECT pg_snapshot_xmax(now)::text::bigint AS next, settled_tx()::text::bigint - pg_snapshot_xmin(now)::text::bigint AS shift
FROM pg_current_snapshot() AS now
"""

# Inlined like the bodies of the migration; only a restored database pays for the addition.
_SHIFTED = """
CREATE OR REPLACE FUNCTION row_tx() RETURNS xid8 LANGUAGE sql STABLE
    RETURN (pg_current_xact_id()::text::bigint + {shift})::text::xid8;
CREATE OR REPLACE FUNCTION settled_tx() RETURNS xid8 LANGUAGE sql STABLE
    RETURN (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + {shift})::text::xid8;
"""


class NumbersBehindError(RuntimeError):
    """The database was restored into a server with lower transaction numbers, and not migrated since."""


async def check_numbers(connection: Connection) -> None:
    """See that what is written now gets higher numbers than what is sealed. Raises NumbersBehindError."""
    try:
        behind = await connection.fetchval(
            "SELECT settled_tx() < (SELECT upto_tx FROM seal_block ORDER BY number DESC LIMIT 1)"
        )
    except (asyncpg.UndefinedFunctionError, asyncpg.UndefinedTableError):
        return  # of before there were seals; the service says which migrations are missing
    if behind:
        raise NumbersBehindError(
            "它是从备份恢复的，事务编号落后于封存记录；请先运行一次 hongbao programme init 或 hongbao serve。"
            " It was restored into a server whose transaction numbers are lower than the sealed ones:"
            " run `hongbao serve` once, which mends that."
        )


async def lift_numbers(connection: Connection) -> int:
    """Make new numbers higher than every stored one, if they are not; answers what is added to the server's.

    As the owner, when a process starts to serve. A dump comes back with the body it was made with.
    """
    highest = await connection.fetchval(_HIGHEST)
    row = await connection.fetchrow(_NEXT)
    if row["next"] + row["shift"] >= highest:
        return int(row["shift"])
    shift = int(highest) + MARGIN - int(row["next"])
    await connection.execute(_SHIFTED.format(shift=shift))
    return shift
