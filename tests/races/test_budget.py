"""The campaign's budget: no more money than planned, no more allotments than money, whoever acts at once."""

from typing import Any
from uuid import UUID

import asyncpg

from campaigns.services.funding import Fund, campaign_funding, fund_campaign, fund_whole_plan
from campaigns.services.publishing import publish_campaign
from tests.races.conftest import Servers
from tests.races.stage import CAMPAIGN_LOCKS, Stage
from tests.races.support import disarm, findings, tally
from tests.support.campaign_files import list_file
from tests.support.office import Office, approved, now_of, open_office

AT_ONCE = 6
BOOKS = r"\bINSERT INTO funding "
WINDOWS = r"\bINSERT INTO issue_window "


async def approved_list(servers: Servers) -> tuple[Office, UUID]:
    office = await open_office(servers[0])
    return office, await approved(servers[0], office, list_file(await now_of(servers[0])))


async def fund_halves(servers: Servers, stage: Stage) -> tuple[list[Any], int, int]:
    """Half of what is planned of a pair comes many times at once; answers the ends, what came, and the plan."""
    office, campaign = await approved_list(servers)
    line = (await campaign_funding(servers[0], office.finance, campaign)).lines[0]
    half = Fund(funder=line.funder, operator=line.operator, amount_fen=line.planned_fen // 2)
    playing = [stage.server(ctx) for ctx in servers]
    ends = await stage.meet(
        *(fund_campaign(playing[n % 2], office.finance, None, campaign, half) for n in range(AT_ONCE))
    )
    lines = (await campaign_funding(servers[0], office.finance, campaign)).lines
    return ends, lines[0].funded_fen, line.planned_fen


async def test_money_at_once_never_passes_the_plan(servers: Servers, watcher: asyncpg.Connection) -> None:
    ends, funded_fen, planned_fen = await fund_halves(servers, Stage(watcher, BOOKS))
    assert tally(ends) == {"done": 2, "funding_over_plan": AT_ONCE - 2}
    assert funded_fen <= planned_fen < funded_fen + 2
    assert await findings(servers[0]) == set()


async def test_control_without_the_campaigns_lock_it_passes_the_plan(
    servers: Servers, watcher: asyncpg.Connection
) -> None:
    ends, funded_fen, planned_fen = await fund_halves(servers, Stage(watcher, BOOKS, [CAMPAIGN_LOCKS]))
    assert tally(ends) == {"done": AT_ONCE}
    assert funded_fen > planned_fen


async def publish_at_once(servers: Servers, stage: Stage) -> list[Any]:
    office, campaign = await approved_list(servers)
    await fund_whole_plan(servers[0], office.finance, None, campaign)
    playing = [stage.server(ctx) for ctx in servers]
    return await stage.meet(
        *(publish_campaign(playing[n % 2], office.officer, None, campaign) for n in range(AT_ONCE))
    )


async def test_a_publication_at_once_allots_the_money_once(
    servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    ends = await publish_at_once(servers, Stage(watcher, WINDOWS))
    assert tally(ends) == {"published": 1, "wrong_state": AT_ONCE - 1}
    assert await owner.fetchval("SELECT count(*) FROM allotment") == 15
    assert await findings(servers[0]) == set()


async def test_control_without_lock_and_key_the_money_is_allotted_again(
    servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    assert "issue_window_campaign_id_number_key" in await disarm(owner, "issue_window", "allotment")
    ends = await publish_at_once(servers, Stage(watcher, WINDOWS, [CAMPAIGN_LOCKS]))
    assert tally(ends) == {"published": AT_ONCE}
    assert (1, "granted_within_funds") in await findings(servers[0])
