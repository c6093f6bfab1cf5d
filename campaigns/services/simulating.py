"""Stated input of a demonstration: entries that came at times and under public ids given beforehand.

So a demonstration's list can be made again byte for byte. Production refuses it, and so does its database.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import Fact, Refused
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require
from campaigns.services.context import Context
from campaigns.services.draw_campaign import hold_campaign
from campaigns.services.entering import EnteredMany, EnterLine, check_registration, judge_lines
from campaigns.store import entries as store
from campaigns.store.audit_log import write_audit
from campaigns.store.clock import database_mode
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Work, perform


class StatedEntry(Struct, frozen=True, kw_only=True):
    """An entry with its public id (``E`` and 16 base32 characters) and the time it is said to have come at."""

    line: EnterLine
    code: str
    entered_at: datetime


async def enter_stated(
    ctx: Context, principal: Principal, campaign_id: UUID, stated: Sequence[StatedEntry]
) -> EnteredMany:
    """Enter many persons with stated ids and times, which ascend, lie in the registration window and are past.

    Whoever is entered already is left out, so that a run that was cut off can be repeated. Raises Refused
    ``simulation_refused`` outside demo and test mode, and as `enter_many`.
    """
    require(principal, "entries.write")

    async def act(connection: Connection) -> EnteredMany:
        if ctx.mode == "production" or await database_mode(connection) == "production":
            raise Refused("simulation_refused")
        campaign = await hold_campaign(connection, principal.programme_id, campaign_id, alone=False)
        index = await store.lock_log(connection, campaign.row.seq)
        at = await campaign_now(connection)
        check_registration(campaign, at)
        times = [one.entered_at for one in stated]
        assert campaign.row.registration_start is not None
        assert times == sorted(times) and campaign.row.registration_start <= times[0] and times[-1] <= at
        codes = [one.code for one in stated]
        entries, refused = await judge_lines(connection, campaign, [one.line for one in stated], codes, index)
        came = dict(zip(codes, times, strict=True))
        await store.insert_entries(
            connection, campaign_id, index, [came[one.code] for one in entries], entries
        )
        facts: dict[str, Fact] = {"entered": len(entries), "refused": len(refused), "stated": True}
        await write_audit(connection, at, campaign_id, principal, "entries.enter_stated", None, facts)
        return EnteredMany(entered=len(entries), refused=len(refused), refusals=tuple(refused[:1_000]))

    return await perform(ctx.pool, None, Work(EnteredMany, act))
