"""Entering a draw: one person through a channel, or many at once, and taking an entry back.

Every entry gets its place in the campaign's log from one sequencer, in order of arrival and without gaps.
A withdrawn entry stays in the log and is struck; it cannot be made again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from campaigns.domain.draw_plan import stratum_of
from campaigns.domain.errors import Fact, Refused, not_found
from campaigns.domain.ids import new_entry_code, new_id
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require
from campaigns.services.context import Context
from campaigns.services.draw_campaign import DrawCampaign, check_running, hold_campaign, person_of
from campaigns.services.fields import Place
from campaigns.store import entries as store
from campaigns.store.audit_log import write_audit
from campaigns.store.entries import EntryRow, NewEntry, Standing
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform

MOST_LINES = 50_000
MOST_SHOWN = 1_000
WITHDRAWN: Final = "withdrawn"


class Enter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``place`` is the region code the person stands for; ``accept_if_won`` means "take it for me if I win"."""

    place: Place
    accept_if_won: bool = False


class EnterLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of many entries."""

    person_id: UUID
    place: Place
    accept_if_won: bool = False


class EnterMany(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries in their order of arrival."""

    entries: Annotated[tuple[EnterLine, ...], Meta(min_length=1, max_length=MOST_LINES)]


class Entered(Struct, frozen=True, kw_only=True):
    """An entry. ``entry`` is its public id, ``log_index`` its place in the log, from 0."""

    campaign_id: UUID
    entry: str
    stratum: str
    accept_if_won: bool
    log_index: int
    entered_at: datetime
    withdrawn: bool = False


class LineRefused(Struct, frozen=True, kw_only=True):
    """A line, counted from 1, that was not entered."""

    line: int
    code: str


class EnteredMany(Struct, frozen=True, kw_only=True):
    """How many were entered; the first ``MOST_SHOWN`` of those ``refused``."""

    entered: int
    refused: int
    refusals: tuple[LineRefused, ...]


async def enter(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID, command: Enter
) -> Entered:
    """Enter the person the channel acts for.

    Raises Refused ``registration_not_open``, ``registration_over``, ``entries_closed``, ``entries_full``,
    ``already_entered``, ``entry_withdrawn``, ``place_not_eligible``, ``identity_required``,
    ``wallet_operator_required``, ``campaign_not_running``, ``no_draw``, ``not_found``.
    """
    require(principal, "entries.write")
    person_id = person_of(principal)

    async def act(connection: Connection) -> Entered:
        campaign = await hold_campaign(connection, principal.programme_id, campaign_id, alone=False)
        index = await store.lock_log(connection, campaign.row.seq)
        at = await campaign_now(connection)
        check_registration(campaign, at)
        found = await store.entry_of(connection, campaign_id, person_id)
        if found is not None:
            code = "entry_withdrawn" if found.struck_reason == WITHDRAWN else "already_entered"
            raise Refused(code, entry=found.code)
        if index >= campaign.plan.max_entries:
            raise Refused("entries_full", most=campaign.plan.max_entries)
        standing = (await _standings(connection, campaign, [person_id])).get(person_id)
        stratum = _judge(campaign, standing, command.place)
        entry = NewEntry(new_id(), person_id, new_entry_code(), stratum, command.accept_if_won)
        await store.insert_entries(connection, campaign_id, index, [at], [entry])
        return Entered(
            campaign_id=campaign_id,
            entry=entry.code,
            stratum=stratum,
            accept_if_won=entry.accept_if_won,
            log_index=index,
            entered_at=at,
        )

    return await perform(ctx.pool, asked, Work(Entered, act))


async def enter_many(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID, command: EnterMany
) -> EnteredMany:
    """Enter many persons in one transaction, in the order given; lines that may not enter are told and left out.

    Raises Refused as `enter` for what concerns the campaign as a whole.
    """
    require(principal, "entries.write")

    async def act(connection: Connection) -> EnteredMany:
        campaign = await hold_campaign(connection, principal.programme_id, campaign_id, alone=False)
        index = await store.lock_log(connection, campaign.row.seq)
        at = await campaign_now(connection)
        check_registration(campaign, at)
        codes = [new_entry_code() for _ in command.entries]
        entries, refusals = await judge_lines(connection, campaign, command.entries, codes, index)
        await store.insert_entries(connection, campaign_id, index, [at] * len(entries), entries)
        facts: dict[str, Fact] = {"entered": len(entries), "refused": len(refusals), "first_index": index}
        await write_audit(connection, at, campaign_id, principal, "entries.enter_many", None, facts)
        return EnteredMany(entered=len(entries), refused=len(refusals), refusals=tuple(refusals[:MOST_SHOWN]))

    return await perform(ctx.pool, asked, Work(EnteredMany, act))


async def withdraw(ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID) -> Entered:
    """Take the person's entry back while entries are open: it is struck and stays in the log.

    Raises Refused ``not_found`` without an entry, ``entry_withdrawn``, ``entries_closed``, ``registration_over``.
    """
    require(principal, "entries.write")
    person_id = person_of(principal)

    async def act(connection: Connection) -> Entered:
        campaign = await hold_campaign(connection, principal.programme_id, campaign_id, alone=False)
        await store.lock_log(connection, campaign.row.seq)
        at = await campaign_now(connection)
        found = await store.entry_of(connection, campaign_id, person_id)
        if found is None:
            raise not_found("entry")
        if found.struck_reason == WITHDRAWN:
            raise Refused("entry_withdrawn", entry=found.code)
        check_registration(campaign, at)
        await store.strike(connection, campaign_id, [person_id], WITHDRAWN)
        return entered_answer(campaign_id, found._replace(struck_reason=WITHDRAWN))

    return await perform(ctx.pool, asked, Work(Entered, act))


def check_registration(campaign: DrawCampaign, at: datetime) -> None:
    """Raise Refused unless entries are open at ``at``: the window is [start, end)."""
    check_running(campaign)
    start, end = campaign.row.registration_start, campaign.row.registration_end
    assert start is not None and end is not None
    if at < start:
        raise Refused("registration_not_open", starts=campaign.text(start), ends=campaign.text(end))
    if at >= end:
        raise Refused("registration_over", ends=campaign.text(end))
    if campaign.row.entries_closed_at is not None:
        raise Refused("entries_closed")


def entered_answer(campaign_id: UUID, row: EntryRow) -> Entered:
    """A stored entry as its person sees it."""
    return Entered(
        campaign_id=campaign_id,
        entry=row.code,
        stratum=row.stratum,
        accept_if_won=row.accept_if_won,
        log_index=row.log_index,
        entered_at=row.entered_at,
        withdrawn=row.struck_reason == WITHDRAWN,
    )


def standing_problem(campaign: DrawCampaign, standing: Standing | None) -> Refused | None:
    """What a person lacks to take part; asked at entry, at the freeze and before an award."""
    if standing is None:
        return not_found("person")
    if not standing.proved:
        return Refused("identity_required", kind=standing.identifying_kind)
    if not standing.bound:
        operators = ", ".join(campaign.definition.registration.wallet_operators)
        return Refused("wallet_operator_required", operators=operators)
    return None


async def _standings(
    connection: Connection, campaign: DrawCampaign, person_ids: list[UUID]
) -> dict[UUID, Standing]:
    operators = campaign.definition.registration.wallet_operators
    return await store.standings(connection, campaign.row.programme_id, person_ids, operators)


def _judge(campaign: DrawCampaign, standing: Standing | None, place: str) -> str:
    """The stratum of who may enter; raises Refused otherwise."""
    problem = standing_problem(campaign, standing)
    if problem is not None:
        raise problem
    stratum = stratum_of(campaign.definition, place)
    if stratum is None:
        raise Refused("place_not_eligible", place=place)
    return stratum


async def judge_lines(
    connection: Connection,
    campaign: DrawCampaign,
    lines: Sequence[EnterLine],
    codes: Sequence[str],
    index: int,
) -> tuple[list[NewEntry], list[LineRefused]]:
    """Who of the lines enters, in their order and under the public id beside each, and who not."""
    person_ids = [line.person_id for line in lines]
    standings = await _standings(connection, campaign, person_ids)
    there = set(await store.entrants(connection, campaign.row.id, person_ids))
    room = campaign.plan.max_entries - index
    entries: list[NewEntry] = []
    refusals: list[LineRefused] = []
    for number, (line, code) in enumerate(zip(lines, codes, strict=True), 1):
        try:
            if line.person_id in there:
                raise Refused("already_entered")
            if len(entries) >= room:
                raise Refused("entries_full")
            stratum = _judge(campaign, standings.get(line.person_id), line.place)
        except Refused as error:
            refusals.append(LineRefused(line=number, code=error.code))
            continue
        there.add(line.person_id)
        entries.append(NewEntry(new_id(), line.person_id, code, stratum, line.accept_if_won))
    return entries, refusals
