"""What auditors read: the log of acts, the audit of the programme, and the books of a campaign."""

from functools import partial

from api.routing import Call, Route
from campaigns.services.audit_reads import (
    Act,
    Balances,
    LogQuery,
    TransferAnswer,
    audit_log,
    campaign_balances,
    campaign_transfers,
)
from campaigns.services.audit_runs import AuditQuery, audit_now
from campaigns.services.auditing import AuditResult
from campaigns.services.context import Context
from campaigns.services.paging import Page, PageQuery

_read = partial(Route, method="GET", scope="audit.read", principals=("staff", "auditor"))


async def get_audit_log(ctx: Context, call: Call) -> Page[Act]:
    return await audit_log(ctx, call.principal, call.query)


async def get_audit(ctx: Context, call: Call) -> AuditResult:
    return await audit_now(ctx, call.principal, call.query)


async def get_transfers(ctx: Context, call: Call) -> Page[TransferAnswer]:
    return await campaign_transfers(ctx, call.principal, call.id("campaign_id"), call.query)


async def get_balances(ctx: Context, call: Call) -> Balances:
    return await campaign_balances(ctx, call.principal, call.id("campaign_id"))


ROUTES = (
    _read(
        path="/v1/audit-log",
        handler=get_audit_log,
        summary="Who did what in the programme, newest first; of one campaign or one kind of act if named",
        query=LogQuery,
        answer=Page[Act],
        codes=("not_found",),
    ),
    _read(
        path="/v1/audit",
        handler=get_audit,
        summary="Check the programme's books and draws now, what was written since the last clean audit or everything; one audit at a time",
        query=AuditQuery,
        answer=AuditResult,
    ),
    _read(
        path="/v1/campaigns/{campaign_id}/transfers",
        handler=get_transfers,
        summary="A campaign's ledger lines, newest first",
        query=PageQuery,
        answer=Page[TransferAnswer],
        codes=("not_found",),
    ),
    _read(
        path="/v1/campaigns/{campaign_id}/balances",
        handler=get_balances,
        summary="A campaign's accounts with their balances and holders, at one moment",
        answer=Balances,
        codes=("not_found",),
    ),
)
