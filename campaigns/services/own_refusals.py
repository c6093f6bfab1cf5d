"""What was refused to a holder, with the true reason that the till did not hear (DESIGN, payment rule 8)."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.codes import sentence
from campaigns.domain.errors import Fact
from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.fields import Names
from campaigns.services.paging import Page, PageQuery, before_id, page_of
from campaigns.store.refusals import RefusalView, refusals_of_person


class OwnRefusal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One refused payment, hold or undo: when, where, the code with its facts, and the sentence to show.

    ``campaign`` and ``name`` are null where none of the person's vouchers was near enough to be named, and
    ``merchant`` and ``store`` where the person was at no till.
    """

    id: UUID
    at: datetime
    action: str
    code: str
    facts: dict[str, Fact]
    zh: str
    en: str
    campaign: str | None
    name: Names | None
    merchant: str | None
    store: str | None


async def my_refusals(ctx: Context, principal: Principal, query: PageQuery) -> Page[OwnRefusal]:
    """The refusals of the person the channel acts for, newest first."""
    assert principal.person_id is not None
    async with ctx.pool.acquire() as connection:
        found = await refusals_of_person(connection, principal.person_id, before_id(query), query.limit + 1)
    return page_of([_answer(view) for view in found], query, lambda one: one.id)


def _answer(view: RefusalView) -> OwnRefusal:
    name = None
    if view.name_zh is not None and view.name_en is not None:
        name = Names(zh=view.name_zh, en=view.name_en)
    return OwnRefusal(
        id=view.id,
        at=view.at,
        action=view.action,
        code=view.code,
        facts=view.facts,
        zh=sentence(view.code, view.facts, "zh"),
        en=sentence(view.code, view.facts, "en"),
        campaign=view.campaign,
        name=name,
        merchant=view.merchant,
        store=view.store,
    )
