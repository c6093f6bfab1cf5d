"""Changing the terms of a running campaign: proposed by one, approved by another, and only ever wider.

Vouchers keep the version of their grant; those granted after the approval have the new one.
"""

from hashlib import sha256
from uuid import UUID

from msgspec import Struct, structs

from campaigns.domain.definition.model import Definition
from campaigns.domain.errors import Fact, Invalid, Refused, not_found
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require_staff
from campaigns.domain.states import CAMPAIGN, wrong_state
from campaigns.domain.terms.compile import canonical_json, read_compiled
from campaigns.domain.terms.contract import contract_text
from campaigns.domain.terms.model import CompiledTerms
from campaigns.domain.terms.widen import narrowed
from campaigns.services.campaign_source import (
    CampaignSource,
    check_programme,
    compiled_terms,
    definition_of,
    load_definition,
)
from campaigns.services.context import Context
from campaigns.store import campaign_terms as terms_store
from campaigns.store import campaigns as store
from campaigns.store.audit_log import write_audit
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform

CHANGEABLE = ("approved", "published", "paused")


class TermsChange(Struct, frozen=True, kw_only=True):
    """A proposed change; ``version`` is null until it is approved."""

    id: UUID
    campaign_id: UUID
    author_id: UUID
    approver_id: UUID | None
    version: int | None
    digest: str


class ProposedTerms(Struct, frozen=True, kw_only=True):
    """A proposal as whoever approves it reads it: the file handed in, and the terms it makes in plain sentences."""

    change: TermsChange
    source: str
    zh: str
    en: str


async def proposed_terms(
    ctx: Context, principal: Principal, campaign_id: UUID, change_id: UUID
) -> ProposedTerms:
    """Read a proposal, approved or not. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        await store.campaign_row(connection, principal.programme_id, campaign_id)
        change = await terms_store.terms_change_row(connection, campaign_id, change_id)
        if change is None:
            raise not_found("terms_change")
        newest = await terms_store.newest_terms_row(connection, campaign_id)
    assert newest is not None, "a campaign whose terms may change has some"
    version = change["version"]
    compiled = compiled_terms(load_definition(change["source"]), version or newest["version"] + 1)
    return ProposedTerms(
        change=TermsChange(
            id=change_id, campaign_id=campaign_id, author_id=change["author_id"],
            approver_id=change["approver_id"], version=version,
            digest=sha256(canonical_json(compiled)).hexdigest(),
        ),
        source=change["source"], zh=contract_text(compiled, "zh"), en=contract_text(compiled, "en"),
    )  # fmt: skip


async def propose_terms(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID, command: CampaignSource
) -> TermsChange:
    """Propose a file that differs in terms, merchants and the spending window alone, and narrows none of them.

    Raises Invalid ``definition_invalid``, ``other_programme``, ``terms_change_other``, ``terms_unchanged``;
    Refused ``wrong_state``, ``terms_narrowed``.
    """
    require_staff(principal, "campaign.write")
    definition = load_definition(command.source)
    change_id = new_id()

    async def act(connection: Connection) -> TermsChange:
        row = await store.locked_campaign(connection, principal.programme_id, campaign_id)
        await check_programme(connection, principal, definition)
        compiled = await _checked(connection, row, definition)
        at = await campaign_now(connection)
        await terms_store.insert_terms_change(
            connection, change_id, campaign_id, command.source, principal.id, at
        )
        digest = sha256(canonical_json(compiled)).hexdigest()
        facts: dict[str, Fact] = {"digest": digest, "version": compiled.version}
        await write_audit(connection, at, campaign_id, principal, "terms.propose", change_id, facts)
        return TermsChange(
            id=change_id, campaign_id=campaign_id, author_id=principal.id, approver_id=None, version=None,
            digest=digest,
        )  # fmt: skip

    return await perform(ctx.pool, asked, Work(TermsChange, act))


async def approve_terms(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID, change_id: UUID
) -> TermsChange:
    """Approve a change: it becomes the newest version. Raises as `propose_terms` (the newest version may have moved
    on), Refused ``author_cannot_approve``, ``not_found``; the table's own check refuses the author, too."""
    require_staff(principal, "campaign.approve")

    async def act(connection: Connection) -> TermsChange:
        row = await store.locked_campaign(connection, principal.programme_id, campaign_id)
        change = await terms_store.terms_change_row(connection, campaign_id, change_id)
        if change is None:
            raise not_found("terms_change")
        if change["approver_id"] is not None:
            raise Refused("wrong_state", state="approved", verb="approve", possible="-")
        if principal.id == change["author_id"]:
            raise Refused("author_cannot_approve")
        compiled = await _checked(connection, row, load_definition(change["source"]))
        at = await campaign_now(connection)
        content = canonical_json(compiled)
        digest = sha256(content).digest()
        await terms_store.approve_terms_change(connection, change_id, principal.id, compiled.version, at)
        await terms_store.insert_terms(
            connection, campaign_id, compiled.version, content.decode(), digest, at
        )
        await store.set_spending(connection, campaign_id, compiled.spending_start, compiled.spending_end)
        facts: dict[str, Fact] = {"digest": digest.hex(), "version": compiled.version}
        await write_audit(connection, at, campaign_id, principal, "terms.approve", change_id, facts)
        return TermsChange(
            id=change_id, campaign_id=campaign_id, author_id=change["author_id"], approver_id=principal.id,
            version=compiled.version, digest=digest.hex(),
        )  # fmt: skip

    return await perform(ctx.pool, asked, Work(TermsChange, act))


async def _checked(connection: Connection, row: store.CampaignRow, changed: Definition) -> CompiledTerms:
    """The next version of the terms, known to be wider and all that changed."""
    if row.state not in CHANGEABLE:
        raise wrong_state(CAMPAIGN, row.state, "change_terms")
    others = _others(definition_of(row), changed)
    if others:
        raise Invalid("terms_change_other", members=", ".join(others))
    newest = await terms_store.newest_terms_row(connection, row.id)
    assert newest is not None
    old = read_compiled(newest["compiled"].encode())
    new = compiled_terms(changed, newest["version"] + 1)
    narrower = narrowed(old, new)
    if narrower:
        raise Refused("terms_narrowed", members=", ".join(narrower))
    if structs.replace(new, version=old.version) == old:
        raise Invalid("terms_unchanged")
    return new


def _others(was: Definition, now: Definition) -> list[str]:
    """Members that differ though a change of terms leaves them."""
    windows = structs.replace(now.windows, spending=was.windows.spending)
    held = structs.replace(now, terms=was.terms, merchants=was.merchants, windows=windows)
    return [name for name in held.__struct_fields__ if getattr(held, name) != getattr(was, name)]
