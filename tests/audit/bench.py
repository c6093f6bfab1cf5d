"""`make bench-audit`: how long the audit takes over a million payments, and after ten thousand new ones.

Engines of its own with the product's default settings, in a directory that is removed at the end. ``--faults`` plants
every fault of `tests.audit.faults` in a transaction each and sees that the audit of everything names it at that size.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg

from campaigns.gate.valkey import open_gate
from campaigns.runtime.engines import Engines
from campaigns.runtime.engines.clean import clean
from campaigns.runtime.settings import Mode, Settings
from campaigns.services.auditing import AuditResult, audit
from campaigns.services.context import Context
from campaigns.services.seals import seal_rows
from campaigns.store.audit_checks import CHECKS, LINES, run_check
from campaigns.store.migrate import migrate
from campaigns.store.pool import Connection, open_pool
from tests.audit.bigworld import BigWorld, Size, make_bigworld
from tests.audit.faults import FAULTS, plant
from tests.support.payworld import PayWorld

ROUNDS: Final = 3
PAYMENTS: Final = 1_000_000
NEW_OF: Final = 100  # one payment is new for so many old ones
MOST_NEW_OF: Final = 10  # in all rounds: more would find the vouchers spent
FEWEST_PAYMENTS: Final = 1_000
DATABASE: Final = "bench_audit"
ALSO: Final = {LINES: ("decided_in_time",)}  # a check that names rows of another


async def bench(engines: Engines, payments: int, new: int, rounds: int, faults: bool) -> dict[str, Any]:
    """Make the world, audit it, go on with it and audit again; answers the figures."""
    databases = await engines.create_database(DATABASE)
    await migrate(databases.owner.dsn, "test")
    pool = await open_pool(databases.app.dsn, size=8)
    gate = open_gate(engines.redis_url)
    owner = await asyncpg.connect(databases.owner.dsn)
    try:
        ctx = Context(pool=pool, gate=gate, hmac_key=bytes(32), mode="test")
        begun = time.perf_counter()
        _say(f"making {payments:,} payments")
        world = await make_bigworld(PayWorld(ctx), owner, Size(payments))
        made_s = time.perf_counter() - begun
        begun = time.perf_counter()
        _say("sealing them")
        await _seal(ctx)
        sealed_s = time.perf_counter() - begun
        _say(f"auditing everything, {rounds} times")
        wholes = [await _timed(ctx, since_last=False) for _ in range(rounds)]
        _say(f"auditing after {new:,} new payments, {rounds} times")
        parts = [await _after(ctx, world, new) for _ in range(rounds)]
        if faults:
            _say(f"planting {len(FAULTS)} faults")
        found = await _faults(owner) if faults else {}
        return {
            "payments": payments, "new_payments": new, "rounds": rounds, "made_s": round(made_s, 1),
            "sealed_s": round(sealed_s, 1), "transfers": await owner.fetchval("SELECT count(*) FROM transfer"),
            "vouchers": world.size.vouchers, "seal_blocks": await owner.fetchval("SELECT count(*) FROM seal_block"),
            "everything": _figures(wholes), "since_last": _figures(parts), "faults_missed": found,
            "violations": sum(run.result.violations for run in (*wholes, *parts)),
        }  # fmt: skip
    finally:
        await owner.close()
        await gate.close()
        await pool.close()


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


async def _seal(ctx: Context) -> None:
    while await seal_rows(ctx):
        pass


class Run(NamedTuple):
    """One audit: its time, the processor's time in all processes of the database and in our own, and its result."""

    took_s: float
    cpu_s: float
    result: AuditResult


async def _timed(ctx: Context, *, since_last: bool) -> Run:
    async with ctx.pool.acquire() as connection:
        rows = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    pids = [row["pid"] for row in rows]
    begun, cpu_s = time.perf_counter(), _cpu_s(pids)
    result = await audit(ctx, since_last=since_last)
    assert result.whole is not since_last
    return Run(time.perf_counter() - begun, _cpu_s(pids) - cpu_s, result)


def _cpu_s(pids: Sequence[int]) -> float:
    """User and system time of these processes and of this one; it stays the same however busy the machine is."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK") + time.process_time()


async def _after(ctx: Context, world: BigWorld, new: int) -> Run:
    await world.add(new)
    await _seal(ctx)
    return await _timed(ctx, since_last=True)


def _figures(runs: Sequence[Run]) -> dict[str, Any]:
    names = runs[0].result.took_ms
    return {
        "median_s": round(statistics.median(run.took_s for run in runs), 3),
        "cpu_s": round(statistics.median(run.cpu_s for run in runs), 2),
        "rounds_s": [round(run.took_s, 3) for run in runs],
        "checks_ms": {
            name: round(statistics.median(run.result.took_ms[name] for run in runs)) for name in names
        },
    }


async def _faults(owner: Connection) -> dict[str, list[str]]:
    """Plant each fault, ask the checks that must name it, and take it back: the checks that did not, by fault."""
    missed: dict[str, list[str]] = {}
    await owner.execute("SET jit = off; SET work_mem = '64MB'")
    for fault in FAULTS:
        transaction = owner.transaction()
        await transaction.start()  # type: ignore[attr-defined]
        await plant(owner, fault)
        asked = [check for check in CHECKS if {check.name, *ALSO.get(check.name, ())} & fault.named]
        named = {violation.name for check in asked for violation in await run_check(owner, check)}
        silent = sorted(fault.named - named)
        await transaction.rollback()  # type: ignore[attr-defined]
        if silent:
            missed[fault.change] = silent
    return missed


def show(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    whole, part = figures["everything"], figures["since_last"]
    lines = [
        f"{figures['payments']:,} payments, {figures['transfers']:,} transfers, {figures['vouchers']:,} vouchers,"
        f" {figures['seal_blocks']:,} blocks of seals; made in {figures['made_s']} s, sealed in {figures['sealed_s']} s",
        f"load average {figures['load_before']} before, {figures['load_after']} after; {os.cpu_count()} cores",
        f"{'':28}{'everything':>12}{'since last':>12}",
        f"{'whole audit, s (median)':28}{whole['median_s']:>12}{part['median_s']:>12}",
        f"{'processor time, s (median)':28}{whole['cpu_s']:>12}{part['cpu_s']:>12}",
    ]
    for name, took in sorted(whole["checks_ms"].items(), key=lambda item: -item[1]):
        lines.append(f"{name + ', ms':28}{took:>12,}{part['checks_ms'].get(name, '-'):>12}")
    lines.append(
        f"rounds, s: {whole['rounds_s']} and after {figures['new_payments']:,} new {part['rounds_s']}"
    )
    lines.append(f"violations: {figures['violations']}; faults missed: {figures['faults_missed'] or 'none'}")
    return "\n".join(lines)


def run(payments: int, new: int, rounds: int, faults: bool, directory: Path) -> dict[str, Any]:
    """The whole bench in ``directory``, whose engines are gone at its end."""
    engines = Engines(
        Settings(mode=Mode.TEST, data_dir=directory / "data", secrets_dir=directory / "secrets")
    )
    try:
        before = os.getloadavg()[0]
        figures = asyncio.run(bench(engines, payments, new, rounds, faults))
        return {**figures, "load_before": round(before, 1), "load_after": round(os.getloadavg()[0], 1)}
    finally:
        engines.close(wait=True)
        clean(directory / "data")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``python -m tests.audit.bench``: 0 where nothing was violated and no fault missed."""
    parser = argparse.ArgumentParser(prog="make bench-audit", description=__doc__)
    parser.add_argument("--payments", type=int, default=PAYMENTS, help="audited as a whole [1000000]")
    parser.add_argument("--new", type=int, help="new payments a round [a hundredth of --payments]")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="audits of each kind; medians are told [3]"
    )
    parser.add_argument("--faults", action="store_true", help="plant every fault and see it named")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    arguments = parser.parse_args(argv)
    payments, rounds = arguments.payments, arguments.rounds
    new = payments // NEW_OF if arguments.new is None else arguments.new
    if payments < FEWEST_PAYMENTS or rounds < 1 or new < 1:
        parser.error(f"take at least {FEWEST_PAYMENTS:,} payments, one new one and one round")
    if arguments.json is not None and not arguments.json.absolute().parent.is_dir():
        parser.error(f"there is no directory {arguments.json.parent}")
    if new * rounds > payments // MOST_NEW_OF:
        parser.error(
            f"in {rounds} rounds at most {payments // MOST_NEW_OF // rounds:,} payments a round can be new"
        )
    directory = Path(tempfile.mkdtemp(prefix="hongbao-bench-audit-"))
    directory.chmod(0o711)
    try:
        figures = run(payments, new, rounds, arguments.faults, directory)
    finally:
        shutil.rmtree(directory)
    print(show(figures))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 1 if figures["violations"] or figures["faults_missed"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
