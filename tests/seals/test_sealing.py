"""The sealer: nothing is lost to transactions that end late, one at a time, whole blocks or none, in bounded steps."""

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from campaigns.domain.seals import KINDS, NO_HEAD, head_of, list_seal, parse_header, skip_number, split_list
from campaigns.runtime.engines import Databases
from campaigns.services.context import Context
from campaigns.services.seals import heads, seal_rows
from campaigns.store import seals
from campaigns.store.seal_rows import BY_INDEX, TRANSFER_KINDS
from campaigns.store.seals import SEAL_LOCK, newest_blocks, read_list, seal_next
from tests.seals.conftest import Sealed

ACT = (
    "INSERT INTO audit (at, programme_id, actor_kind, actor_id, action, facts)"
    " VALUES (now(), $1, 'staff', $1, 'test', '{}') RETURNING id"
)


async def sealed_audit_ids(owner: asyncpg.Connection) -> list[int]:
    """The numbers of all sealed audit rows, as often as they are sealed."""
    lists = await owner.fetch("SELECT leaves FROM seal_list WHERE kind = 'audit' ORDER BY number")
    return [int.from_bytes(key) for row in lists for key in split_list("audit", row["leaves"])]


async def test_rows_of_a_transaction_that_ends_late_come_into_a_later_block(
    ctx: Context, database: Databases, owner: asyncpg.Connection
) -> None:
    late = await asyncpg.connect(database.app.dsn)
    slow = late.transaction()
    await slow.start()
    first = await late.fetchval(ACT, uuid4())
    async with ctx.pool.acquire() as connection:
        second = await connection.fetchval(ACT, uuid4())
    assert first < second
    assert await seal_rows(ctx) == 0, "the second waits for the first, whose transaction is older"
    by_highest_number = await owner.fetch(
        "SELECT id FROM audit WHERE id > 0 AND id <= (SELECT max(id) FROM audit)"
    )
    await slow.commit()
    await late.close()
    assert await seal_rows(ctx) == 1
    assert await sealed_audit_ids(owner) == [first, second]
    # Negative control: who seals what is there up to the highest number loses the row that came later.
    seen = [row["id"] for row in by_highest_number]
    after = await owner.fetch("SELECT id FROM audit WHERE id > $1", max(seen))
    assert first not in seen + [row["id"] for row in after]


async def test_every_row_is_sealed_once_while_many_write(ctx: Context, owner: asyncpg.Connection) -> None:
    acknowledged: list[int] = []

    async def write(count: int) -> None:
        for number in range(count):
            async with ctx.pool.acquire() as connection, connection.transaction():
                row = await connection.fetchval(ACT, uuid4())
                await connection.execute("SELECT pg_sleep($1::float8 / 1000)", number % 4)
            acknowledged.append(row)

    writers = [asyncio.create_task(write(40)) for _ in range(6)]
    sealers = 0
    while not all(task.done() for task in writers):
        done = await asyncio.gather(*(seal_rows(ctx) for _ in range(3)))
        sealers += sum(done)
    await asyncio.gather(*writers)
    await seal_rows(ctx)
    assert sorted(await sealed_audit_ids(owner)) == sorted(acknowledged)
    assert sealers > 3, "nothing was sealed while they wrote"


async def test_a_block_is_bounded_but_never_divides_a_transaction(
    ctx: Context, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "MAX_ROWS_PER_BLOCK", 10)
    sizes = [4, 5, 3, 25, 1, 10, 1]
    for size in sizes:
        async with ctx.pool.acquire() as connection, connection.transaction():
            for _ in range(size):
                await connection.fetchval(ACT, uuid4())
    await seal_rows(ctx)
    blocks = await newest_blocks(_as_connection(owner), 1_000, 100)
    rows = [parse_header(block.header).lists["audit"].rows for block in reversed(blocks)]
    assert rows == [9, 3, 25, 1, 10, 1] and sum(rows) == sum(sizes)


async def test_nothing_new_makes_no_block(sealed: Sealed) -> None:
    assert await seal_rows(sealed.ctx) == 0
    assert [head.block for head in await heads(sealed.ctx, 10)] == [1]


async def test_one_seals_at_a_time(unsealed: Sealed, owner: asyncpg.Connection) -> None:
    async with owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock($1)", SEAL_LOCK)
        assert await seal_rows(unsealed.ctx) == 0
    assert await seal_rows(unsealed.ctx) == 1


KILLED = """
import asyncio, os, sys, asyncpg
from campaigns.store import seals
step = sys.argv[2]
inner = getattr(seals, step)
async def stop_there(*args):
    if step == "_write":
        await inner(*args)
    print("there", flush=True)
    await asyncio.sleep(60)
setattr(seals, step, stop_there)
async def main():
    connection = await asyncpg.connect(sys.argv[1])
    async with connection.transaction():
        await seals.seal_next(connection)
asyncio.run(main())
"""


@pytest.mark.parametrize("step", ["_upto", "_lists", "_write"])
async def test_a_sealer_killed_between_steps_leaves_no_half_block(
    unsealed: Sealed, database: Databases, owner: asyncpg.Connection, step: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, database.app.dsn, step, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 20) == b"there\n"
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    await owner.execute(
        "SELECT pg_advisory_lock($1)", SEAL_LOCK
    )  # once the server has seen that its client is gone
    await owner.execute("SELECT pg_advisory_unlock($1)", SEAL_LOCK)
    assert await owner.fetchval("SELECT count(*) FROM seal_block") == 0
    assert await owner.fetchval("SELECT count(*) FROM seal_list") == 0
    assert await seal_rows(unsealed.ctx) == 1
    assert (await unsealed.verify()).findings == []


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def test_somebody_else_can_make_the_digests_again(sealed: Sealed, owner: asyncpg.Connection) -> None:
    """By docs/seals.md alone: texts, leaves, lists, header and head, in Python from plain rows."""
    await owner.execute(
        "SET timezone = 'Asia/Tokyo'; SET datestyle = 'SQL, DMY'; SET bytea_output = 'escape'"
    )
    expected: dict[str, bytes] = {}
    rows = await owner.fetch("SELECT * FROM transfer ORDER BY cause_id, kind, line")
    expected["transfer"] = b"".join(
        r["cause_id"].bytes + bytes([TRANSFER_KINDS.index(r["kind"])]) + r["line"].to_bytes(2)
        + sha256(b"\0" + (
            f"transfer/1\ncause_id {r['cause_id']}\nkind {r['kind']}\nline {r['line']}\ncampaign_id {r['campaign_id']}\n"
            f"operator_id {r['operator_id']}\ndebit {r['debit_kind']} {r['debit_id']}\ncredit {r['credit_kind']} {r['credit_id']}\n"
            f"amount_fen {r['amount_fen']}\nat {_stamp(r['at'])}\nseq {r['seq']}\ntx {r['tx']}"
        ).encode()).digest()
        for r in rows
    )  # fmt: skip
    rows = await owner.fetch("SELECT * FROM voucher ORDER BY id")
    expected["voucher"] = b"".join(
        r["id"].bytes + sha256(b"\0" + (
            f"voucher/1\nid {r['id']}\ncampaign_id {r['campaign_id']}\nperson_id {r['person_id']}\n"
            f"allotment_id {r['allotment_id']}\noperator_id {r['operator_id']}\nterms_version_id {r['terms_version_id']}\n"
            f"face_fen {r['face_fen']}\ngranted_at {_stamp(r['granted_at'])}\nexpires_at {_stamp(r['expires_at'])}\ntx {r['tx']}"
        ).encode()).digest()
        for r in rows
    )  # fmt: skip
    rows = await owner.fetch("SELECT * FROM audit ORDER BY id")
    expected["audit"] = b"".join(
        r["id"].to_bytes(8) + sha256(b"\0" + (
            f"audit/1\nid {r['id']}\nat {_stamp(r['at'])}\nreal_at {_stamp(r['real_at'])}\nprogramme_id {r['programme_id']}\n"
            f"campaign_id {r['campaign_id'] or ''}\nactor_kind {json.dumps(r['actor_kind'])}\nactor_id {r['actor_id']}\n"
            f"action {json.dumps(r['action'])}\nsubject_id {r['subject_id'] or ''}\nfacts {r['facts']}\ntx {r['tx']}"
        ).encode()).digest()
        for r in rows
    )  # fmt: skip
    lines: dict[Any, str] = {}
    for n in await owner.fetch("SELECT * FROM payment_line ORDER BY payment_id, line"):
        lines[n["payment_id"]] = lines.get(n["payment_id"], "") + (
            f"\nline {n['line']} {n['voucher_id']} {n['campaign_id']} {n['operator_id']} {n['terms_version_id']}"
            f" {n['eligible_fen']} {n['available_fen']} {n['authorized_fen']}"
        )
    rows = await owner.fetch("SELECT * FROM payment ORDER BY id")
    expected["payment"] = b"".join(
        r["id"].bytes + sha256(b"\0" + (
            f"payment/1\nid {r['id']}\nprogramme_id {r['programme_id']}\nperson_id {r['person_id']}\nmerchant_id {r['merchant_id']}\n"
            f"store_id {r['store_id']}\nterminal_id {r['terminal_id']}\ncode_id {r['code_id'] or ''}\nbasket_fen {r['basket_fen']}\n"
            f"purchase {r['purchase']}\nsubsidy_fen {r['subsidy_fen']}\nauthorized_at {_stamp(r['authorized_at'])}\n"
            f"hold_until {_stamp(r['hold_until'])}{lines[r['id']]}"
        ).encode()).digest()
        for r in rows
    )  # fmt: skip
    rows = await owner.fetch("SELECT * FROM refund ORDER BY id")
    expected["refund"] = b"".join(
        r["id"].bytes + sha256(b"\0" + (
            f"refund/1\nid {r['id']}\npayment_id {r['payment_id']}\nkind {r['kind']}\n"
            f"returned_goods_fen {r['returned_goods_fen']}\nback_fen {r['back_fen']}\nat {_stamp(r['at'])}"
        ).encode()).digest()
        for r in rows
    )  # fmt: skip
    block = await owner.fetchrow("SELECT * FROM seal_block")
    header = parse_header(block["header"])
    for kind in KINDS:
        assert await read_list(_as_connection(owner), 1, kind) == expected[kind] != b""
        assert header.lists[kind] == list_seal(kind, expected[kind])
    assert (header.previous, header.skip, head_of(block["header"])) == (NO_HEAD, NO_HEAD, block["head"])


async def test_blocks_name_the_ones_before(unsealed: Sealed, owner: asyncpg.Connection) -> None:
    for _ in range(9):
        await seal_rows(unsealed.ctx)
        await unsealed.pay()
    found = {row["number"]: row for row in await owner.fetch("SELECT * FROM seal_block")}
    assert sorted(found) == list(range(1, 10))
    for number, row in found.items():
        header = parse_header(row["header"])
        for named, head in ((number - 1, header.previous), (skip_number(number), header.skip)):
            assert head == (found[named]["head"] if named else NO_HEAD)


@pytest.mark.parametrize("table", ["seal_block", "seal_list"])
@pytest.mark.parametrize("change", ["UPDATE {} SET number = number", "DELETE FROM {}", "TRUNCATE {}"])
async def test_blocks_are_append_only_even_for_the_owner(
    sealed: Sealed, owner: asyncpg.Connection, table: str, change: str
) -> None:
    with pytest.raises(asyncpg.RestrictViolationError):
        await owner.execute(change.format(table))


async def test_the_service_cannot_choose_a_transaction_number(database: Databases) -> None:
    connection = await asyncpg.connect(database.app.dsn)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "INSERT INTO audit (at, programme_id, actor_kind, actor_id, action, facts, tx)"
                " VALUES (now(), $1, 'staff', $1, 'test', '{}', '3')",
                uuid4(),
            )
    finally:
        await connection.close()


def _as_connection(connection: asyncpg.Connection) -> Any:
    return connection


async def test_sealing_by_hand_is_one_transaction(unsealed: Sealed) -> None:
    async with unsealed.ctx.pool.acquire() as connection:
        with pytest.raises(ZeroDivisionError):
            async with connection.transaction():
                assert await seal_next(connection) is not None
                raise ZeroDivisionError
    assert await heads(unsealed.ctx, 1) == ()


async def test_a_block_costs_the_same_however_much_there_is(
    sealed: Sealed, owner: asyncpg.Connection
) -> None:
    """The plans look rows up and sort nothing but the block: a year of payments is not read for each."""
    async with owner.transaction():
        await owner.execute(BY_INDEX)
        cut = seals._CUT.format(seals._UNSEALED.format("transfer"))
        plans = [
            "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {query}", *arguments))
            for query, arguments in ((cut, ("0", "99", 10)), (seals._LISTS, ("0", "99")))
        ]
    assert "Sort" not in plans[0] and "Seq Scan" not in "".join(plans)
