"""An invariant does not hold: the campaign stops by itself, and people look before it goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from campaigns.domain.errors import Broken
from campaigns.domain.principal import system
from campaigns.domain.states import CAMPAIGN, next_state
from campaigns.services.context import Context
from campaigns.store import campaigns as store
from campaigns.store.audit_log import write_audit
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Work, perform

MAX_REASON = 500


@asynccontextmanager
async def suspending(ctx: Context) -> AsyncIterator[None]:
    """Suspend the campaign that a Broken of the block names (fact ``campaign_id``); the error goes on to the caller.

    Around `perform`, so that the broken transaction is over and has left nothing.
    """
    try:
        yield
    except Broken as error:
        await suspend(ctx, UUID(str(error.facts["campaign_id"])), str(error))
        raise


async def suspend(ctx: Context, campaign_id: UUID, reason: str) -> bool:
    """Stop a campaign because an invariant does not hold; people look before it goes on.

    Answers whether it was running: one that is not published or paused stays as it is.
    """

    async def act(connection: Connection) -> bool:
        programme_id = await store.programme_of(connection, campaign_id)
        assert programme_id is not None, f"no campaign {campaign_id}"
        row = await store.locked_campaign(connection, programme_id, campaign_id)
        if row.state not in ("published", "paused"):
            return False
        at = await campaign_now(connection)
        await store.set_state(connection, campaign_id, next_state(CAMPAIGN, row.state, "suspend"))
        caller = system(programme_id)
        await write_audit(
            connection,
            at,
            campaign_id,
            caller,
            "campaign.suspend",
            campaign_id,
            {"reason": reason[:MAX_REASON]},
        )
        return True

    return await perform(ctx.pool, None, Work(bool, act))
