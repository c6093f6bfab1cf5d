"""Blocks of seals: making the next one, and reading them."""

import asyncio
from typing import Any, Final, NamedTuple

from campaigns.domain.errors import Broken
from campaigns.domain.seals import (
    KINDS,
    NO_HEAD,
    Header,
    Kind,
    ListSeal,
    format_header,
    head_of,
    list_seal,
    sealed_time,
    skip_number,
)
from campaigns.store.pool import Connection
from campaigns.store.seal_rows import BY_INDEX, list_query

SEAL_LOCK: Final = 0x7365616C  # "seal"
MAX_ROWS_PER_BLOCK: Final = 10_000  # of each table; one transaction is never divided
SEAL_TIMEOUT_MS: Final = 600_000  # one transaction may have granted a million vouchers
_NUMBERED: Final = {"transfer": "at", "voucher": "granted_at", "audit": "at"}  # and when a row was written


class Unsealed(NamedTuple):
    """The oldest row that no block holds: its age by the campaign clock, and whether its block could be made now.

    It could not while a transaction is open that began before its own had ended.
    """

    age_seconds: float
    settled: bool


class Block(NamedTuple):
    """A block as it is stored."""

    number: int
    head: bytes
    header: str


_LAST = "SELECT number, head, upto_tx::text::bigint AS upto_tx FROM seal_block ORDER BY number DESC LIMIT 1"
_BLOCKS = "SELECT number, head, header FROM seal_block"

# The transaction of the first row, and of the row after the first $3.
_CUT = """
SELECT (SELECT tx::text::bigint {0} LIMIT 1) AS first, (SELECT tx::text::bigint {0} OFFSET $3 LIMIT 1) AS cut
"""
_UNSEALED = "FROM {0} WHERE tx >= $1::text::xid8 AND tx < $2::text::xid8 ORDER BY {0}.tx"

# Of each table the first row that no block holds.
_OLDEST = f"""
SELECT extract(epoch FROM campaign_now() - at)::float8 AS age_seconds, tx < settled_tx() AS settled
FROM ({
    " UNION ALL ".join(
        f"(SELECT {at} AS at, tx FROM {table} WHERE tx >= coalesce((SELECT upto_tx FROM seal_block"
        " ORDER BY number DESC LIMIT 1), '0') ORDER BY tx LIMIT 1)"
        for table, at in _NUMBERED.items()
    )
}) AS first ORDER BY at LIMIT 1
"""

_LISTS = "SELECT {} FROM (SELECT $1::text::xid8 AS from_tx, $2::text::xid8 AS upto_tx) AS b".format(
    ", ".join(f"{list_query(kind)} AS {kind}" for kind in KINDS)
)


class SealsBehind(RuntimeError):
    """The server numbers its transactions lower than the newest block: restored, and not migrated since."""


async def seal_next(connection: Connection) -> Block | None:
    """Seal the rows of every transaction that has ended and is in no block, or the first of them where they are many.

    None if there are none, or while somebody else seals. Call in a transaction of its own (read committed).
    Raises SealsBehind, and Broken ``seal_violated`` where a block that it has to name is missing.
    """
    await connection.execute(f"SET LOCAL statement_timeout = {SEAL_TIMEOUT_MS}")
    await connection.execute(BY_INDEX)
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", SEAL_LOCK):
        return None
    # Only now: a statement before the lock would not see the block that its last holder has made.
    last = await connection.fetchrow(_LAST)
    from_tx = last["upto_tx"] if last else 0
    settled = await connection.fetchval("SELECT settled_tx()::text::bigint")
    if settled < from_tx:
        raise SealsBehind(f"transaction {settled} has ended, and {from_tx} is sealed")
    upto_tx = await _upto(connection, from_tx, settled)
    if upto_tx is None:
        return None
    lists = await _lists(connection, from_tx, upto_tx)
    seals = await asyncio.to_thread(lambda: {kind: list_seal(kind, lists[kind]) for kind in KINDS})
    return await _write(connection, last, seals, from_tx, upto_tx, lists)


async def _upto(connection: Connection, from_tx: int, settled: int) -> int | None:
    """Where the block ends: at the first transaction that would make it too large, unless it is the first of all."""
    found, upto_tx = False, settled
    for table in _NUMBERED:
        row = await connection.fetchrow(
            _CUT.format(_UNSEALED.format(table)), str(from_tx), str(settled), MAX_ROWS_PER_BLOCK
        )
        found = found or row["first"] is not None
        if row["cut"] is not None:
            upto_tx = min(upto_tx, max(row["cut"], row["first"] + 1))
    return upto_tx if found else None


async def _lists(connection: Connection, from_tx: int, upto_tx: int) -> dict[Kind, bytes]:
    row = await connection.fetchrow(_LISTS, str(from_tx), str(upto_tx))
    return {kind: row[kind] for kind in KINDS}


async def _write(
    connection: Connection, last: Any, seals: dict[Kind, ListSeal], from_tx: int, upto_tx: int,
    lists: dict[Kind, bytes],
) -> Block:  # fmt: skip
    number = last["number"] + 1 if last else 1
    skip = await head_at(connection, skip_number(number))
    if skip is None:
        raise Broken("seal_violated", row=f"seal block {skip_number(number)}", block=number - 1)
    header = format_header(
        Header(
            number=number,
            previous=last["head"] if last else NO_HEAD,
            skip=skip,
            sealed_at=sealed_time(await connection.fetchval("SELECT campaign_now()")),
            from_tx=from_tx,
            upto_tx=upto_tx,
            lists=seals,
        )
    )
    block = Block(number, head_of(header), header)
    await connection.execute(
        "INSERT INTO seal_block (number, from_tx, upto_tx, header, head)"
        " VALUES ($1, $2::text::xid8, $3::text::xid8, $4, $5)",
        number, str(from_tx), str(upto_tx), header, block.head,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO seal_list (number, kind, leaves) SELECT $1, * FROM unnest($2::text[], $3::bytea[])",
        number,
        [kind for kind in KINDS if seals[kind].rows],
        [lists[kind] for kind in KINDS if seals[kind].rows],
    )
    return block


async def oldest_unsealed(connection: Connection) -> Unsealed | None:
    """The oldest row that waits for its block; None where every row has one."""
    row = await connection.fetchrow(_OLDEST)
    return None if row is None else Unsealed(max(row["age_seconds"], 0.0), row["settled"])


async def head_at(connection: Connection, number: int) -> bytes | None:
    """The head of a block; of block 0, which does not exist, 32 zero bytes; None where a block is missing."""
    if number == 0:
        return NO_HEAD
    head: bytes | None = await connection.fetchval("SELECT head FROM seal_block WHERE number = $1", number)
    return head


async def newest_number(connection: Connection) -> int:
    """The number of the newest block; 0 if there is none."""
    number = await connection.fetchval("SELECT coalesce(max(number), 0) FROM seal_block")
    assert isinstance(number, int)
    return number


async def newest_blocks(connection: Connection, before: int, limit: int) -> list[Block]:
    """Blocks with a number below ``before``, the newest first."""
    rows = await connection.fetch(f"{_BLOCKS} WHERE number < $1 ORDER BY number DESC LIMIT $2", before, limit)
    return [Block(*row.values()) for row in rows]


async def read_blocks(connection: Connection, numbers: list[int]) -> dict[int, Block]:
    """The blocks of these numbers, as far as there are such."""
    rows = await connection.fetch(f"{_BLOCKS} WHERE number = ANY($1::int[])", numbers)
    return {row["number"]: Block(*row.values()) for row in rows}


async def read_list(connection: Connection, number: int, kind: Kind) -> bytes:
    """The list of one kind in one block; empty where it has no such rows."""
    leaves = await connection.fetchval(
        "SELECT leaves FROM seal_list WHERE number = $1 AND kind = $2", number, kind
    )
    return leaves if isinstance(leaves, bytes) else b""
