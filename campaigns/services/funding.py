"""Money paid in: funder -> escrow at a custody operator, never more than the plan of the approved file."""

from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from campaigns.domain.definition.plan import funding_plan
from campaigns.domain.errors import Fact, Refused
from campaigns.domain.ids import new_id
from campaigns.domain.ledger import Lines
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require_staff
from campaigns.domain.states import CAMPAIGN, wrong_state
from campaigns.services.campaign_source import definition_of
from campaigns.services.context import Context
from campaigns.services.fields import BudgetFen, Code
from campaigns.store import campaigns as store
from campaigns.store.audit_log import write_audit
from campaigns.store.ledger import write_transfers
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.programmes import operators_by_code
from campaigns.store.unit_of_work import Request, Work, perform


class Fund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``amount_fen`` of ``funder`` has come to custody at ``operator`` (codes of the campaign file)."""

    funder: Code
    operator: Code
    amount_fen: BudgetFen


class FundingLine(Struct, frozen=True, kw_only=True):
    """One pair of funder and operator: what is planned and what has come."""

    funder: str
    operator: str
    planned_fen: int
    funded_fen: int


class FundingAnswer(Struct, frozen=True, kw_only=True):
    """A campaign's funding, every pair of the plan."""

    campaign_id: UUID
    planned_fen: int
    funded_fen: int
    lines: tuple[FundingLine, ...]


class Pair(NamedTuple):
    funder: str
    operator: str


async def fund_campaign(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID, command: Fund
) -> FundingAnswer:
    """Book money that has come in. Raises Refused ``wrong_state`` (only an approved campaign takes money),
    ``funding_not_planned``, ``funding_over_plan``."""
    return await _fund(ctx, principal, asked, campaign_id, command)


async def fund_whole_plan(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID
) -> FundingAnswer:
    """Book all that the plan still lacks, pair by pair, as one act. Raises Refused ``wrong_state``."""
    return await _fund(ctx, principal, asked, campaign_id, None)


async def _fund(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID, command: Fund | None
) -> FundingAnswer:
    require_staff(principal, "funds.write")

    async def act(connection: Connection) -> FundingAnswer:
        row = await store.locked_campaign(connection, principal.programme_id, campaign_id)
        if row.state != "approved":
            raise wrong_state(CAMPAIGN, row.state, "fund")
        standing = await funding_of(connection, row)
        if command is None:
            due = [(Pair(x.funder, x.operator), x.planned_fen - x.funded_fen) for x in standing.lines]
        else:
            due = [(Pair(command.funder, command.operator), command.amount_fen)]
            _check(command, standing)
        for pair, amount_fen in due:
            if amount_fen:
                await _book(connection, principal, row, pair, amount_fen)
        return await funding_of(connection, row)

    return await perform(ctx.pool, asked, Work(FundingAnswer, act))


def _check(command: Fund, standing: FundingAnswer) -> None:
    for line in standing.lines:
        if (line.funder, line.operator) == (command.funder, command.operator):
            if line.funded_fen + command.amount_fen > line.planned_fen:
                raise Refused(
                    "funding_over_plan",
                    planned_fen=line.planned_fen,
                    funded_fen=line.funded_fen,
                    given_fen=command.amount_fen,
                )
            return
    raise Refused("funding_not_planned", funder=command.funder, operator=command.operator)


async def _book(
    connection: Connection, principal: Principal, row: store.CampaignRow, pair: Pair, amount_fen: int
) -> None:
    at = await campaign_now(connection)
    funder_id = (await store.funders_by_code(connection, row.id))[pair.funder]
    operator_id = (await operators_by_code(connection, row.programme_id))[pair.operator]
    funding_id = new_id()
    await store.insert_funding(connection, funding_id, row.id, funder_id, operator_id, amount_fen, at)
    lines = Lines(funding_id)
    lines.fund(row.id, funder_id, operator_id, amount_fen)
    await write_transfers(connection, lines.transfers, at)
    facts: dict[str, Fact] = {"funder": pair.funder, "operator": pair.operator, "amount_fen": amount_fen}
    await write_audit(connection, at, row.id, principal, "campaign.fund", funding_id, facts)


async def campaign_funding(ctx: Context, principal: Principal, campaign_id: UUID) -> FundingAnswer:
    """What is planned and what has come. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        row = await store.campaign_row(connection, principal.programme_id, campaign_id)
        return await funding_of(connection, row)


async def funding_of(connection: Connection, row: store.CampaignRow) -> FundingAnswer:
    """The funding of a campaign's row, read in the caller's transaction."""
    come = {Pair(r["funder"], r["operator"]): r["fen"] for r in await store.funded(connection, row.id)}
    lines = tuple(
        FundingLine(funder=f, operator=o, planned_fen=fen, funded_fen=come.pop(Pair(f, o), 0))
        for f, o, fen in funding_plan(definition_of(row))
    )
    assert not come, "money of a pair that no plan names"
    return FundingAnswer(
        campaign_id=row.id,
        planned_fen=sum(line.planned_fen for line in lines),
        funded_fen=sum(line.funded_fen for line in lines),
        lines=lines,
    )
