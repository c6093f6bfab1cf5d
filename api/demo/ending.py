"""The end: what is left expires, the campaign closes, the report is written, everything is checked."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from api.demo.journal import Journal
from api.demo.stage import Stage, steady
from api.report import render_page
from campaigns.domain.report import Report
from campaigns.services.acknowledged import Acknowledgement, Lost, awarded, check_acknowledged
from campaigns.services.auditing import AuditResult, audit
from campaigns.services.campaign_views import campaign_details
from campaigns.services.closing import close_campaign
from campaigns.services.reporting import report
from campaigns.services.sweeping import sweep

REPORT_PAGE = "report.html"
MOST_SWEEPS = 100


async def expire(stage: Stage) -> None:
    """Let spending end, and sweep until nothing is left to expire."""
    await stage.clock_to(stage.at("over"))
    for _ in range(MOST_SWEEPS):
        swept = await steady(lambda: sweep(stage.ctx))
        if swept.holds + swept.vouchers + swept.awards == 0:
            return


async def close(stage: Stage) -> None:
    """Close the campaign: money back to the funders."""
    officer = stage.staff["officer"]
    found = await steady(lambda: campaign_details(stage.ctx, officer, stage.campaign_id))
    if found.state != "closed":
        asked = stage.asked(officer, "close")
        await steady(lambda: close_campaign(stage.ctx, officer, asked, stage.campaign_id))


async def write_report(stage: Stage) -> tuple[Report, Path]:
    """The report, and its page beside the data."""
    found = await steady(lambda: report(stage.ctx, stage.campaign_id))
    page = stage.folder.data_dir / REPORT_PAGE
    stage.folder.write(page, render_page(found, stage.show.language).encode())
    return found, page


async def check(stage: Stage) -> AuditResult:
    """Every invariant of the books."""
    return await steady(lambda: audit(stage.ctx))


async def check_journal(stage: Stage, journal: Journal) -> tuple[int, list[Lost]]:
    """How many successes the client was told of, and which of them the database does not bear out."""
    rows = await steady(lambda: awarded(stage.ctx, stage.campaign_id))
    told = acknowledgements(journal, {row.entry: row.person_id for row in rows})
    return len(told), await steady(lambda: check_acknowledged(stage.ctx, told))


def acknowledgements(journal: Journal, persons: dict[str, UUID]) -> Sequence[Acknowledgement]:
    """The successes of the journal."""
    return [
        Acknowledgement(
            kind=answer.kind,  # type: ignore[arg-type]
            payment_id=UUID(answer.payment),
            person_id=persons[answer.entry],
            amount_fen=answer.amount_fen,
            refund_id=UUID(answer.refund) if answer.refund else None,
        )
        for answer in journal.answers.values()
        if answer.done
    ]


async def untried(stage: Stage, journal: Journal) -> int:
    """How many accepted packets no payment was tried with."""
    rows = await steady(lambda: awarded(stage.ctx, stage.campaign_id))
    tried = {answer.entry for answer in journal.answers.values() if answer.kind in ("redeem", "hold")}
    return sum(row.state == "granted" and row.entry not in tried for row in rows)
