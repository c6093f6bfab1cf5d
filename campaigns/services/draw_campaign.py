"""The campaign of a draw, held and read: what every use case of the draw begins with."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from campaigns.domain.definition.model import Definition, DrawPlan
from campaigns.domain.errors import Invalid, Refused, not_found
from campaigns.domain.principal import Principal
from campaigns.domain.windows import local_text, zone_of
from campaigns.services.context import Context
from campaigns.store import draws as store
from campaigns.store.campaigns import (
    CampaignRow,
    campaign_by_code,
    campaign_row,
    locked_campaign,
    programme_of,
    shared_campaign,
)
from campaigns.store.draws import DrawRow
from campaigns.store.pool import Connection

RUNNING = "published"


@dataclass(frozen=True)
class DrawCampaign:
    """A campaign that issues by draw, with its file as typed data."""

    row: CampaignRow
    definition: Definition
    plan: DrawPlan

    def text(self, at: datetime) -> str:
        """A moment as people of the campaign's zone write it."""
        return local_text(at, zone_of(self.row.time_zone))


def person_of(principal: Principal) -> UUID:
    """The person a channel acts for. Raises Invalid ``person_missing``."""
    if principal.person_id is None:
        raise Invalid("person_missing")
    return principal.person_id


async def hold_campaign(
    connection: Connection, programme_id: UUID, campaign_id: UUID, *, alone: bool
) -> DrawCampaign:
    """Lock a draw campaign (shared or ``alone``) and read it after the lock.

    Raises Refused ``not_found`` for unknown, foreign and unpublished ones, ``no_draw`` for another method.
    """
    hold = locked_campaign if alone else shared_campaign
    return _typed(await hold(connection, programme_id, campaign_id))


async def read_campaign(connection: Connection, programme_id: UUID, campaign_id: UUID) -> DrawCampaign:
    """Read a draw campaign without its lock. Raises as `hold_campaign`."""
    return _typed(await campaign_row(connection, programme_id, campaign_id))


def _typed(row: CampaignRow) -> DrawCampaign:
    if row.published_at is None:
        raise not_found("campaign")
    definition = msgspec.convert(row.definition, Definition)
    if not isinstance(definition.issuing, DrawPlan):
        raise Refused("no_draw")
    return DrawCampaign(row, definition, definition.issuing)


def check_running(campaign: DrawCampaign) -> None:
    """Raise Refused ``campaign_not_running`` unless the campaign is published."""
    if campaign.row.state != RUNNING:
        raise Refused("campaign_not_running", state=campaign.row.state)


async def hold_draw(
    connection: Connection, principal: Principal, draw_id: UUID
) -> tuple[DrawCampaign, DrawRow]:
    """Lock the campaign of a draw alone, for staff of its programme. Raises Refused ``not_found``."""
    draw = await store.find_draw(connection, draw_id)
    if draw is None or await programme_of(connection, draw.campaign_id) != principal.programme_id:
        raise not_found("draw")
    campaign = await hold_campaign(connection, principal.programme_id, draw.campaign_id, alone=True)
    draw = await store.find_draw(connection, draw_id)
    assert draw is not None
    return campaign, draw


async def draw_of_code(ctx: Context, principal: Principal, code: str) -> tuple[UUID, UUID]:
    """(campaign, draw) of a campaign's code, for the command line. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        campaign_id = await campaign_by_code(connection, principal.programme_id, code)
        if campaign_id is None:
            raise not_found("campaign")
        draw = await store.draw_of_campaign(connection, campaign_id)
        if draw is None:
            raise not_found("draw")
        return campaign_id, draw.id
