"""A campaign file checked without effect: every problem of it, or what it would issue."""

import asyncio
from hashlib import sha256

from msgspec import Struct

from campaigns.domain.definition.load import load
from campaigns.domain.definition.model import Definition
from campaigns.domain.definition.plan import issue_plan
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require_staff
from campaigns.services.campaign_source import CampaignSource, check_programme, method_of
from campaigns.services.context import Context
from campaigns.services.fields import Names
from campaigns.services.problems import Said


class FileSummary(Struct, frozen=True, kw_only=True):
    """What a sound file would issue; ``digest`` is SHA-256 of the file, ``remainder_fen`` is never issued."""

    code: str
    name: Names
    method: str
    digest: str
    time_zone: str
    budget_fen: int
    planned_fen: int
    remainder_fen: int
    vouchers: int


class FileCheck(Struct, frozen=True, kw_only=True):
    """The problems of a file in both languages, in the order of its lines; a summary only where there are none."""

    problems: tuple[Said, ...]
    summary: FileSummary | None


async def check_campaign(ctx: Context, principal: Principal, command: CampaignSource) -> FileCheck:
    """Check a file and keep nothing. Raises Invalid ``other_programme`` for a sound file of another programme."""
    require_staff(principal, "campaign.write")
    definition, problems = await asyncio.to_thread(load, command.source)
    if definition is None:
        told = tuple(Said(p.line, p.column, p.path, p.code, p.say("zh"), p.say("en")) for p in problems)
        return FileCheck(problems=told, summary=None)
    async with ctx.pool.acquire() as connection:
        await check_programme(connection, principal, definition)
    return FileCheck(problems=(), summary=_summary(command.source, definition))


def _summary(source: str, definition: Definition) -> FileSummary:
    plan = issue_plan(definition)
    return FileSummary(
        code=definition.code,
        name=Names(zh=definition.name.zh, en=definition.name.en),
        method=method_of(definition),
        digest=sha256(source.encode()).hexdigest(),
        time_zone=definition.time_zone,
        budget_fen=definition.budget_fen,
        planned_fen=plan.planned_fen,
        remainder_fen=plan.remainder_fen,
        vouchers=plan.count,
    )
