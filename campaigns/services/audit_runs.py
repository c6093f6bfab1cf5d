"""The audit over HTTP: the caller's programme now, one run at a time in each process."""

import asyncio
from typing import Final, Literal

from msgspec import Struct

from campaigns.domain.errors import TryAgain
from campaigns.domain.principal import Principal
from campaigns.services.auditing import AuditResult, audit
from campaigns.services.context import Context

MOST_AUDITS_AT_ONCE: Final = 1  # an audit reads every row of the books, and payments come first
RETRY_SECONDS: Final = 10

_running: set[asyncio.Task[AuditResult]] = set()


class AuditQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much to audit: what was written since the last clean audit and all it touched, or everything."""

    extent: Literal["since_last", "everything"] = "since_last"


async def audit_now(ctx: Context, principal: Principal, query: AuditQuery) -> AuditResult:
    """Audit the caller's programme. Raises TryAgain ``busy`` while another audit runs in this process.

    A caller who leaves, or whose time to answer is over, ends the audit; it counts as running until it has ended.
    """
    if len(_running) >= MOST_AUDITS_AT_ONCE:
        raise TryAgain("busy", retry_after_seconds=RETRY_SECONDS)
    task = asyncio.create_task(_audit(ctx, principal, query))
    _running.add(task)
    task.add_done_callback(_ended)
    try:
        return await asyncio.shield(task)
    finally:
        task.cancel()


async def _audit(ctx: Context, principal: Principal, query: AuditQuery) -> AuditResult:
    return await audit(ctx, programme_id=principal.programme_id, since_last=query.extent == "since_last")


def _ended(task: asyncio.Task[AuditResult]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()  # heard by whoever waited; nobody may be left to
