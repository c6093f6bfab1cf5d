"""Marks: up to which transaction a clean audit has proved the books, and their sums up to there. Append-only.

A mark carries a code that only holders of the installation's key can make, over its content and the code before it. So
the next audit of everything sees that whoever has the database alone has edited a mark, made one, or taken one out
from between others. Marks cut off at the end, or all of them, are not missed: the next audit goes on from an older one,
and proves more than it had to.
"""

import hashlib
import hmac
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec

from campaigns.store.audit_flows import Flows, parse_flows, plain_flows
from campaigns.store.pool import Connection

_PURPOSE: Final = b"hongbao audit mark/1"
_LAST = "SELECT number, upto_tx::text, whole, content, mac FROM audit_mark ORDER BY number DESC LIMIT 2"
# Those before the last audit of everything were verified by it.
_SINCE_WHOLE = """
SELECT number, upto_tx::text, whole, content, mac FROM audit_mark
WHERE number >= coalesce((SELECT max(number) - 1 FROM audit_mark WHERE whole), 0) ORDER BY number
"""
_INSERT = (
    "INSERT INTO audit_mark (number, upto_tx, whole, content, mac) VALUES ($1, $2::text::xid8, $3, $4, $5)"
)
_SETTLED = "SELECT settled_tx()::text"
NO_MAC: Final = bytes(32)


class Mark(NamedTuple):
    """What was proved: every transaction below ``upto_tx``, whose transfers sum up to the flows, and these draws.

    The seals were verified up to the block ``seal_number``, whose head is ``seal_head``.
    """

    number: int
    upto_tx: int
    whole: bool
    flows: Flows
    draws: frozenset[str]
    seal_number: int
    seal_head: bytes


class Proved(NamedTuple):
    """What a mark is to say, see `Mark`."""

    upto_tx: int
    whole: bool
    flows: Flows
    draws: frozenset[str]
    seal_number: int
    seal_head: bytes


async def settled_tx(connection: Connection) -> int:
    """The oldest transaction that still ran at the snapshot: none below it can write any more."""
    return int(await connection.fetchval(_SETTLED))


async def last_mark(connection: Connection, key: bytes) -> Mark | None:
    """The newest mark; None where there is none, or where it is not one that this installation made."""
    rows = await connection.fetch(_LAST)
    if not rows:
        return None
    before = rows[1]["mac"] if len(rows) == 2 else NO_MAC
    if not hmac.compare_digest(_mac(key, rows[0], before), rows[0]["mac"]):
        return None
    return _mark(rows[0])


async def wrong_marks(connection: Connection, key: bytes) -> list[int]:
    """Numbers of the marks that were edited, or before which one was taken out, since the last whole audit."""
    rows = await connection.fetch(_SINCE_WHOLE)
    wrong: list[int] = []
    before, last = (NO_MAC, 0) if not rows or rows[0]["number"] == 1 else (rows[0]["mac"], rows[0]["number"])
    for row in rows if last == 0 else rows[1:]:
        if row["number"] != last + 1 or not hmac.compare_digest(_mac(key, row, before), row["mac"]):
            wrong.append(row["number"])
        before, last = row["mac"], row["number"]
    return wrong


async def write_mark(connection: Connection, key: bytes, proved: Proved) -> bool:
    """Append a mark; False where another audit was first or has come as far."""
    rows = await connection.fetch(_LAST)
    if rows and not proved.whole and int(rows[0]["upto_tx"]) >= proved.upto_tx:
        return False
    content = msgspec.json.encode(
        {
            "draws": sorted(proved.draws),
            "flows": plain_flows(proved.flows),
            "seal_head": proved.seal_head.hex(),
            "seal_number": proved.seal_number,
        }
    ).decode()
    row: dict[str, Any] = {
        "number": rows[0]["number"] + 1 if rows else 1, "upto_tx": str(proved.upto_tx), "whole": proved.whole, "content": content,
    }  # fmt: skip
    mac = _mac(key, row, rows[0]["mac"] if rows else NO_MAC)
    try:
        await connection.execute(_INSERT, *row.values(), mac)
    except asyncpg.UniqueViolationError:
        return False
    return True


def _mac(key: bytes, row: Any, before: bytes) -> bytes:
    told = [row["number"], row["upto_tx"], row["whole"], row["content"], before.hex()]
    own = hmac.digest(key, _PURPOSE, hashlib.sha256)
    return hmac.digest(own, msgspec.json.encode(told), hashlib.sha256)


def _mark(row: Any) -> Mark:
    content = msgspec.json.decode(row["content"])
    return Mark(
        row["number"], int(row["upto_tx"]), row["whole"], parse_flows(content["flows"]), frozenset(content["draws"]),
        content["seal_number"], bytes.fromhex(content["seal_head"]),
    )  # fmt: skip
