"""A campaign on its way from a file to approval: create, revise, submit, withdraw, approve.

Every act holds the campaign alone and is written to the log of acts with its campaign time.
"""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from campaigns.domain.errors import Refused
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require_staff
from campaigns.domain.states import CAMPAIGN, next_state
from campaigns.domain.terms.compile import canonical_json
from campaigns.services.campaign_source import (
    CampaignSource,
    check_programme,
    compiled_terms,
    definition_of,
    file_of,
    load_definition,
)
from campaigns.services.campaign_views import CampaignAnswer, answer_for
from campaigns.services.context import Context
from campaigns.services.publishable import check_beacon, check_time
from campaigns.store import campaigns as store
from campaigns.store.audit_log import write_audit
from campaigns.store.campaign_terms import insert_terms
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform


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
        file = file_of(command.source, definition)
        await store.insert_campaign(connection, campaign_id, principal.programme_id, principal.id, file, at)
        facts = {"code": definition.code, "digest": file.digest.hex()}
        await write_audit(connection, at, campaign_id, principal, "campaign.create", campaign_id, facts)
        return await answer_for(connection, principal, campaign_id)

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
        file = file_of(command.source, definition)
        await store.revise_campaign(connection, campaign_id, principal.id, file)
        facts = {"code": definition.code, "digest": file.digest.hex()}
        await write_audit(connection, at, campaign_id, principal, "campaign.revise", campaign_id, facts)
        return await answer_for(connection, principal, campaign_id)

    return await perform(ctx.pool, asked, Work(CampaignAnswer, act))


async def submit_campaign(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID
) -> CampaignAnswer:
    """Hand a draft in for approval. Raises Refused ``wrong_state``, ``rehearsal_not_allowed``,
    ``too_late_to_publish``, Invalid where its terms do not compile."""
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
        at = await campaign_now(connection)
        if verb == "submit":
            definition = definition_of(row)
            compiled_terms(definition, 1)
            check_beacon(definition, ctx.mode)
            check_time(row, at)
        await store.set_state(connection, campaign_id, after)
        facts = {"from": row.state, "to": after, "digest": row.digest.hex()}
        await write_audit(connection, at, campaign_id, principal, f"campaign.{verb}", campaign_id, facts)
        return await answer_for(connection, principal, campaign_id)

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
        return await answer_for(connection, principal, campaign_id)

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
    await insert_terms(connection, row.id, 1, compiled.decode(), digest, at)
    return digest
