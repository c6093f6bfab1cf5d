"""Verification of seals (invariant 9): every sealed row is as it was, and the blocks are a chain.

The lists of many blocks are made again set-wise, and only where one differs are its rows looked at one by one, so
that what was edited, deleted or put in is named.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

from campaigns.domain.seals import (
    KINDS,
    NO_HEAD,
    Header,
    Kind,
    SealText,
    head_of,
    parse_header,
    skip_number,
    split_list,
)
from campaigns.store.pool import Connection
from campaigns.store.seal_rows import BY_INDEX, key_text, list_query, rows_by_key, rows_in_block
from campaigns.store.seals import head_at, newest_number, read_list

BLOCKS_PER_QUERY: Final = 10_000
MAX_SEAL_FINDINGS: Final = 100
_EMPTY: Final = sha256(b"").digest()


class SealFinding(NamedTuple):
    """A row or block that is not as it was sealed; ``campaign_id`` where the row still says of which it is."""

    subject: str
    id: str
    block: int
    what: str
    campaign_id: UUID | None = None


class SealCheck(NamedTuple):
    """What a verification found, and the newest block it saw (0 and zero bytes: there is none)."""

    findings: list[SealFinding]
    number: int
    head: bytes
    rows: int


_RANGE = """
SELECT number, head, header, from_tx::text::bigint AS from_tx, upto_tx::text::bigint AS upto_tx
FROM seal_block WHERE number > $1 AND number <= $2 ORDER BY number
"""

_DIGESTS = """
SELECT b.number, sha256(made.leaves) AS made, coalesce(sha256(l.leaves), $3) AS kept
FROM seal_block b CROSS JOIN LATERAL {made} AS made (leaves)
LEFT JOIN seal_list l ON l.number = b.number AND l.kind = '{kind}'
WHERE b.number > $1 AND b.number <= $2
"""


async def verify_seals(connection: Connection, since: int = 0, known: bytes | None = None) -> SealCheck:
    """Verify the blocks after block ``since`` (0: all) on the caller's snapshot, in its transaction.

    ``known`` is the head of block ``since`` as somebody noted it; without it the stored one is believed. At most
    MAX_SEAL_FINDINGS are named.
    """
    await connection.execute(f"SAVEPOINT seals; {BY_INDEX}")
    check = await _verify(connection, since, known)
    await connection.execute("ROLLBACK TO SAVEPOINT seals")  # the settings are the caller's again
    return check


async def _verify(connection: Connection, since: int, known: bytes | None) -> SealCheck:
    newest = await newest_number(connection)
    found: list[SealFinding] = []
    if newest < since:
        found.append(
            SealFinding(
                "seal block", str(since), since, f"deleted, or of other books: the newest is {newest}"
            )
        )
        return SealCheck(found, newest, NO_HEAD, 0)
    before = await _anchor(connection, since, known, found)
    rows = 0
    for start in range(since, newest, BLOCKS_PER_QUERY):
        end = min(newest, start + BLOCKS_PER_QUERY)
        blocks = await connection.fetch(_RANGE, start, end)
        headers, before = await _chain(connection, blocks, start, end, before, found)
        rows += sum(seal.rows for header in headers.values() for seal in header.lists.values())
        for kind in KINDS:
            await _lists(connection, kind, headers, start, end, found)
    return SealCheck(found[:MAX_SEAL_FINDINGS], newest, before.head, rows)


class _Before(NamedTuple):
    """The block before those that are looked at: its head and where its transactions end."""

    head: bytes
    upto_tx: int


async def _anchor(
    connection: Connection, since: int, known: bytes | None, found: list[SealFinding]
) -> _Before:
    if since == 0:
        return _Before(NO_HEAD, 0)
    rows = await connection.fetch(_RANGE, since - 1, since)
    if not rows:
        found.append(_of_block(since, "deleted"))
        return _Before(known or NO_HEAD, 0)
    if known is not None and known != rows[0]["head"]:
        found.append(_of_block(since, f"its head is not {known.hex()} as it was noted"))
    return _Before(known or rows[0]["head"], rows[0]["upto_tx"])


def _of_block(number: int, what: str) -> SealFinding:
    return SealFinding("seal block", str(number), number, what)


async def _chain(
    connection: Connection, blocks: Sequence[Any], start: int, end: int, before: _Before, found: list[SealFinding]
) -> tuple[dict[int, Header], _Before]:  # fmt: skip
    """Check the blocks start + 1 .. end against their heads and each other; answers the headers that can be read."""
    there = {row["number"]: row for row in blocks}
    headers: dict[int, Header] = {}
    for number in range(start + 1, end + 1):
        row = there.get(number)
        if row is None:
            found.append(_of_block(number, "deleted"))
            before = _Before(NO_HEAD, -1)
            continue
        try:
            header = parse_header(row["header"])
        except SealText as error:
            found.append(_of_block(number, f"edited: {error}"))
            before = _Before(row["head"], row["upto_tx"])
            continue
        headers[number] = header
        stated = (header.number, header.from_tx, header.upto_tx)
        if head_of(row["header"]) != row["head"] or stated != (number, row["from_tx"], row["upto_tx"]):
            found.append(_of_block(number, "edited: its head is of another header"))
        elif header.previous != before.head and before.upto_tx >= 0:
            found.append(
                _of_block(number, f"the chain is broken: block {number - 1} is not the one it follows")
            )
        elif header.from_tx != before.upto_tx and before.upto_tx >= 0:
            found.append(_of_block(number, f"it does not begin where block {number - 1} ends"))
        elif header.skip != await _skipped(connection, number, there):
            found.append(
                _of_block(number, f"the chain is broken: block {skip_number(number)} is not the one it names")
            )
        before = _Before(row["head"], row["upto_tx"])
    return headers, before


async def _skipped(connection: Connection, number: int, there: dict[int, Any]) -> bytes | None:
    skipped = skip_number(number)
    if skipped in there:
        head: bytes = there[skipped]["head"]
        return head
    return await head_at(connection, skipped)


async def _lists(
    connection: Connection, kind: Kind, headers: dict[int, Header], start: int, end: int, found: list[SealFinding]
) -> None:  # fmt: skip
    query = _DIGESTS.format(made=list_query(kind), kind=kind)
    for row in sorted(await connection.fetch(query, start, end, _EMPTY), key=lambda row: int(row["number"])):
        header = headers.get(row["number"])
        stated = row["kept"] if header is None else header.lists[kind].digest
        if row["kept"] != stated:
            found.append(SealFinding("seal list", f"{row['number']}/{kind}", row["number"], "edited"))
        if row["made"] != stated and len(found) < MAX_SEAL_FINDINGS:
            found += await _name(connection, kind, row["number"])


async def _name(connection: Connection, kind: Kind, number: int) -> list[SealFinding]:
    """Hold the rows of a block against its list, one by one."""
    try:
        kept = split_list(kind, await read_list(connection, number, kind))
    except SealText:
        return []  # the list itself is named
    in_block = {row["key"]: row for row in await connection.fetch(rows_in_block(kind), number)}
    anywhere = {row["key"]: row for row in await connection.fetch(rows_by_key(kind), list(kept))}
    found = []
    for key, leaf in kept.items():
        row = anywhere.get(key)
        if row is None:
            found.append(SealFinding(kind, key_text(kind, key), number, "deleted"))
        elif row["leaf"] != leaf:
            found.append(SealFinding(kind, key_text(kind, key), number, "edited", row["campaign_id"]))
    for key, row in in_block.items():
        if key not in kept:
            found.append(SealFinding(kind, key_text(kind, key), number, "put in", row["campaign_id"]))
    return found[:MAX_SEAL_FINDINGS]
