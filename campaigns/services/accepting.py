"""Acceptance: an award becomes a voucher, by the winner's word or by the tick they made when entering."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import Refused
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require
from campaigns.domain.states import AWARD, next_state
from campaigns.services.accept_batch import Accept, Accepted
from campaigns.services.context import Context
from campaigns.services.draw_campaign import RUNNING, check_running, hold_campaign, person_of
from campaigns.services.granting import Grant, Granted, grant
from campaigns.services.paging import Page, PageQuery, after_id, page_of
from campaigns.services.suspending import suspending
from campaigns.store import awards as store
from campaigns.store.awards import AwardRow
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform

CHUNK = 1_000
MOST_CHUNKS = 10_000


class AwardAnswer(Struct, frozen=True, kw_only=True):
    """A person's award: ``state`` is live, granted, lapsed or declined; a live one can be accepted before
    ``accept_until``."""

    award_id: UUID
    campaign_id: UUID
    tier: int
    rank: int
    face_fen: int
    state: str
    awarded_at: datetime
    accept_until: datetime
    ended_at: datetime | None
    voucher_id: UUID | None


async def accept_award(ctx: Context, principal: Principal, asked: Request | None, award_id: UUID) -> Accepted:
    """Accept an award of the person the channel acts for: award ends, voucher exists, escrow -> outstanding.

    Raises Refused ``acceptance_not_open``, ``acceptance_over``, ``award_ended``, ``campaign_not_running``,
    ``not_found``.
    """
    require(principal, "vouchers.write")
    plan = Accept(principal.programme_id, person_of(principal), award_id)
    async with suspending(ctx):
        return await ctx.acceptances.perform(asked, Accepted, plan)


async def accept_many(
    ctx: Context, principal: Principal, campaign_id: UUID, person_ids: Sequence[UUID]
) -> int:
    """Accept for all of these persons whose award is live, in one transaction, as their channel; answer how many.

    Run again it finds none left. Raises Refused ``acceptance_not_open``, ``campaign_not_running``, ``not_found``.
    """
    require(principal, "vouchers.write")
    assert len(person_ids) <= CHUNK

    async def act(connection: Connection) -> int:
        campaign = await hold_campaign(connection, principal.programme_id, campaign_id, alone=False)
        check_running(campaign)
        at, start = await campaign_now(connection), campaign.row.acceptance_start
        if start is not None and at < start:
            raise Refused("acceptance_not_open", starts=campaign.text(start))
        awards = await store.live_awards_of(connection, campaign_id, at, person_ids)
        at = await campaign_now(connection)
        awards = [award for award in awards if at < award.accept_until]
        if awards:
            await grant_awards(ctx, connection, at, campaign_id, awards)
        return len(awards)

    async with suspending(ctx):
        return await perform(ctx.pool, None, Work(int, act))


async def grant_awards(
    ctx: Context, connection: Connection, at: datetime, campaign_id: UUID, awards: Sequence[AwardRow]
) -> Granted:
    """Turn live awards of one campaign, their rows locked, into vouchers."""
    assert all(next_state(AWARD, award.state, "accept") == "granted" for award in awards)
    await store.mark_granted(connection, awards, at)
    grants = [Grant(a.person_id, a.allotment_id, a.operator_id, a.face_fen) for a in awards]
    return await grant(connection, ctx.terms, at, campaign_id, grants)


async def grant_ticked(ctx: Context, programme_id: UUID, campaign_id: UUID) -> int:
    """Accept for everyone who ticked "take it for me", in chunks of one transaction each; answer how many.

    A chunk that was cut off leaves its awards live, and the next run or sweep takes them up.
    """
    total = 0
    for _ in range(MOST_CHUNKS):
        granted = await grant_chunk(ctx, programme_id, campaign_id)
        total += granted
        if granted < CHUNK:
            break
    return total


async def grant_chunk(ctx: Context, programme_id: UUID, campaign_id: UUID, limit: int = CHUNK) -> int:
    """Accept for up to ``limit`` of those who ticked; 0 when none is left or the campaign is paused."""

    async def act(connection: Connection) -> int:
        campaign = await hold_campaign(connection, programme_id, campaign_id, alone=False)
        if campaign.row.state != RUNNING:
            return 0
        awards = await store.ticked_awards(connection, campaign_id, limit)
        at = await campaign_now(connection)
        if awards:
            await grant_awards(ctx, connection, at, campaign_id, awards)
        return len(awards)

    async with suspending(ctx):
        return await perform(ctx.pool, None, Work(int, act))


async def list_awards(ctx: Context, principal: Principal, query: PageQuery) -> Page[AwardAnswer]:
    """The awards of the person the channel acts for."""
    require(principal, "vouchers.read")
    person_id = person_of(principal)
    async with ctx.pool.acquire() as connection:
        rows = await store.awards_of(
            connection, principal.programme_id, person_id, after_id(query), query.limit + 1
        )
    return page_of([award_answer(row, voucher) for row, voucher in rows], query, lambda a: a.award_id)


def award_answer(row: AwardRow, voucher_id: UUID | None) -> AwardAnswer:
    """An award as its person sees it."""
    return AwardAnswer(
        award_id=row.id,
        campaign_id=row.campaign_id,
        tier=row.tier,
        rank=row.rank,
        face_fen=row.face_fen,
        state=row.state,
        awarded_at=row.awarded_at,
        accept_until=row.accept_until,
        ended_at=row.ended_at,
        voucher_id=voucher_id,
    )
