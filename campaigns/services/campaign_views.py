"""Campaigns as they are shown: to staff in brief, to residents, and their terms as a contract."""

from datetime import datetime
from hashlib import sha256
from typing import Literal
from uuid import UUID

from msgspec import Struct

from campaigns.domain.definition.plan import issue_plan
from campaigns.domain.errors import not_found
from campaigns.domain.principal import Principal
from campaigns.domain.terms.compile import canonical_json, read_compiled
from campaigns.domain.terms.contract import contract_text
from campaigns.services.campaign_source import CampaignSource, compiled_terms, definition_of, method_of
from campaigns.services.context import Context
from campaigns.services.fields import Names
from campaigns.services.paging import Page, PageQuery, after_id, page_of
from campaigns.store import campaigns as store
from campaigns.store.campaign_terms import newest_terms_row
from campaigns.store.pool import Connection

CampaignState = Literal["draft", "submitted", "approved", "published", "paused", "suspended", "closed"]


class CampaignAnswer(Struct, frozen=True, kw_only=True):
    """A campaign in brief. ``digest`` is SHA-256 of its file; windows are [start, end), null where it has none."""

    id: UUID
    code: str
    state: str
    name: Names
    method: str
    digest: str
    author_id: UUID
    approver_id: UUID | None
    time_zone: str
    budget_fen: int
    planned_fen: int
    vouchers: int
    registration_start: datetime | None
    registration_end: datetime | None
    draw_start: datetime | None
    draw_end: datetime | None
    acceptance_start: datetime | None
    acceptance_end: datetime | None
    spending_start: datetime
    spending_end: datetime
    published_at: datetime | None
    entries_closed_at: datetime | None
    closed_at: datetime | None


class CampaignQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of campaigns, of one state where it is named."""

    state: CampaignState | None = None


class OpenCampaign(Struct, frozen=True, kw_only=True):
    """A campaign as residents see it."""

    id: UUID
    code: str
    state: str
    name: Names
    about: Names
    method: str
    places: tuple[str, ...]
    time_zone: str
    registration_start: datetime | None
    registration_end: datetime | None
    acceptance_end: datetime | None
    spending_start: datetime
    spending_end: datetime


class Contract(Struct, frozen=True, kw_only=True):
    """Terms in plain sentences. ``digest`` is that of the compiled version; ``approved`` false for a draft's."""

    version: int
    approved: bool
    digest: str
    zh: str
    en: str


async def campaign_details(ctx: Context, principal: Principal, campaign_id: UUID) -> CampaignAnswer:
    """One campaign of the caller's programme. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        return await answer_for(connection, principal, campaign_id)


async def campaign_file(ctx: Context, principal: Principal, campaign_id: UUID) -> CampaignSource:
    """The file as it was handed in. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        row = await store.campaign_row(connection, principal.programme_id, campaign_id)
    return CampaignSource(source=row.source)


async def list_campaigns(ctx: Context, principal: Principal, query: CampaignQuery) -> Page[CampaignAnswer]:
    """The programme's campaigns in the order they were made."""
    states = () if query.state is None else (query.state,)
    async with ctx.pool.acquire() as connection:
        rows = await store.campaign_page(
            connection, principal.programme_id, states, after_id(query), query.limit + 1
        )
    return page_of([answer_of(row) for row in rows], query, lambda answer: answer.id)


async def open_campaigns(ctx: Context, query: PageQuery) -> Page[OpenCampaign]:
    """What any resident may know: every campaign that is published or paused, of every programme."""
    async with ctx.pool.acquire() as connection:
        rows = await store.open_page(connection, after_id(query), query.limit + 1)
    return page_of([_open(row) for row in rows], query, lambda answer: answer.id)


async def terms_contract(ctx: Context, principal: Principal, campaign_id: UUID) -> Contract:
    """The terms in plain sentences: of the newest version, or of the file where none is approved yet."""
    async with ctx.pool.acquire() as connection:
        row = await store.campaign_row(connection, principal.programme_id, campaign_id)
        newest = await newest_terms_row(connection, campaign_id)
    if newest is None:
        compiled = compiled_terms(definition_of(row), 1)
    else:
        compiled = read_compiled(newest["compiled"].encode())
    return Contract(
        version=compiled.version,
        approved=newest is not None,
        digest=sha256(canonical_json(compiled)).hexdigest(),
        zh=contract_text(compiled, "zh"),
        en=contract_text(compiled, "en"),
    )


async def campaign_id_of(ctx: Context, principal: Principal, code: str) -> UUID:
    """The id of the programme's campaign ``code``. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        found = await store.campaign_by_code(connection, principal.programme_id, code)
    if found is None:
        raise not_found("campaign")
    return found


async def answer_for(connection: Connection, principal: Principal, campaign_id: UUID) -> CampaignAnswer:
    """One campaign in the caller's transaction. Raises Refused ``not_found``."""
    return answer_of(await store.campaign_row(connection, principal.programme_id, campaign_id))


def answer_of(row: store.CampaignRow) -> CampaignAnswer:
    """A campaign's row in brief."""
    definition = definition_of(row)
    plan = issue_plan(definition)
    name = definition.name
    return CampaignAnswer(
        id=row.id, code=row.code, state=row.state, name=Names(zh=name.zh, en=name.en),
        method=method_of(definition), digest=row.digest.hex(),
        author_id=row.author_id, approver_id=row.approver_id, time_zone=row.time_zone,
        budget_fen=definition.budget_fen, planned_fen=plan.planned_fen, vouchers=plan.count,
        registration_start=row.registration_start, registration_end=row.registration_end,
        draw_start=row.draw_start, draw_end=row.draw_end, acceptance_start=row.acceptance_start,
        acceptance_end=row.acceptance_end, spending_start=row.spending_start, spending_end=row.spending_end,
        published_at=row.published_at, entries_closed_at=row.entries_closed_at, closed_at=row.closed_at,
    )  # fmt: skip


def _open(row: store.CampaignRow) -> OpenCampaign:
    definition = definition_of(row)
    return OpenCampaign(
        id=row.id, code=row.code, state=row.state, method=method_of(definition), places=definition.places,
        name=Names(zh=definition.name.zh, en=definition.name.en),
        about=Names(zh=definition.about.zh, en=definition.about.en), time_zone=row.time_zone,
        registration_start=row.registration_start, registration_end=row.registration_end,
        acceptance_end=row.acceptance_end, spending_start=row.spending_start, spending_end=row.spending_end,
    )  # fmt: skip
