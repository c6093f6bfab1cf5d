"""An award at two servers: accepted, taken by its tick, declined or lapsed, in all pairs and both orders; it ends once.

The first has read and decided but not written when the second comes. Two sweepers at the same lapses are a pair too.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations_with_replacement
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from campaigns.domain.errors import Refused
from campaigns.runtime.engines import Databases
from campaigns.services.accept_batch import Accepted
from campaigns.services.accepting import accept_award, grant_chunk
from campaigns.services.context import Context
from campaigns.services.lapsing import decline_award, lapse_awards
from campaigns.store.unit_of_work import request
from tests.races.conftest import Drawn, Servers
from tests.races.stage import ALLOTMENT_FREE, AWARD_LIVE, AWARD_WRITES, CAMPAIGN_LOCKS, ROW_LOCKS, Stage
from tests.races.support import disarm, findings, tally
from tests.support.draw_world import DrawWorld

VERBS = ("accept", "tick", "decline", "lapse")
PAIRS = [f"{one} against {other}" for one, other in combinations_with_replacement(VERBS, 2)]
ENDS = {"accept": "granted", "tick": "granted", "decline": "declined", "lapse": "lapsed"}
# A ticked award never lapses, so no award is open to both.
OPEN_PAIRS = [pair for pair in PAIRS if pair != "tick against lapse"]
GUARDED = ("award", "allotment", "voucher", "turn", "waitlist", "skip")
COPIES = 60
PLACES = r"\bINSERT INTO turn "  # written once it is decided who takes a place given up
LUCK = 3  # the tier that anybody who waits may take a place of


@pytest.fixture
async def database(drawn_database: Databases) -> Databases:
    return drawn_database


@dataclass(frozen=True)
class Case:
    """A live award that ends in an hour, its winner, and ways to end it."""

    world: DrawWorld
    servers: Sequence[Context]
    award: UUID
    person: UUID

    def act(self, verb: str, server: Context) -> Awaitable[Any]:
        programme, campaign = self.world.office.programme_id, self.world.campaign_id
        winner = self.world.channel(self.person)
        acts: dict[str, Callable[[], Awaitable[Any]]] = {
            "accept": lambda: accept_award(server, winner, None, self.award),
            "tick": lambda: grant_chunk(server, programme, campaign),
            "decline": lambda: decline_award(server, winner, None, self.award),
            "lapse": lambda: lapse_awards(server, programme, campaign),
        }
        return acts[verb]()

    async def hour_passes(self) -> None:
        async with self.world.ctx.pool.acquire() as connection:
            await connection.execute("UPDATE clock SET shift = shift + $1", timedelta(hours=1))

    async def after(self) -> tuple[str, int]:
        """The award's state, and how many vouchers its winner has."""
        async with self.world.ctx.pool.acquire() as connection:
            return tuple(
                await connection.fetchrow(
                    "SELECT state, (SELECT count(*) FROM voucher WHERE person_id = $2) FROM award WHERE id = $1",
                    self.award,
                    self.person,
                )
            )


async def case_of(drawn: Drawn, servers: Servers, stage: Stage, owner: asyncpg.Connection, pair: str) -> Case:
    award, person, entry = await owner.fetchrow(
        "SELECT id, person_id, entry_id FROM award WHERE state = 'live' AND tier = $1 ORDER BY rank LIMIT 1",
        LUCK,
    )
    await owner.execute(
        "UPDATE award SET accept_until = campaign_now() + interval '1 hour' WHERE id = $1", award
    )
    if "tick" in pair:
        await owner.execute("UPDATE entry SET accept_if_won = true WHERE id = $1", entry)
    return Case(drawn.world(servers[0]), [stage.server(ctx) for ctx in servers], award, person)


async def run(case: Case, stage: Stage, first: str, second: str) -> list[bool]:
    """Which of the two ended the award; its hour is over just before the first lapse of the two."""
    if first == "lapse":
        await case.hour_passes()
    ends = await stage.in_turn(
        case.act(first, case.servers[0]),
        lambda: case.act(second, case.servers[1]),
        case.hour_passes if second == "lapse" and first != "lapse" else None,
    )
    tally(ends)
    return [not isinstance(end, Refused) and end != 0 for end in ends]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("turned", [False, True], ids=["in turn", "other way round"])
async def test_all_pairs_end_an_award_once(
    drawn: Drawn, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection, pair: str, turned: bool
) -> None:  # fmt: skip
    first, second = pair.split(" against ")[:: -1 if turned else 1]
    if pair == "tick against lapse" and turned:
        first, second = second, first  # a lapse would find nothing to decide
    stage = Stage(watcher, AWARD_WRITES)
    case = await case_of(drawn, servers, stage, owner, pair)
    assert await run(case, stage, first, second) == [True, False]
    assert await case.after() == (ENDS[first], 1 if ENDS[first] == "granted" else 0)
    assert await findings(servers[0]) == set()


@pytest.mark.parametrize("pair", OPEN_PAIRS)
async def test_control_without_locks_and_keys_both_end_it(
    drawn: Drawn, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection, pair: str
) -> None:
    first, second = pair.split(" against ")
    without = [CAMPAIGN_LOCKS, ROW_LOCKS, AWARD_LIVE, ALLOTMENT_FREE]
    stage = Stage(watcher, AWARD_WRITES, without)
    case = await case_of(drawn, servers, stage, owner, pair)
    assert {"award_live_allotment", "voucher_allotment", "turn_pkey"} <= await disarm(owner, *GUARDED)
    assert await run(case, stage, first, second) == [True, True]
    granted = [ENDS[verb] for verb in (first, second)].count("granted")
    expected = (3, "turns_per_person") if granted == 2 else (1, "holders_within_allotments")
    assert expected in await findings(servers[0])


async def test_an_award_is_accepted_once_by_many(
    drawn: Drawn, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    stage = Stage(watcher, AWARD_WRITES)
    case = await case_of(drawn, servers, stage, owner, "accept")
    ends = await stage.meet(*(case.act("accept", case.servers[n % 2]) for n in range(12)), parties=2)
    assert sum(isinstance(end, Accepted) for end in ends) == 1
    assert tally(ends) == {"done": 1, "award_ended": 11}
    assert await case.after() == ("granted", 1)
    assert await findings(servers[0]) == set()


async def test_copies_of_an_acceptance_have_one_effect_and_one_answer(
    drawn: Drawn, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    """Its control is that of test_keys.py: the same lanes, the same row of the key."""
    stage = Stage(watcher, AWARD_WRITES)
    case = await case_of(drawn, servers, stage, owner, "accept")
    winner = case.world.channel(case.person)
    asked = request(case.person, "accept-1", "accept", str(case.award))
    work = [accept_award(case.servers[n % 2], winner, asked, case.award) for n in range(COPIES)]
    ends = await stage.meet(*work, parties=len(servers))
    assert tally(ends) == {"done": COPIES} and len(set(ends)) == 1
    assert await case.after() == ("granted", 1)
    assert await findings(servers[0]) == set()


async def last_who_waits(drawn: Drawn, servers: Servers, stage: Stage, owner: asyncpg.Connection) -> int:
    """One person waits, and two winners of a tier decline; answers how many live awards the one has then."""
    await owner.execute(
        "UPDATE waitlist SET skip_reason = 'not_eligible' WHERE rank > (SELECT min(rank) FROM waitlist)"
    )
    rows = await owner.fetch("SELECT id, person_id FROM award WHERE tier = $1 ORDER BY rank LIMIT 2", LUCK)
    world = drawn.world(servers[0])
    work = [
        decline_award(stage.server(ctx), world.channel(row["person_id"]), None, row["id"])
        for ctx, row in zip(servers, rows, strict=True)
    ]
    assert tally(await stage.meet(*work)) == {"declined": 2}
    return int(
        await owner.fetchval(
            "SELECT count(*) FROM award WHERE state = 'live'"
            " AND person_id = (SELECT person_id FROM waitlist ORDER BY rank LIMIT 1)"
        )
    )


async def test_who_waits_alone_takes_one_of_two_places(
    drawn: Drawn, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    assert await last_who_waits(drawn, servers, Stage(watcher, PLACES), owner) == 1
    assert await owner.fetchval("SELECT count(*) FROM allotment WHERE state = 'free'") == 1
    assert await findings(servers[0]) == set()


async def test_control_without_lock_and_keys_who_waits_takes_both(
    drawn: Drawn, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    assert {"award_once", "turn_pkey"} <= await disarm(owner, "award", "turn", "waitlist", "skip")
    stage = Stage(watcher, PLACES, [CAMPAIGN_LOCKS, ROW_LOCKS])
    assert await last_who_waits(drawn, servers, stage, owner) == 2
    assert (3, "turns_per_person") in await findings(servers[0])
