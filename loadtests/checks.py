"""What is looked at beside the clock: the product's own audit, rows that were written, the disk's flush."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from loadtests.places import Place

AUDIT_SECONDS_MAX = 300.0
FSYNC_SECONDS = 1.0
FSYNC_BLOCK_BYTES = 8_192
HOT_TABLES = ("voucher", "payment", "payment_line", "usage_counter", "transfer", "idempotency", "refusal")


class Audit(Struct, frozen=True):
    """The audit's verdict on one database: rows that break an invariant, and what an answer promised but is not there."""

    violations: int
    seconds: float
    payments: int
    told: list[str] = []


def audit(place: Place, acknowledged: int) -> Audit:
    """Run `hongbao audit` and hold the payments against the answers. Raises CalledProcessError where it cannot run."""
    began = time.monotonic()
    done = subprocess.run(
        [str(Path(sys.executable).with_name("hongbao")), "audit", "--json"], env=place.environ, check=False,
        stdout=subprocess.PIPE, timeout=AUDIT_SECONDS_MAX,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        done.check_returncode()
    found = msgspec.json.decode(done.stdout)
    seconds = time.monotonic() - began
    payments = int(_ask(place, "SELECT count(*) FROM payment"))
    told = [str(one) for one in found["findings"]]
    if payments != acknowledged:
        told.append(f"{acknowledged} payments were acknowledged, {payments} are there")
    return Audit(found["violations"] + abs(payments - acknowledged), seconds, payments, told)


def analyze(place: Place) -> None:
    """Refresh the planner's statistics, as autovacuum would within its minute: a table that was empty at its last look
    is scanned whole."""
    _ask(place, "ANALYZE")


def rows_written(place: Place) -> int:
    """Rows inserted and updated in the tables that paying writes, so far, by backends that have ended."""
    tables = ", ".join(f"'{one}'" for one in HOT_TABLES)
    return int(
        _ask(
            place,
            f"SELECT sum(n_tup_ins + n_tup_upd)::bigint FROM pg_stat_user_tables WHERE relname IN ({tables})",
        )
    )


def fsync_us(directory: Path) -> float:
    """Median microseconds of writing 8 kB and waiting until it is on the disk, as a commit does."""
    took: list[float] = []
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        block, fd = os.urandom(FSYNC_BLOCK_BYTES), file.fileno()
        os.pwrite(fd, block * 64, 0)
        os.fsync(fd)
        ends = time.perf_counter() + FSYNC_SECONDS
        while (began := time.perf_counter()) < ends:
            os.pwrite(fd, block, len(took) % 64 * FSYNC_BLOCK_BYTES)
            os.fdatasync(fd)
            took.append(time.perf_counter() - began)
    return round(statistics.median(took) * 1e6, 1)


def _ask(place: Place, query: str) -> Any:
    async def ask() -> Any:
        connection = await asyncpg.connect(place.owner_url)
        try:
            if query.startswith("SELECT"):
                return await connection.fetchval(query)
            return await connection.execute(query)
        finally:
            await connection.close()

    return asyncio.run(ask())
