"""A campaign from a file to publication: each act, its wrong states, wrong people, and what it leaves unchanged."""

import asyncpg
import pytest

from campaigns.domain.errors import Refused
from campaigns.services.context import Context
from campaigns.services.publishing import publish_campaign
from tests.support.campaign_files import draw_file, list_file, rush_file
from tests.support.office import Office, approved, now_of, open_office, published


@pytest.fixture
async def office(ctx: Context) -> Office:
    return await open_office(ctx)


async def test_a_draw_is_published(ctx: Context, office: Office, owner: asyncpg.Connection) -> None:
    campaign_id = await published(ctx, office, draw_file(await now_of(ctx)))
    assert await owner.fetchval("SELECT state FROM campaign WHERE id = $1", campaign_id) == "published"
    assert await owner.fetchval("SELECT count(*) FROM allotment") == 10
    assert await owner.fetchval("SELECT sum(amount_fen) FROM transfer WHERE kind = 'fund'") == 30_001
    assert await owner.fetchval("SELECT name FROM draw WHERE state = 'open'") == "test-draw-r1"


async def test_a_list_is_published_with_its_split_amounts(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    await published(ctx, office, list_file(await now_of(ctx)))
    rows = await owner.fetch(
        "SELECT tier, count(*), sum(face_fen) FROM allotment GROUP BY tier ORDER BY tier"
    )
    assert [tuple(row) for row in rows] == [(1, 10, 20_000), (2, 5, 5_000)]


async def test_a_rush_is_not_published(ctx: Context, office: Office) -> None:
    campaign_id = await approved(ctx, office, rush_file(await now_of(ctx)))
    with pytest.raises(Refused, match="rush_not_available"):
        await publish_campaign(ctx, office.officer, None, campaign_id)
