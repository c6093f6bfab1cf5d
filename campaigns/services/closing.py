"""Closing a campaign: nothing of it lives any more, so what is left in escrow goes back to the funders."""

from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import Fact, Refused
from campaigns.domain.ledger import Lines
from campaigns.domain.principal import Principal
from campaigns.domain.returns import split_return
from campaigns.domain.roles import require_staff
from campaigns.domain.states import CAMPAIGN, next_state
from campaigns.domain.windows import local_end_text, zone_of
from campaigns.services.context import Context
from campaigns.store import campaigns as store
from campaigns.store import issuing
from campaigns.store.audit_log import write_audit
from campaigns.store.ledger import write_transfers
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
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


class ReturnPart(NamedTuple):
    """A part of money going back: to which funder."""

    funder_id: UUID
    amount_fen: int


async def close_campaign(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID
) -> Closed:
    """Close a campaign whose spending is over and of which no award, voucher or hold lives.

    Entries are closed with it. Raises Refused ``wrong_state``, ``close_too_early``, ``close_value_alive``,
    ``close_draw_unfinished``.
    """
    require_staff(principal, "campaign.publish")

    async def act(connection: Connection) -> Closed:
        row = await store.locked_campaign(connection, principal.programme_id, campaign_id)
        next_state(CAMPAIGN, row.state, "close")
        at = await campaign_now(connection)
        if at < row.spending_end:
            raise Refused("close_too_early", ends=local_end_text(row.spending_end, zone_of(row.time_zone)))
        await _check_still(connection, campaign_id)
        lines = Lines(campaign_id)
        answer = await _return_escrow(connection, campaign_id, lines)
        await write_transfers(connection, lines.transfers, at)
        await store.set_closed(connection, campaign_id, at)
        facts: dict[str, Fact] = {"returned_fen": answer.returned_fen, "lines": len(answer.lines)}
        await write_audit(connection, at, campaign_id, principal, "campaign.close", campaign_id, facts)
        return answer

    return await perform(ctx.pool, asked, Work(Closed, act))


async def _check_still(connection: Connection, campaign_id: UUID) -> None:
    alive = await issuing.alive(connection, campaign_id)
    if alive["awards"] or alive["vouchers"] or alive["holds"]:
        raise Refused(
            "close_value_alive", awards=alive["awards"], vouchers=alive["vouchers"], holds=alive["holds"]
        )
    if alive["draws"]:
        raise Refused("close_draw_unfinished", draws=alive["draws"])


async def _return_escrow(connection: Connection, campaign_id: UUID, lines: Lines) -> Closed:
    pairs = await store.funded(connection, campaign_id)
    returned: list[ReturnLine] = []
    for operator_id, left_fen in (await issuing.escrow(connection, campaign_id)).items():
        for part in await return_parts(connection, campaign_id, operator_id, left_fen):
            pair = next(
                p for p in pairs if (p["funder_id"], p["operator_id"]) == (part.funder_id, operator_id)
            )
            lines.close(campaign_id, operator_id, part.funder_id, part.amount_fen)
            returned.append(
                ReturnLine(funder=pair["funder"], operator=pair["operator"], returned_fen=part.amount_fen)
            )
    total = sum(line.returned_fen for line in returned)
    return Closed(campaign_id=campaign_id, returned_fen=total, lines=tuple(returned))


async def return_parts(
    connection: Connection, campaign_id: UUID, operator_id: UUID, amount_fen: int
) -> list[ReturnPart]:
    """To whom ``amount_fen`` at an operator goes back: the close's escrow, and each refund taken after the close.

    Parts of zero are left out. The caller holds the campaign alone, so that two refunds do not count the same money.
    """
    pairs = [p for p in await store.funded(connection, campaign_id) if p["operator_id"] == operator_id]
    back = await issuing.returned(connection, campaign_id)
    standing = [pair["fen"] - back.get((pair["funder_id"], operator_id), 0) for pair in pairs]
    parts = split_return(amount_fen, standing)
    return [ReturnPart(pair["funder_id"], part) for pair, part in zip(pairs, parts, strict=True) if part]
