"""The audit that nobody asks for: what was written since, every few minutes, and everything once a night.

A violation suspends the campaigns it names, as an act that finds its invariant broken does, and goes into the log of
acts of their programmes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from campaigns.domain.errors import Fact
from campaigns.domain.principal import system
from campaigns.services.auditing import AuditResult, Finding, audit_through
from campaigns.services.context import Context
from campaigns.services.suspending import suspend
from campaigns.store import audit_watch as store
from campaigns.store.audit_log import write_audit
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Work, perform

WATCH_SECONDS: Final = 300.0
QUIET_HOUR: Final = 3  # of the newest campaign's time zone
MOST_NAMED: Final = 5  # rows named in a line of the log; the audit itself names more
WHOLE: Final = "audit.whole"
VIOLATED: Final = "audit.violated"


class Watch:
    """One process's rounds. The first one only looks on: a process that has just started has other things to do."""

    def __init__(self) -> None:
        self._begun = False

    async def __call__(self, ctx: Context) -> AuditResult | None:
        """One round; None where it was not due."""
        if not self._begun:
            self._begun = True
            return None
        return await watch(ctx)


async def watch(ctx: Context) -> AuditResult | None:
    """Audit what was written since the last audit, or everything where the night's is due; None where neither is.

    Where a part shows something, everything is audited at once. Raises TryAgain ``busy`` while another process audits.
    """
    async with ctx.pool.acquire() as connection:
        whole = await store.whole_is_due(connection, WHOLE, QUIET_HOUR)
        if not whole and await store.marked_within(connection, timedelta(seconds=WATCH_SECONDS / 2)):
            return None
    result = await audit_through(ctx, since_last=not whole, alone=True)
    await _tell(ctx, result)
    return result


async def _tell(ctx: Context, result: AuditResult) -> None:
    """Suspend what is broken, and write what was found, or that a whole audit found nothing."""
    findings = result.findings
    async with ctx.pool.acquire() as connection:
        programmes = await store.programmes(connection)
        of_campaign = await store.programmes_of(connection, _campaigns(findings))
    for campaign_id, names in _names(findings, of_campaign).items():
        await suspend(ctx, campaign_id, f"audit: {', '.join(names)}")
    for programme_id in programmes:
        own = [one for one in findings if _concerns(one, programme_id, of_campaign)]
        if own:
            await _log(ctx, programme_id, VIOLATED, _facts(own), once=True)
        if result.whole:
            facts: dict[str, Fact] = {"checks": result.checks, "violations": len(own)}
            await _log(ctx, programme_id, WHOLE, facts, once=False)


def _campaigns(findings: Iterable[Finding]) -> list[UUID]:
    return sorted({campaign_id for one in findings if (campaign_id := _campaign_of(one)) is not None})


def _campaign_of(finding: Finding) -> UUID | None:
    try:
        return None if finding.campaign_id is None else UUID(finding.campaign_id)
    except ValueError:
        return None  # a row of no campaign that we know


def _names(findings: Iterable[Finding], known: Mapping[UUID, UUID]) -> dict[UUID, list[str]]:
    """The checks that each known campaign breaks."""
    named: dict[UUID, list[str]] = defaultdict(list)
    for one in findings:
        campaign_id = _campaign_of(one)
        if campaign_id in known and campaign_id is not None and one.check not in named[campaign_id]:
            named[campaign_id].append(one.check)
    return named


def _concerns(finding: Finding, programme_id: UUID, known: Mapping[UUID, UUID]) -> bool:
    """A row of an unknown campaign concerns every programme of the database."""
    campaign_id = _campaign_of(finding)
    return campaign_id is None or known.get(campaign_id, programme_id) == programme_id


def _facts(findings: list[Finding]) -> dict[str, Fact]:
    counted = Counter(one.check for one in findings)
    rows = [f"{one.subject} {one.id}" for one in findings[:MOST_NAMED]]
    return {
        "violations": len(findings),
        "checks": ", ".join(f"{name} {number}" for name, number in sorted(counted.items())),
        "rows": "; ".join(rows),
    }


async def _log(ctx: Context, programme_id: UUID, action: str, facts: dict[str, Fact], *, once: bool) -> None:
    """Append to the log of acts; with ``once`` not what its last line of this kind said already."""

    async def act(connection: Connection) -> bool:
        if once and await store.last_facts(connection, programme_id, action) == facts:
            return False
        at = await campaign_now(connection)
        await write_audit(connection, at, None, system(programme_id), action, None, facts)
        return True

    await perform(ctx.pool, None, Work(bool, act))
