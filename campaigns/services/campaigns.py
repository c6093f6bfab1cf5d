"""A campaign on its way from a file to approval: create, revise, submit, withdraw, approve.

Every act holds the campaign alone and is written to the log of acts with its campaign time.
"""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from msgspec import Struct

from campaigns.domain.definition.load import from_plain, load, to_plain
from campaigns.domain.definition.model import Definition
from campaigns.domain.definition.plan import issue_plan
from campaigns.domain.errors import Invalid, Refused
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require_staff
from campaigns.domain.states import CAMPAIGN, next_state
from campaigns.domain.terms.compile import canonical_json, compile_version
from campaigns.domain.terms.model import CompiledTerms
from campaigns.domain.windows import parse_window, zone_of
from campaigns.services.context import Context
from campaigns.services.fields import FileText, Names
from campaigns.services.problems import Said, refuse_all
from campaigns.store import campaigns as store
from campaigns.store.audit_log import write_audit
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.programmes import programme_row
from campaigns.store.unit_of_work import Request, Work, perform


class CampaignSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A campaign file (YAML)."""

    source: FileText


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


async def create_campaign(
    ctx: Context, principal: Principal, asked: Request | None, command: CampaignSource
) -> CampaignAnswer:
    """Make a draft from a file. Raises Invalid ``definition_invalid`` with every problem, ``other_programme``;
    Refused ``code_taken``."""
    require_staff(principal, "campaign.write")
    definition = load_definition(command.source)
    campaign_id = new_id()

    async def act(connection: Connection) -> CampaignAnswer:
        await check_programme(connection, principal, definition)
        at = await campaign_now(connection)
        file = _file_of(command.source, definition)
        await store.insert_campaign(connection, campaign_id, principal.programme_id, principal.id, file, at)
        facts = {"code": definition.code, "digest": file.digest.hex()}
        await write_audit(connection, at, campaign_id, principal, "campaign.create", campaign_id, facts)
        return await _answer(connection, principal, campaign_id)

    return await perform(ctx.pool, asked, Work(CampaignAnswer, act))


async def revise_campaign(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID, command: CampaignSource
) -> CampaignAnswer:
    """Replace a draft's file; who revises becomes its author. Raises as `create_campaign`, and ``wrong_state``."""
    require_staff(principal, "campaign.write")
    definition = load_definition(command.source)

    async def act(connection: Connection) -> CampaignAnswer:
        row = await store.locked_campaign(connection, principal.programme_id, campaign_id)
        next_state(CAMPAIGN, row.state, "revise")
        await check_programme(connection, principal, definition)
        at = await campaign_now(connection)
        file = _file_of(command.source, definition)
        await store.revise_campaign(connection, campaign_id, principal.id, file)
        facts = {"code": definition.code, "digest": file.digest.hex()}
        await write_audit(connection, at, campaign_id, principal, "campaign.revise", campaign_id, facts)
        return await _answer(connection, principal, campaign_id)

    return await perform(ctx.pool, asked, Work(CampaignAnswer, act))


async def submit_campaign(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID
) -> CampaignAnswer:
    """Hand a draft in for approval. Raises Refused ``wrong_state``, Invalid where its terms do not compile."""
    return await move_campaign(ctx, principal, asked, campaign_id, "submit", "campaign.write")


async def withdraw_campaign(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID
) -> CampaignAnswer:
    """Take a submitted campaign back to draft. Raises Refused ``wrong_state``."""
    return await move_campaign(ctx, principal, asked, campaign_id, "withdraw", "campaign.write")


async def move_campaign(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID, verb: str, scope: str
) -> CampaignAnswer:
    """Do a verb of the state table that changes the state and nothing else."""
    require_staff(principal, scope)

    async def act(connection: Connection) -> CampaignAnswer:
        row = await store.locked_campaign(connection, principal.programme_id, campaign_id)
        after = next_state(CAMPAIGN, row.state, verb)
        if verb == "submit":
            compiled_terms(definition_of(row), 1)
        at = await campaign_now(connection)
        await store.set_state(connection, campaign_id, after)
        facts = {"from": row.state, "to": after, "digest": row.digest.hex()}
        await write_audit(connection, at, campaign_id, principal, f"campaign.{verb}", campaign_id, facts)
        return await _answer(connection, principal, campaign_id)

    return await perform(ctx.pool, asked, Work(CampaignAnswer, act))


async def approve_campaign(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID
) -> CampaignAnswer:
    """Approve a submitted campaign: its funders, operators and first terms version come to be.

    Raises Refused ``wrong_state``, ``author_cannot_approve``; the table's own check refuses the author, too.
    """
    require_staff(principal, "campaign.approve")

    async def act(connection: Connection) -> CampaignAnswer:
        row = await store.locked_campaign(connection, principal.programme_id, campaign_id)
        next_state(CAMPAIGN, row.state, "approve")
        if row.author_id == principal.id:
            raise Refused("author_cannot_approve")
        at = await campaign_now(connection)
        await store.set_approved(connection, campaign_id, principal.id)
        digest = await _settle_file(connection, row, at)
        facts = {"digest": row.digest.hex(), "terms_digest": digest.hex()}
        await write_audit(connection, at, campaign_id, principal, "campaign.approve", campaign_id, facts)
        return await _answer(connection, principal, campaign_id)

    return await perform(ctx.pool, asked, Work(CampaignAnswer, act))


async def _settle_file(connection: Connection, row: store.CampaignRow, at: datetime) -> bytes:
    """Make the rows an approved file stands for; answers the digest of its terms."""
    definition = definition_of(row)
    funders = [(new_id(), row.id, f.id, f.name.zh, f.name.en, f.share_bp) for f in definition.funders]
    await store.insert_funders(connection, funders)
    operators = [
        (new_id(), row.programme_id, o.id, o.name.zh, o.name.en) for o in definition.custody_operators
    ]
    await store.ensure_operators(connection, operators)
    compiled = canonical_json(compiled_terms(definition, 1))
    digest = sha256(compiled).digest()
    await store.insert_terms(connection, row.id, 1, compiled.decode(), digest, at)
    return digest


# Reading ---------------------------------------------------------------------------------------------


async def campaign_details(ctx: Context, principal: Principal, campaign_id: UUID) -> CampaignAnswer:
    """One campaign of the caller's programme. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        return await _answer(connection, principal, campaign_id)


async def _answer(connection: Connection, principal: Principal, campaign_id: UUID) -> CampaignAnswer:
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


# The file --------------------------------------------------------------------------------------------


def load_definition(source: str) -> Definition:
    """Read a campaign file. Raises Invalid ``definition_invalid`` that carries every problem."""
    definition, problems = load(source)
    if definition is None:
        raise refuse_all(
            "definition_invalid",
            [Said(p.line, p.column, p.path, p.code, p.say("zh"), p.say("en")) for p in problems],
            column=problems[0].column,
        )
    return definition


def definition_of(row: store.CampaignRow) -> Definition:
    """The definition a campaign's row holds."""
    return from_plain(row.definition)


def method_of(definition: Definition) -> str:
    """How the campaign hands out value: draw, list or rush."""
    return str(definition.issuing.__struct_config__.tag)


def compiled_terms(definition: Definition, version: int) -> CompiledTerms:
    """Compile a definition's terms. Raises Invalid, e.g. for a year without public holidays."""
    spending = definition.windows.spending
    window = parse_window(spending.start, spending.end, zone_of(definition.time_zone))
    return compile_version(
        definition.code, version, definition.terms, definition.merchants, window, definition.time_zone
    )


async def check_programme(connection: Connection, principal: Principal, definition: Definition) -> None:
    """Raise Invalid ``other_programme`` unless the file names the caller's programme."""
    programme = (await programme_row(connection, principal.programme_id))["code"]
    if definition.programme != programme:
        raise Invalid("other_programme", given=definition.programme, programme=programme)


def _file_of(source: str, definition: Definition) -> store.CampaignFile:
    zone = zone_of(definition.time_zone)
    stages = definition.windows
    windows: list[datetime | None] = []
    for stage in (stages.registration, stages.draw, stages.acceptance, stages.spending):
        windows += (None, None) if stage is None else parse_window(stage.start, stage.end, zone)
    return store.CampaignFile(
        code=definition.code,
        source=source,
        definition=to_plain(definition),
        digest=sha256(source.encode()).digest(),
        time_zone=definition.time_zone,
        windows=tuple(windows),
        refund_days=definition.refund_days,
    )
