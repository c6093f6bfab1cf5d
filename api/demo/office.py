"""The office's part: programme, staff, the campaign from its file to publication, merchants with their keys."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from api.demo.stage import Stage, steady
from campaigns.domain.errors import Refused
from campaigns.domain.principal import Principal
from campaigns.services.campaign_source import CampaignSource
from campaigns.services.campaigns import approve_campaign, create_campaign, submit_campaign
from campaigns.services.draw_campaign import draw_of_code
from campaigns.services.fields import Names
from campaigns.services.funding import fund_whole_plan
from campaigns.services.keys import MakeKey, make_key
from campaigns.services.merchant_import import ImportMerchants, import_merchants
from campaigns.services.programmes import InitProgramme, init_programme, programme_admin
from campaigns.services.publishing import publish_campaign
from campaigns.services.reporting import campaign_named
from campaigns.services.staff import AddStaff, add_staff, staff_principal

KEYS_FILE = "keys.json"
STAFF = (
    ("officer", "李雯"),
    ("approver", "王建国"),
    ("finance", "赵敏"),
    ("draw", "孙伟"),
)


class Keys(msgspec.Struct, kw_only=True):
    """Bearer keys of the demonstration's channel, office and tills."""

    channel: str = ""
    staff: str = ""
    tills: dict[str, str] = {}


async def open_office(stage: Stage) -> None:
    """The programme with its office and staff; again, it finds them."""
    code = stage.definition.programme
    admin = await steady(lambda: programme_admin(stage.ctx, code))
    if admin is None:
        try:
            await steady(lambda: init_programme(stage.ctx, _programme(code)))
        except Refused as error:  # made by the call whose answer was lost
            if error.code != "code_taken":
                raise
        admin = await steady(lambda: programme_admin(stage.ctx, code))
    assert admin is not None
    caller, stage.programme_id = admin, admin.programme_id
    for role, name in STAFF:
        command = AddStaff(login=f"demo-{role}", name=name, roles=(role,))
        asked = stage.asked(caller, f"staff-{role}")
        await steady(lambda: add_staff(stage.ctx, caller, asked, command))  # noqa: B023
        stage.staff[role] = await steady(lambda: staff_principal(stage.ctx, command.login))  # noqa: B023


def _programme(code: str) -> InitProgramme:
    return InitProgramme(
        code=code,
        name=Names(zh="平阴县数字人民币试点", en="Pingyin e-CNY pilot"),
        office=Names(zh="平阴县试点工作专班", en="Pingyin pilot office"),
        login="demo-admin",
        staff_name="试点管理员",
    )


async def open_campaign(stage: Stage) -> None:
    """File, submission, another person's approval, money by plan, publication."""
    ctx, staff = stage.ctx, stage.staff
    officer, asked = staff["officer"], stage.asked(staff["officer"], "create")
    made = await steady(lambda: create_campaign(ctx, officer, asked, CampaignSource(source=stage.source)))
    stage.campaign_id = made.id
    steps: tuple[tuple[str, str, Callable[..., Awaitable[Any]]], ...] = (
        ("officer", "submit", submit_campaign),
        ("approver", "approve", approve_campaign),
        ("finance", "fund", fund_whole_plan),
        ("officer", "publish", publish_campaign),
    )
    for role, verb, act in steps:
        key = stage.asked(staff[role], verb)
        await steady(lambda: act(ctx, staff[role], key, made.id))  # noqa: B023


async def find_campaign(stage: Stage) -> None:
    """The ids of the published campaign and its draw."""
    code = stage.definition.code
    stage.campaign_id = await steady(lambda: campaign_named(stage.ctx, code))
    _, stage.draw_id = await steady(lambda: draw_of_code(stage.ctx, stage.staff["draw"], code))


async def open_shops(stage: Stage) -> None:
    """Merchants, stores and tills by one list, and the keys they pay with, kept in a private file of the run."""
    ctx, officer = stage.ctx, stage.staff["officer"]
    stored = stage.folder.get(KEYS_FILE)
    keys = Keys() if stored is None else msgspec.json.decode(stored, type=Keys)
    if stored is None:
        command = ImportMerchants(rows=stage.shops.rows)
        imported = await steady(lambda: import_merchants(ctx, officer, None, command))
        for item in imported.terminals:
            key = item.key
            if key is None:  # imported by a run that was killed before it wrote the keys down
                again = MakeKey(kind="terminal", subject_id=item.terminal_id, label=item.terminal)
                key = (await steady(lambda: make_key(ctx, officer, None, again))).key  # noqa: B023
            assert key is not None
            keys.tills[item.terminal] = key
        keys.channel = await _key(stage, MakeKey(kind="channel", label="demo"))
        keys.staff = await _key(stage, MakeKey(kind="staff", label="demo", subject_id=officer.id))
        stage.folder.put(KEYS_FILE, msgspec.json.encode(keys))
    stage.till_keys, stage.channel_key, stage.staff_key = keys.tills, keys.channel, keys.staff
    assert {till.terminal for till in stage.shops.tills} == set(keys.tills)


async def _key(stage: Stage, command: MakeKey) -> str:
    admin: Principal | None = await steady(lambda: programme_admin(stage.ctx, stage.definition.programme))
    assert admin is not None
    caller = admin
    made = await steady(lambda: make_key(stage.ctx, caller, None, command))
    assert made.key is not None
    return made.key
