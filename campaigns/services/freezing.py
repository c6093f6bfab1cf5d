"""Close entries and freeze: one transaction that strikes, closes the list and publishes the commitment to it.

It comes when the registration window has ended, never before: a list closed early would shut out people whom
the published window promised to wait for. A crash leaves the draw open or frozen, nothing between.
"""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from campaigns.domain.draw_plan import MISSING_POLICY, draw_rules
from campaigns.domain.errors import Refused
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require_staff
from campaigns.domain.states import DRAW, next_state
from campaigns.domain.windows import parse_local, zone_of
from campaigns.services.context import Context
from campaigns.services.draw_answer import DrawAnswer, draw_answer
from campaigns.services.draw_campaign import DrawCampaign, check_running, hold_campaign
from campaigns.services.entering import standing_problem
from campaigns.services.exporting import publish_folder
from campaigns.services.sealing import seal
from campaigns.store import draws as store
from campaigns.store.audit_log import write_audit
from campaigns.store.draws import DrawRow, SourceRow
from campaigns.store.entries import EntryRow, entry_log, standings, strike
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform
from lottery.core.errors import LotteryError
from lottery.core.files import LogLine, Struck
from lottery.core.freeze import freeze
from lottery.core.sources import OFFICE_SECRET_BYTES, Kind, Source, office_secret_digest
from lottery.publication import beacon_source_due, build_commitment, commitment_files

LEAD: Final = timedelta(seconds=120)  # between the freeze and the first source's due time, at least
MOST_DELAY_MINUTES: Final = 43_200
NOT_ELIGIBLE: Final = "not_eligible"


class FreezeDraw(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``delay_minutes`` moves every source's due time when the list is closed late; ``ssq_issue`` names the issue
    of the state lottery where that is a source."""

    delay_minutes: Annotated[int, Meta(ge=0, le=MOST_DELAY_MINUTES)] = 0
    ssq_issue: Annotated[str, Meta(pattern=r"^[0-9]{7}$(?!\n)")] | None = None


async def freeze_draw(
    ctx: Context,
    principal: Principal,
    asked: Request | None,
    campaign_id: UUID,
    command: FreezeDraw,
    rehearsed_secret: bytes | None = None,
) -> DrawAnswer:
    """Strike who is not eligible, close the list, fix the sources and publish `commit.json` with its files.

    `commit.json` says when by the end of the minute, the database to the microsecond. ``rehearsed_secret`` takes the
    place of the office's random one, so that a demonstration can be repeated; production refuses it.

    Raises Refused ``registration_still_open``, ``sources_too_late``, ``ssq_issue_missing``,
    ``rehearsal_refused``, ``wrong_state``, ``campaign_not_running``, ``commitment_refused``, ``no_draw``.
    """
    require_staff(principal, "draw.write")
    if rehearsed_secret is not None and ctx.mode == "production":
        raise Refused("simulation_refused")

    async def act(connection: Connection) -> DrawAnswer:
        campaign = await hold_campaign(connection, principal.programme_id, campaign_id, alone=True)
        await store.allow_long_work(connection)
        at = await campaign_now(connection)
        _check_time(campaign, at)
        draw = await store.draw_of_campaign(connection, campaign_id)
        assert draw is not None, "publishing a draw campaign opens its draw"
        state = next_state(DRAW, draw.state, "freeze")
        sources = _sources(ctx, campaign, at, command)
        log = await _strike(connection, campaign, await entry_log(connection, campaign_id))
        secret = None
        if _has_office(sources):
            secret = rehearsed_secret or secrets.token_bytes(OFFICE_SECRET_BYTES)
        minute = _end_of_minute(campaign, at)
        files = await asyncio.to_thread(_commit, campaign, draw, log, sources, minute, secret)
        await store.close_entries(connection, campaign_id, at)
        await store.fix_sources(connection, draw.id, _source_rows(ctx, draw.id, sources, secret))
        await store.insert_files(connection, draw.id, files)
        await store.set_state(connection, draw.id, state, committed_at=at)
        await _write_steps(connection, principal, campaign_id, draw.id, at, log, command)
        return await draw_answer(connection, draw.id)

    answer = await perform(ctx.pool, asked, Work(DrawAnswer, act))
    await publish_folder(ctx, answer.draw_id)
    return answer


def _check_time(campaign: DrawCampaign, at: datetime) -> None:
    check_running(campaign)
    end = campaign.row.registration_end
    assert end is not None
    if at < end:
        raise Refused("registration_still_open", ends=campaign.text(end))


def _sources(ctx: Context, campaign: DrawCampaign, at: datetime, command: FreezeDraw) -> tuple[Source, ...]:
    zone = zone_of(campaign.row.time_zone)
    delay = timedelta(minutes=command.delay_minutes)
    return tuple(
        _source(ctx, campaign, at, source.kind, parse_local(source.due, zone) + delay, command)
        for source in campaign.plan.sources
    )


def _source(
    ctx: Context, campaign: DrawCampaign, at: datetime, kind: Kind, due: datetime, command: FreezeDraw
) -> Source:
    if due < at + LEAD:
        raise Refused("sources_too_late", source=kind, due=campaign.text(due))
    if kind == "rehearsal" and ctx.mode == "production":
        raise Refused("rehearsal_refused")
    if kind == "drand" or kind == "rehearsal":
        return beacon_source_due(kind, due)
    if kind == "ssq":
        if command.ssq_issue is None:
            raise Refused("ssq_issue_missing")
        return Source("ssq", due, MISSING_POLICY[kind], command.ssq_issue)
    assert kind == "office" or kind == "notary", kind
    return Source(kind, due, MISSING_POLICY[kind])


async def _strike(connection: Connection, campaign: DrawCampaign, log: Sequence[EntryRow]) -> list[EntryRow]:
    """Strike who lost what entering asked for; nobody can be there twice, as a person enters once."""
    live = [row.person_id for row in log if row.struck_reason is None]
    operators = campaign.definition.registration.wallet_operators
    found = await standings(connection, campaign.row.programme_id, live, operators)
    lost = {person for person in live if standing_problem(campaign, found.get(person)) is not None}
    await strike(connection, campaign.row.id, sorted(lost), NOT_ELIGIBLE)
    return [row._replace(struck_reason=NOT_ELIGIBLE) if row.person_id in lost else row for row in log]


def _end_of_minute(campaign: DrawCampaign, at: datetime) -> datetime:
    local = at.astimezone(zone_of(campaign.row.time_zone))
    return local.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _commit(
    campaign: DrawCampaign,
    draw: DrawRow,
    log: Sequence[EntryRow],
    sources: tuple[Source, ...],
    committed_at: datetime,
    secret: bytes | None,
) -> dict[str, bytes]:
    """The files of the commitment; runs outside the event loop."""
    rules = draw_rules(campaign.definition)
    lines = (LogLine(row.code, row.stratum, row.tickets, int(row.entered_at.timestamp())) for row in log)
    struck = (Struck(row.code, row.struck_reason) for row in log if row.struck_reason is not None)
    try:
        frozen = freeze(lines, struck, f"{campaign.definition.programme}/{draw.name}", rules.skip_reasons)
        commitment = build_commitment(
            frozen,
            rules,
            campaign=campaign.row.code,
            draw_id=draw.name,
            programme=campaign.definition.programme,
            round_number=draw.round,
            committed_at=committed_at,
            sources=sources,
            office_secret_sha256=office_secret_digest(secret) if secret is not None else "",
        )
        return commitment_files(frozen, rules, commitment)
    except LotteryError as error:
        raise Refused("commitment_refused", detail=error.message) from error


def _has_office(sources: tuple[Source, ...]) -> bool:
    return any(source.kind == "office" for source in sources)


def _source_rows(
    ctx: Context, draw_id: UUID, sources: tuple[Source, ...], secret: bytes | None
) -> list[SourceRow]:
    return [
        SourceRow(
            number,
            source.kind,
            source.spec,
            source.due,
            seal(ctx.hmac_key, draw_id, secret) if source.kind == "office" and secret is not None else None,
            None,
            None,
            None,
        )
        for number, source in enumerate(sources, 1)
    ]


async def _write_steps(
    connection: Connection,
    principal: Principal,
    campaign_id: UUID,
    draw_id: UUID,
    at: datetime,
    log: Sequence[EntryRow],
    command: FreezeDraw,
) -> None:
    struck = sum(row.struck_reason is not None for row in log)
    steps: tuple[tuple[str, dict[str, int]], ...] = (
        ("entries.close", {"received": len(log)}),
        ("entries.strike", {"struck": struck}),
        ("draw.freeze", {"entries": len(log) - struck, "delay_minutes": command.delay_minutes}),
    )
    for action, facts in steps:
        await write_audit(connection, at, campaign_id, principal, action, draw_id, facts)
