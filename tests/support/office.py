"""A programme office for tests: staff with their roles, and a campaign taken to any state through the services."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from campaigns.domain.principal import Principal
from campaigns.services.campaign_source import CampaignSource
from campaigns.services.campaigns import (
    approve_campaign,
    create_campaign,
    submit_campaign,
)
from campaigns.services.context import Context
from campaigns.services.fields import Names
from campaigns.services.funding import fund_whole_plan
from campaigns.services.programmes import InitProgramme, init_programme
from campaigns.services.publishing import publish_campaign
from campaigns.services.staff import AddStaff, add_staff, staff_principal
from campaigns.store.locks import campaign_now


@dataclass(frozen=True)
class Office:
    """The programme ``test`` and one principal for each role."""

    programme_id: UUID
    admin: Principal
    officer: Principal
    approver: Principal
    finance: Principal
    drawer: Principal
    auditor: Principal


async def open_office(ctx: Context, code: str = "test") -> Office:
    """Make a programme whose staff have one role each; logins are ``{code}-{role}``."""
    made = await init_programme(
        ctx,
        InitProgramme(
            code=code,
            name=Names(zh="测试方案", en="Test programme"),
            office=Names(zh="专班办公室", en="Office"),
            login=f"{code}-admin",
            staff_name="Admin",
        ),
    )
    admin = await staff_principal(ctx, f"{code}-admin")
    staff: dict[str, Principal] = {}
    for role in ("officer", "approver", "finance", "draw", "auditor"):
        login = f"{code}-{role}"
        await add_staff(ctx, admin, None, AddStaff(login=login, name=role.title(), roles=(role,)))
        staff[role] = await staff_principal(ctx, login)
    return Office(
        made.programme_id, admin, staff["officer"], staff["approver"], staff["finance"], staff["draw"],
        staff["auditor"],
    )  # fmt: skip


async def now_of(ctx: Context) -> datetime:
    """The campaign time."""
    async with ctx.pool.acquire() as connection:
        return await campaign_now(connection)


async def approved(ctx: Context, office: Office, source: str) -> UUID:
    """Take a file to state approved and answer the campaign's id."""
    created = await create_campaign(ctx, office.officer, None, CampaignSource(source=source))
    await submit_campaign(ctx, office.officer, None, created.id)
    await approve_campaign(ctx, office.approver, None, created.id)
    return created.id


async def published(ctx: Context, office: Office, source: str) -> UUID:
    """Take a file to state published, fully funded, and answer the campaign's id."""
    campaign_id = await approved(ctx, office, source)
    await fund_whole_plan(ctx, office.finance, None, campaign_id)
    await publish_campaign(ctx, office.officer, None, campaign_id)
    return campaign_id
