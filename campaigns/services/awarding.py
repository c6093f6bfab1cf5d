"""Publication of a draw: winners get awards in one transaction, and "take it for me" is accepted at once.

Who is no longer eligible is passed over before the award, and the first waiting one of the same group takes the
place. The acceptances follow in chunks, each whole by itself, so that a killed run goes on where it stopped.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from campaigns.domain.definition.plan import issue_plan
from campaigns.domain.draw_plan import first_deadline, first_waiting
from campaigns.domain.errors import Refused, TryAgain
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require_staff
from campaigns.domain.states import DRAW, next_state
from campaigns.services.accepting import grant_ticked
from campaigns.services.context import Context
from campaigns.services.draw_answer import DrawAnswer, draw_answer
from campaigns.services.draw_campaign import DrawCampaign, check_running, hold_draw
from campaigns.services.entering import standing_problem
from campaigns.services.exporting import publish_folder
from campaigns.store import awards as store
from campaigns.store import draws, issuing
from campaigns.store.audit_log import write_audit
from campaigns.store.awards import NewAward, NewWaiting, Skip
from campaigns.store.draws import DrawRow
from campaigns.store.entries import EntryRow, entries_by_code, standings
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.programmes import operators_by_code
from campaigns.store.unit_of_work import Request, Work, perform
from lottery.core.amounts import winner_amounts_fen
from lottery.core.draw import Waiting, draw
from lottery.core.entries import parse_entries
from lottery.core.files import format_winners, split_lines
from lottery.core.rules import parse_rules

NOT_ELIGIBLE = "not_eligible"


class Place(NamedTuple):
    """A place won: ``tier`` is its group's number, ``amount_fen`` what it is worth."""

    rank: int
    code: str
    tier: int
    amount_fen: int


class Outcome(NamedTuple):
    """What the published files say: places in rank order, then who waits."""

    places: tuple[Place, ...]
    waiting: tuple[Waiting, ...]


class Settled(NamedTuple):
    """After the check of eligibility: who takes which place, who was passed over, how the waitlist stands."""

    takers: list[tuple[Place, EntryRow, int]]  # with the taker's own rank
    skips: list[Skip]
    marks: dict[int, str | None]  # rank on the waitlist -> reason, None where it took a place


async def award_draw(ctx: Context, principal: Principal, asked: Request | None, draw_id: UUID) -> DrawAnswer:
    """Award a drawn draw, then accept for those who asked for it. Asked again, it goes on with the acceptances.

    Raises Refused ``wrong_state``, ``acceptance_over``, ``campaign_not_running``, ``not_found``.
    """
    require_staff(principal, "draw.write")

    async def act(connection: Connection) -> DrawAnswer:
        campaign, found = await hold_draw(connection, principal, draw_id)
        await draws.allow_long_work(connection)
        at = await campaign_now(connection)
        check_running(campaign)
        state = next_state(DRAW, found.state, "award")
        if campaign.row.acceptance_end is not None and at >= campaign.row.acceptance_end:
            raise Refused("acceptance_over", ends=campaign.text(campaign.row.acceptance_end))
        outcome = await asyncio.to_thread(_outcome, await draws.draw_files(connection, draw_id), found)
        entries = await _entries(connection, campaign.row.id, outcome)
        settled = _settle(campaign, outcome, entries, await _ineligible(connection, campaign, entries))
        await _write(connection, campaign, found, at, outcome, entries, settled)
        await draws.set_state(connection, draw_id, state)
        facts = {
            "awards": len(settled.takers),
            "waiting": len(outcome.waiting),
            "skipped": len(settled.skips),
        }
        await write_audit(connection, at, campaign.row.id, principal, "draw.award", draw_id, facts)
        return await draw_answer(connection, draw_id)

    answer = await perform(ctx.pool, asked, Work(DrawAnswer, act))
    with suppress(TryAgain):  # the awards stand, and the sweep takes up what is left
        await grant_ticked(ctx, principal.programme_id, answer.campaign_id)
    await publish_folder(ctx, draw_id)
    return answer


def _outcome(files: Mapping[str, bytes], found: DrawRow) -> Outcome:
    """Winners from the published files: run again, as group names alone do not tell the places. Pure and slow."""
    assert found.seed is not None
    seed, rules = found.seed.hex(), parse_rules(files["rules.json"])
    result = draw(parse_entries(split_lines(files["entries.csv"])), rules, seed)
    assert format_winners(result.winners) == files["winners.csv"], "a draw gives the same winners every time"
    amounts = winner_amounts_fen(result, rules, seed)
    places = tuple(
        Place(winner.rank, winner.entry_id, group + 1, amount)
        for winner, group, amount in zip(result.winners, result.group_indexes, amounts, strict=True)
    )
    return Outcome(places, result.waitlist)


async def _entries(connection: Connection, campaign_id: UUID, outcome: Outcome) -> dict[str, EntryRow]:
    codes = [place.code for place in outcome.places] + [waiting.entry_id for waiting in outcome.waiting]
    return await entries_by_code(connection, campaign_id, codes)


async def _ineligible(
    connection: Connection, campaign: DrawCampaign, entries: Mapping[str, EntryRow]
) -> frozenset[str]:
    """Codes of those who lost since the freeze what entering asked for."""
    operators = campaign.definition.registration.wallet_operators
    persons = [entry.person_id for entry in entries.values()]
    found = await standings(connection, campaign.row.programme_id, persons, operators)
    return frozenset(
        code
        for code, entry in entries.items()
        if standing_problem(campaign, found.get(entry.person_id)) is not None
    )


def _settle(
    campaign: DrawCampaign, outcome: Outcome, entries: Mapping[str, EntryRow], ineligible: frozenset[str]
) -> Settled:
    """Give every place to its winner or, where that one is out, to the first waiting of its group."""
    strata = {tier.number: tier.stratum for tier in issue_plan(campaign.definition).tiers}
    settled = Settled([], [], {})
    left = {waiting.rank: waiting for waiting in outcome.waiting}
    for place in outcome.places:
        if place.code not in ineligible:
            settled.takers.append((place, entries[place.code], place.rank))
            continue
        settled.skips.append(Skip(place.rank, place.code, NOT_ELIGIBLE))
        while (
            rank := first_waiting(((w.rank, w.stratum) for w in left.values()), strata[place.tier])
        ) is not None:
            code = left.pop(rank).entry_id
            if code in ineligible:
                settled.marks[rank] = NOT_ELIGIBLE
                settled.skips.append(Skip(rank, code, NOT_ELIGIBLE))
                continue
            settled.marks[rank] = None
            settled.takers.append((place, entries[code], rank))
            break
    return settled


async def _write(
    connection: Connection,
    campaign: DrawCampaign,
    found: DrawRow,
    at: datetime,
    outcome: Outcome,
    entries: Mapping[str, EntryRow],
    settled: Settled,
) -> None:
    row = campaign.row
    assert row.acceptance_start is not None and row.acceptance_end is not None
    until = first_deadline(at, row.acceptance_start, row.acceptance_end, campaign.plan.waitlist)
    allotments = await _allotments(connection, campaign, found, settled.takers)
    awards = [
        NewAward(new_id(), entry.person_id, entry.id, allotment, place.tier, rank)
        for (place, entry, rank), allotment in zip(settled.takers, allotments, strict=True)
    ]
    persons = [award.person_id for award in awards]
    first = await issuing.insert_turns(connection, row.id, found.window_id, persons, [1] * len(persons))
    assert first, "a person has one entry, so one turn in a draw's window"
    await store.insert_awards(connection, row.id, found.window_id, at, until, awards)
    marks = settled.marks
    waitlist = [
        NewWaiting(
            w.rank,
            entries[w.entry_id].id,
            entries[w.entry_id].person_id,
            w.stratum,
            at if w.rank in marks and marks[w.rank] is None else None,
            marks.get(w.rank),
        )
        for w in outcome.waiting
    ]
    await store.insert_waitlist(connection, found.id, waitlist)
    await store.insert_skips(connection, found.id, at, settled.skips)


async def _allotments(
    connection: Connection,
    campaign: DrawCampaign,
    found: DrawRow,
    takers: Sequence[tuple[Place, EntryRow, int]],
) -> list[UUID]:
    """A free allotment for each taker: those of fixed tiers are there, those of a split are made now by amount."""
    operators = await operators_by_code(connection, campaign.row.programme_id)
    free: dict[int, list[UUID]] = {}
    made: list[issuing.AllotmentRow] = []
    for tier in issue_plan(campaign.definition).tiers:
        amounts = [place.amount_fen for place, _, _ in takers if place.tier == tier.number]
        if tier.split is None:
            rows = await issuing.take_allotments(
                connection, campaign.row.id, found.window_id, tier.number, len(amounts)
            )
            assert [row["face_fen"] for row in rows] == amounts, "the plan was funded and made at publication"
            free[tier.number] = [row["id"] for row in rows]
            continue
        [(operator, _)] = tier.units
        holder = operators[operator]
        own = [
            issuing.AllotmentRow(new_id(), campaign.row.id, found.window_id, tier.number, holder, amount)
            for amount in amounts
        ]
        free[tier.number] = [row.id for row in own]
        made += own
    await issuing.insert_allotments(connection, made)
    queues = {number: iter(ids) for number, ids in free.items()}
    return [next(queues[place.tier]) for place, _, _ in takers]
