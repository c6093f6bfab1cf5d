"""Closing a campaign: nothing of it lives any more, so what is left in escrow goes back to the funders."""

from collections import Counter
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import Broken, Fact, Refused
from campaigns.domain.ledger import Lines
from campaigns.domain.principal import Principal
from campaigns.domain.returns import returns_at_close
from campaigns.domain.roles import require_staff
from campaigns.domain.states import CAMPAIGN, next_state
from campaigns.domain.windows import local_end_text, zone_of
from campaigns.services.campaign_source import definition_of
from campaigns.services.context import Context
from campaigns.services.suspending import suspending
from campaigns.store import campaigns as store
from campaigns.store import issuing
from campaigns.store.audit_log import write_audit
from campaigns.store.ledger import balances, write_transfers
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.programmes import operators_by_code
from campaigns.store.unit_of_work import Request, Work, perform


class ReturnLine(Struct, frozen=True, kw_only=True):
    """What one funder got back from one operator."""

    funder: str
    operator: str
    returned_fen: int


class Closed(Struct, frozen=True, kw_only=True):
    """A closed campaign: where its escrow went."""

    campaign_id: UUID
    returned_fen: int
    lines: tuple[ReturnLine, ...]


async def close_campaign(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID
) -> Closed:
    """Close a campaign whose spending is over and of which no award, voucher or hold lives, or that never opened.

    Entries are closed with it. Raises Refused ``wrong_state``, ``close_too_early``, ``close_value_alive``,
    ``close_draw_unfinished``; Broken, and is suspended, when the books hold value that no voucher has.
    """
    require_staff(principal, "campaign.publish")

    async def act(connection: Connection) -> Closed:
        row = await store.locked_campaign(connection, principal.programme_id, campaign_id)
        next_state(CAMPAIGN, row.state, "close")
        at = await campaign_now(connection)
        if row.published_at is not None and at < row.spending_end:
            raise Refused("close_too_early", ends=local_end_text(row.spending_end, zone_of(row.time_zone)))
        await _check_still(connection, campaign_id)
        lines = Lines(campaign_id)
        answer = await _return_escrow(connection, row, lines)
        await write_transfers(connection, lines.transfers, at)
        await store.set_closed(connection, campaign_id, at)
        facts: dict[str, Fact] = {"returned_fen": answer.returned_fen, "lines": len(answer.lines)}
        await write_audit(connection, at, campaign_id, principal, "campaign.close", campaign_id, facts)
        return answer

    async with suspending(ctx):
        return await perform(ctx.pool, asked, Work(Closed, act))


async def _check_still(connection: Connection, campaign_id: UUID) -> None:
    alive = await issuing.alive(connection, campaign_id)
    if alive["awards"] or alive["vouchers"] or alive["holds"]:
        raise Refused(
            "close_value_alive", awards=alive["awards"], vouchers=alive["vouchers"], holds=alive["holds"]
        )
    if alive["draws"]:
        raise Refused("close_draw_unfinished", draws=alive["draws"])


async def _still_escrow(connection: Connection, campaign_id: UUID) -> dict[UUID, int]:
    """What lies in escrow by operator. Raises Broken where value lies on a voucher or hold that does not live."""
    books = await balances(connection, campaign_id)
    escrow = {a.holder_id: fen for a, fen in sorted(books.items()) if a.kind == "escrow"}
    astray = any(fen for account, fen in books.items() if account.kind in ("outstanding", "held"))
    if astray or min(escrow.values(), default=0) < 0:
        raise Broken("invariant", invariant=5, campaign_id=str(campaign_id))
    return escrow


async def _return_escrow(connection: Connection, row: store.CampaignRow, lines: Lines) -> Closed:
    operators = {
        operator_id: code
        for code, operator_id in (await operators_by_code(connection, row.programme_id)).items()
    }
    funder_ids = await store.funders_by_code(connection, row.id)
    came: Counter[str] = Counter()
    for pair in await store.funded(connection, row.id):
        came[pair["funder"]] += pair["fen"]
    funders = definition_of(row).funders
    escrow = await _still_escrow(connection, row.id)
    matrix = returns_at_close(
        [came[funder.id] for funder in funders],
        [funder.share_bp for funder in funders],
        list(escrow.values()),
    )
    returned: list[ReturnLine] = []
    for operator_id, parts in zip(escrow, matrix, strict=True):
        for funder, part_fen in zip(funders, parts, strict=True):
            if part_fen:
                lines.close(row.id, operator_id, funder_ids[funder.id], part_fen)
                code = operators[operator_id]
                returned.append(ReturnLine(funder=funder.id, operator=code, returned_fen=part_fen))
    total = sum(line.returned_fen for line in returned)
    return Closed(campaign_id=row.id, returned_fen=total, lines=tuple(returned))
