"""The figures of a demonstration, as `--json` writes them."""

import msgspec
from msgspec import Struct, structs

from api.demo.folder import digest
from api.demo.spending import Spent
from api.demo.stage import Stage
from campaigns.domain.report import Report
from campaigns.services.auditing import AuditResult


class Figures(Struct, frozen=True, kw_only=True):
    """Amounts in fen, memory in MB, times in seconds of this run.

    ``payments`` are captures acknowledged over HTTP in all runs together, ``payments_per_second`` those of this run's
    payment stage. ``violations`` adds what the audit found and ``acknowledgements_lost``.
    """

    campaign: str
    seed: int
    scale: float
    resumed: bool
    entries: int
    winners: int
    accepted: int
    accepted_untried: int
    attempts: int
    payments: int
    refused: int
    refusal_codes: dict[str, int]
    payments_per_second: float
    requests_per_second: float
    spent_fen: int
    seconds_total: float
    seconds_by_stage: dict[str, float]
    peak_mb: float
    invariants_checked: tuple[int, ...]
    checks: int
    acknowledgements: int
    acknowledgements_lost: int
    violations: int
    plan_sha256: str
    entries_sha256: str
    winners_sha256: str


def figures_of(
    stage: Stage, report: Report, audited: AuditResult, spent: Spent, *, paid: int, untried: int, told: int,
    lost: int, seconds_total: float, peak_mb: float, resumed: bool,
) -> Figures:  # fmt: skip
    """Put the figures together; counts of the campaign are those of its report."""
    winners, entries = (stage.folder.get(name) or b"" for name in ("winners.csv", "entries.csv"))
    registered = report.funnel.registered
    return Figures(
        campaign=report.code,
        seed=stage.made.seed,
        scale=stage.made.scale,
        resumed=resumed,
        entries=0 if registered is None else registered.count,
        winners=len(winners.splitlines()),
        accepted=report.funnel.accepted.count,
        accepted_untried=untried,
        attempts=report.refusals.attempts,
        payments=paid,
        refused=report.refusals.refused,
        refusal_codes={one.code: one.times for one in report.refusals.by_code},
        payments_per_second=round(spent.per_second, 1),
        requests_per_second=round(spent.requests / spent.seconds, 1) if spent.seconds else 0.0,
        spent_fen=report.spending.spent_fen,
        seconds_total=round(seconds_total, 2),
        seconds_by_stage={name: round(seconds, 2) for name, seconds in stage.show.seconds.items()},
        peak_mb=round(peak_mb, 1),
        invariants_checked=audited.invariants_checked,
        checks=audited.checks,
        acknowledgements=told,
        acknowledgements_lost=lost,
        violations=audited.violations + lost,
        plan_sha256=spent.plan_sha256,
        entries_sha256=digest(entries),
        winners_sha256=digest(winners),
    )


def again(stored: bytes, fresh: Figures) -> Figures:
    """The figures of a run that is shown again: as it ended, but for what was checked anew."""
    return structs.replace(
        msgspec.json.decode(stored, type=Figures),
        invariants_checked=fresh.invariants_checked,
        checks=fresh.checks,
        acknowledgements=fresh.acknowledgements,
        acknowledgements_lost=fresh.acknowledgements_lost,
        violations=fresh.violations,
    )
