"""Places given up: declined by the winner or lapsed, and taken by who waits, until the acceptance window ends.

A substitute is the first waiting of the same group who is still eligible, gets the same allotment, and may accept
until the end of the window. After that nobody follows: the allotment stays free and its money returns.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from campaigns.domain.definition.plan import issue_plan
from campaigns.domain.draw_plan import first_waiting
from campaigns.domain.errors import Fact, not_found
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal, system
from campaigns.domain.roles import require
from campaigns.domain.states import AWARD, next_state
from campaigns.services.accept_batch import check_live
from campaigns.services.accepting import AwardAnswer, award_answer, grant_awards, grant_ticked
from campaigns.services.context import Context
from campaigns.services.draw_campaign import RUNNING, DrawCampaign, check_running, hold_campaign, person_of
from campaigns.services.entering import standing_problem
from campaigns.services.suspending import suspending
from campaigns.store import awards as store
from campaigns.store import draws, issuing
from campaigns.store.audit_log import write_audit
from campaigns.store.awards import AwardRow, NewAward, Skip, WaitingRow
from campaigns.store.entries import entry_codes, standings
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform

BATCH = 500
MOST_CAMPAIGNS = 50
LAPSED_REASON = "not_accepted"
DECLINED_REASON = "withdrawn"
NOT_ELIGIBLE = "not_eligible"


async def decline_award(
    ctx: Context, principal: Principal, asked: Request | None, award_id: UUID
) -> AwardAnswer:
    """Give an award up for good; who waits gets it. Raises Refused ``award_ended``, ``not_found``."""
    require(principal, "vouchers.write")
    person_id = person_of(principal)

    async def act(connection: Connection) -> AwardAnswer:
        campaign_id = await store.award_campaign(connection, award_id, person_id)
        if campaign_id is None:
            raise not_found("award")
        campaign = await hold_campaign(connection, principal.programme_id, campaign_id, alone=True)
        award = await store.lock_award(connection, award_id, person_id)
        assert award is not None
        at = await campaign_now(connection)
        check_running(campaign)
        check_live(award)
        await _give_up(ctx, connection, campaign, at, [award], "decline", DECLINED_REASON)
        return award_answer(award._replace(state=next_state(AWARD, "live", "decline"), ended_at=at), None)

    async with suspending(ctx):
        return await perform(ctx.pool, asked, Work(AwardAnswer, act))


async def sweep_awards(ctx: Context) -> int:
    """Accept what ticks left over, then lapse what is due, in every running campaign; answer how many awards moved."""
    async with ctx.pool.acquire() as connection:
        found = await store.campaigns_to_sweep(connection, MOST_CAMPAIGNS)
    moved = 0
    for campaign_id, programme_id in found:
        moved += await grant_ticked(ctx, programme_id, campaign_id)
        moved += await lapse_awards(ctx, programme_id, campaign_id)
    return moved


async def lapse_awards(ctx: Context, programme_id: UUID, campaign_id: UUID, limit: int = BATCH) -> int:
    """End up to ``limit`` awards of a campaign that are past their deadline and give their places on.

    Answers how many lapsed; a full batch means there may be more for the next sweep.
    """

    async def act(connection: Connection) -> int:
        campaign = await hold_campaign(connection, programme_id, campaign_id, alone=True)
        if campaign.row.state != RUNNING:
            return 0
        at = await campaign_now(connection)
        awards = await store.due_awards(connection, campaign_id, at, limit)
        if awards:
            given = await _give_up(ctx, connection, campaign, at, awards, "lapse", LAPSED_REASON)
            facts: dict[str, Fact] = {"lapsed": len(awards), "substitutes": given}
            await write_audit(connection, at, campaign_id, system(programme_id), "awards.lapse", None, facts)
        return len(awards)

    async with suspending(ctx):
        return await perform(ctx.pool, None, Work(int, act))


async def _give_up(
    ctx: Context,
    connection: Connection,
    campaign: DrawCampaign,
    at: datetime,
    awards: Sequence[AwardRow],
    verb: str,
    reason: str,
) -> int:
    """End ``awards`` and award their allotments to who waits; answers how many substitutes there were."""
    await store.end_awards(connection, awards, next_state(AWARD, "live", verb), at)
    end = campaign.row.acceptance_end
    draw = await draws.draw_of_campaign(connection, campaign.row.id)
    assert draw is not None and end is not None
    if at >= end:
        return 0
    found = _substitutes(campaign, awards, await _eligible(connection, campaign, draw.id))
    codes = await entry_codes(connection, [award.entry_id for award in awards])
    taken, passed = found
    new = [
        NewAward(new_id(), w.person_id, w.entry_id, award.allotment_id, award.tier, w.rank)
        for award, w in taken
    ]
    persons = [award.person_id for award in new]
    first = await issuing.insert_turns(connection, campaign.row.id, draw.window_id, persons, [1] * len(new))
    assert first, "who waits had no turn yet"
    await store.insert_awards(connection, campaign.row.id, draw.window_id, at, end, new)
    skips = [Skip(award.rank, codes[award.entry_id], reason) for award, _ in taken]
    skips += [Skip(w.rank, w.code, NOT_ELIGIBLE) for w in passed]
    await store.insert_skips(connection, draw.id, at, skips)
    marks: list[tuple[int, datetime | None, str | None]] = [(w.rank, at, None) for _, w in taken]
    marks += [(w.rank, None, NOT_ELIGIBLE) for w in passed]
    await store.mark_waiting(connection, draw.id, marks)
    await _accept_ticked(ctx, connection, campaign.row.id, at, taken)
    return len(taken)


async def _accept_ticked(
    ctx: Context,
    connection: Connection,
    campaign_id: UUID,
    at: datetime,
    taken: Sequence[tuple[AwardRow, WaitingRow]],
) -> None:
    ticked = sum(w.accept_if_won for _, w in taken)
    if ticked:
        rows = await store.ticked_awards(connection, campaign_id, ticked)
        await grant_awards(ctx, connection, at, campaign_id, rows)


async def _eligible(
    connection: Connection, campaign: DrawCampaign, draw_id: UUID
) -> list[tuple[WaitingRow, bool]]:
    """Those still waiting, best first, and whether each may still be awarded."""
    waiting = await store.waiting(connection, draw_id)
    operators = campaign.definition.registration.wallet_operators
    persons = [row.person_id for row in waiting]
    found = await standings(connection, campaign.row.programme_id, persons, operators)
    return [(row, standing_problem(campaign, found.get(row.person_id)) is None) for row in waiting]


def _substitutes(
    campaign: DrawCampaign, awards: Sequence[AwardRow], waiting: Sequence[tuple[WaitingRow, bool]]
) -> tuple[list[tuple[AwardRow, WaitingRow]], list[WaitingRow]]:
    """Who takes which freed place (places in rank order), and who was passed over."""
    strata = {tier.number: tier.stratum for tier in issue_plan(campaign.definition).tiers}
    left = {row.rank: (row, eligible) for row, eligible in waiting}
    taken: list[tuple[AwardRow, WaitingRow]] = []
    passed: list[WaitingRow] = []
    for award in sorted(awards, key=lambda award: award.rank):
        while (
            rank := first_waiting(((r, w.stratum) for r, (w, _) in left.items()), strata[award.tier])
        ) is not None:
            row, eligible = left.pop(rank)
            if eligible:
                taken.append((award, row))
                break
            passed.append(row)
    return taken, passed
