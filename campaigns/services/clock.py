"""The campaign clock of demo and test mode: it only grows, in steps, while no hold or payment code is open."""

from datetime import datetime, timedelta

from campaigns.domain.errors import Refused
from campaigns.gate.payment_codes import forget_codes, live_codes
from campaigns.services.context import Context
from campaigns.store.clock import database_mode, grow_clock, lock_holds
from campaigns.store.locks import campaign_now
from campaigns.store.payments import codes_used
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Work, perform

ZERO = timedelta(0)


async def shift_clock(ctx: Context, by: timedelta) -> datetime:
    """Let campaign time jump forward by ``by``; answers the new campaign time.

    Raises Refused ``clock_not_adjustable`` (production, or backwards) and ``clock_in_use`` (a hold or an unused
    payment code is open).
    """

    async def act(connection: Connection) -> datetime:
        await _check(ctx, connection)
        return await _grow(connection, by)

    return await perform(ctx.pool, None, Work(datetime, act))


async def set_clock(ctx: Context, at: datetime) -> datetime:
    """Let campaign time jump forward to ``at``. Raises as `shift_clock` does."""

    async def act(connection: Connection) -> datetime:
        await _check(ctx, connection)
        return await _grow(connection, at - await campaign_now(connection))

    return await perform(ctx.pool, None, Work(datetime, act))


async def void_codes(ctx: Context) -> int:
    """Make every open payment code void, so that the clock may move. Demo and test mode only."""
    if ctx.mode == "production":
        raise Refused("clock_not_adjustable")
    return await forget_codes(ctx.gate)


async def _check(ctx: Context, connection: Connection) -> None:
    if ctx.mode == "production" or await database_mode(connection) == "production":
        raise Refused("clock_not_adjustable")
    if await lock_holds(connection):
        raise Refused("clock_in_use")
    now = await campaign_now(connection)
    open_codes = [live.code_id async for live in live_codes(ctx.gate) if now < live.expires_at]
    if len(await codes_used(connection, open_codes)) < len(open_codes):
        raise Refused("clock_in_use")


async def _grow(connection: Connection, by: timedelta) -> datetime:
    if by < ZERO:
        raise Refused("clock_not_adjustable")
    await grow_clock(connection, by)
    return await campaign_now(connection)
