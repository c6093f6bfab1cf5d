"""The last unit of a tier and a person's one turn: given once, whoever asks at once."""

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import UUID

import asyncpg

from campaigns.services.list_issue import IssueList, ListRow, issue_list
from campaigns.store.unit_of_work import request
from tests.races.conftest import Servers
from tests.races.stage import ALLOTMENT_FREE, ROW_LOCKS, Stage
from tests.races.support import disarm, findings, tally
from tests.support.campaign_files import list_file
from tests.support.draw_world import DrawWorld
from tests.support.office import Office, now_of, open_office, published

GOLD = 10  # units of the tier
LISTS = 6
TAKES = r"\bUPDATE allotment "
TURNS = r"\bINSERT INTO turn "


class Listing:
    """A published list, and people to issue to."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers

    async def start(self, people: int) -> "Listing":
        ctx = self.servers[0]
        self.office: Office = await open_office(ctx)
        self.campaign: UUID = await published(ctx, self.office, list_file(await now_of(ctx)))
        self.people = await DrawWorld(ctx, self.office, self.campaign, ()).people(people)
        return self

    def issue(self, server: Any, *people: UUID, key: str = "") -> Awaitable[Any]:
        command = IssueList(rows=tuple(ListRow(tier="gold", person_id=person) for person in people))
        asked = request(self.office.officer.id, key or str(people), "list.issue", command)
        return issue_list(server, self.office.officer, asked, self.campaign, command)

    async def lists(self, stage: Stage) -> list[Any]:
        """All but one unit are out; then many lists ask for the last one at once."""
        await self.issue(self.servers[0], *self.people[: GOLD - 1])
        playing = [stage.server(ctx) for ctx in self.servers]
        rest = self.people[GOLD - 1 :]
        return await stage.meet(*(self.issue(playing[n % 2], one) for n, one in enumerate(rest)))


async def test_the_last_unit_of_a_tier_is_issued_once(servers: Servers, watcher: asyncpg.Connection) -> None:
    listing = await Listing(servers).start(GOLD - 1 + LISTS)
    ends = tally(await listing.lists(Stage(watcher, TAKES)))
    assert ends == {"done": 1, "busy": LISTS - 1}, "who met it locked may yet get it, if the other list fails"
    again = [
        await asyncio.gather(listing.issue(servers[0], one), return_exceptions=True)
        for one in listing.people[GOLD - 1 :]
    ]
    assert tally(end for (end,) in again) == {"done": 1, "allotments_exhausted": LISTS - 1}
    assert await findings(servers[0]) == set()


async def test_control_without_locks_and_keys_the_last_unit_is_issued_to_all(
    servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    listing = await Listing(servers).start(GOLD - 1 + LISTS)
    assert "voucher_allotment" in await disarm(owner, "voucher", "allotment")
    ends = await listing.lists(Stage(watcher, TAKES, [ROW_LOCKS, ALLOTMENT_FREE]))
    assert tally(ends) == {"done": LISTS}
    found = await findings(servers[0])
    assert {(1, "holders_within_allotments"), (5, "accounts_against_rows")} <= found


async def one_person_on_many_lists(listing: Listing, stage: Stage) -> list[Any]:
    playing, (person,) = [stage.server(ctx) for ctx in listing.servers], listing.people
    return await stage.meet(*(listing.issue(playing[n % 2], person, key=str(n)) for n in range(LISTS)))


async def vouchers_of(servers: Servers, person: UUID) -> int:
    async with servers[0].pool.acquire() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM voucher WHERE person_id = $1", person))


async def test_a_person_on_many_lists_at_once_has_one_turn(
    servers: Servers, watcher: asyncpg.Connection
) -> None:
    listing = await Listing(servers).start(1)
    ends = tally(await one_person_on_many_lists(listing, Stage(watcher, TURNS)))
    assert ends["done"] == 1 and ends.keys() <= {"done", "busy", "list_rows_invalid"}
    assert await vouchers_of(servers, listing.people[0]) == 1
    assert await findings(servers[0]) == set()


async def test_control_without_the_turns_key_a_person_has_one_on_each_list(
    servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    listing = await Listing(servers).start(1)
    assert "turn_pkey" in await disarm(owner, "turn")
    assert tally(await one_person_on_many_lists(listing, Stage(watcher, TURNS))) == {"done": LISTS}
    assert await vouchers_of(servers, listing.people[0]) == LISTS
    assert (3, "turns_per_person") in await findings(servers[0])
