"""Invariant 8 of the audit: drawn draws are drawn again from their published files, and awards follow the ranking."""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from campaigns.store.audit_checks import Violation
from campaigns.store.audit_draws import DrawnDraw
from lottery import LotteryError, verify_directory, write_round
from lottery.core.files import parse_waitlist, parse_winners, split_lines

DRAW_CHECK: Final = "draw_again"


async def check_draw(drawn: DrawnDraw, allow_rehearsal: bool) -> list[Violation]:
    """Draw again beside the event loop. A thread cannot be stopped: an audit cut off ends when its thread has."""
    thread = asyncio.ensure_future(asyncio.to_thread(_check, drawn, allow_rehearsal))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait({thread})
        raise


def _check(drawn: DrawnDraw, allow_rehearsal: bool) -> list[Violation]:
    try:
        problems = _draw_again(drawn, allow_rehearsal) if drawn.again else []
        ranks = _ranks(drawn)
    except LotteryError as error:
        return [_violation(drawn, drawn.id, "readable files", str(error))]
    found = [_violation(drawn, f"{drawn.id}/{file}", "the same draw again", text) for file, text in problems]
    for award_id, rank, code in drawn.awards:
        if ranks.get(code) != rank:
            found.append(_violation(drawn, award_id, f"rank {ranks.get(code)} of {code}", f"rank {rank}"))
    return found


def _draw_again(drawn: DrawnDraw, allow_rehearsal: bool) -> list[tuple[str, str]]:
    """Recompute a draw from its published files: what differs, by file."""
    with tempfile.TemporaryDirectory(prefix="hongbao-audit-") as folder:
        published = write_round(Path(folder), drawn.round, drawn.files)
        return [
            (problem.file, problem.message)
            for problem in verify_directory(published, allow_rehearsal=allow_rehearsal)
        ]


def _ranks(drawn: DrawnDraw) -> dict[str, int]:
    winners = parse_winners(split_lines(drawn.files.get("winners.csv", b"")))
    waiting = parse_waitlist(split_lines(drawn.files.get("waitlist.csv", b"")))
    return {line.entry_id: line.rank for line in winners} | {line.entry_id: line.rank for line in waiting}


def _violation(drawn: DrawnDraw, subject_id: str, expected: str, found: str) -> Violation:
    return Violation(8, DRAW_CHECK, drawn.campaign_id, "draw", subject_id, expected, found)
