"""The invariant audit: `hongbao audit`, the end of every race and crash test, and the nightly run.

Runs the queries of `campaigns.store.audit_checks` on one snapshot and re-runs every drawn draw from its published
files (invariant 8). Invariants 2, 7 and 11-13 are proved by the test suites.
"""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import UUID

from msgspec import Struct

from campaigns.services.context import Context
from campaigns.store.audit_checks import CHECKS, DrawnDraw, Violation, drawn_draws, run_check
from lottery import LotteryError, verify_directory, write_round
from lottery.core.files import parse_waitlist, parse_winners, split_lines

AUDIT_TIMEOUT_MS = 600_000
DRAW_CHECK: Final = "draw_again"
AUDITED: Final[tuple[int, ...]] = (1, 3, 4, 5, 6, 8, 14)

Progress = Callable[[str], None]


class Finding(Struct, frozen=True, kw_only=True):
    """One violated row, as the audit names it."""

    invariant: int
    check: str
    campaign_id: str
    subject: str
    id: str
    expected: str
    found: str


class AuditResult(Struct, frozen=True, kw_only=True):
    """What was checked and what was found; ``violations`` counts the findings."""

    invariants_checked: tuple[int, ...]
    checks: int
    violations: int
    findings: tuple[Finding, ...]


async def audit(
    ctx: Context, progress: Progress | None = None, programme_id: UUID | None = None
) -> AuditResult:
    """Check every invariant the data can show, on one snapshot; ``progress`` hears each check's name.

    With ``programme_id`` the findings and draws are that programme's alone; None (the command line) takes all,
    rows of no campaign we know included.
    """
    say = progress or (lambda name: None)
    async with (
        ctx.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(f"SET LOCAL statement_timeout = {AUDIT_TIMEOUT_MS}")
        found: list[Violation] = []
        for check in CHECKS:
            say(check.name)
            found += await run_check(connection, check, programme_id)
        say(DRAW_CHECK)
        for drawn in await drawn_draws(connection, programme_id):
            found += await _in_thread(drawn, ctx.mode != "production")
    findings = tuple(
        Finding(
            invariant=v.invariant, check=v.name, campaign_id=v.campaign_id, subject=v.subject, id=v.id,
            expected=v.expected, found=v.found,
        )
        for v in found
    )  # fmt: skip
    return AuditResult(
        invariants_checked=AUDITED, checks=len(CHECKS) + 1, violations=len(findings), findings=findings
    )


async def _in_thread(drawn: DrawnDraw, allow_rehearsal: bool) -> list[Violation]:
    """Draw again beside the event loop. A thread cannot be stopped: an audit cut off ends when its thread has."""
    thread = asyncio.ensure_future(asyncio.to_thread(_draw_again, drawn, allow_rehearsal))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait({thread})
        raise


def _draw_again(drawn: DrawnDraw, allow_rehearsal: bool) -> list[Violation]:
    """Recompute a draw from its published files, and hold the awards against its ranking."""
    with tempfile.TemporaryDirectory(prefix="hongbao-audit-") as folder:
        try:
            published = write_round(Path(folder), drawn.round, drawn.files)
            problems = [
                (problem.file, problem.message)
                for problem in verify_directory(published, allow_rehearsal=allow_rehearsal)
            ]
            ranks = {
                line.entry_id: line.rank
                for line in parse_winners(split_lines(drawn.files.get("winners.csv", b"")))
            }
            ranks |= {
                line.entry_id: line.rank
                for line in parse_waitlist(split_lines(drawn.files.get("waitlist.csv", b"")))
            }
        except LotteryError as error:
            return [_draw_violation(drawn, drawn.id, "readable files", str(error))]
    found = [
        _draw_violation(drawn, f"{drawn.id}/{file}", "the same draw again", text) for file, text in problems
    ]
    for award_id, rank, code in drawn.awards:
        if ranks.get(code) != rank:
            found.append(
                _draw_violation(drawn, award_id, f"rank {ranks.get(code)} of {code}", f"rank {rank}")
            )
    return found


def _draw_violation(drawn: DrawnDraw, subject_id: str, expected: str, found: str) -> Violation:
    return Violation(8, DRAW_CHECK, drawn.campaign_id, "draw", subject_id, expected, found)
