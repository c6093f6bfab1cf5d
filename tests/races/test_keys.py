"""A request key at two servers: a hundred copies have one effect and one answer, another body has none."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from campaigns.services.codes import make_code
from campaigns.services.context import Context
from campaigns.services.paying import authorize
from tests.races.conftest import Servers
from tests.races.stage import ROW_LOCKS, Stage
from tests.races.support import disarm, findings, tally
from tests.support.payworld import PayWorld, asked

COPIES = 100
BASKET_FEN = 100
KEY = "receipt-1"
ANSWERS = r"\bINSERT INTO idempotency "


class Holder:
    """A person with enough on one voucher, who sends all requests under one key."""

    def __init__(self, world: PayWorld) -> None:
        self.world = world

    async def start(self) -> "Holder":
        self.shop, self.person = await self.world.merchant(), await self.world.person()
        await self.world.voucher(await self.world.campaign(), self.person, 100_000)
        self.principal = self.world.holder(self.person)
        return self

    def hold(self, server: Context, basket_fen: int = BASKET_FEN) -> Any:
        spend = self.world.at_counter(self.shop, basket_fen)
        return authorize(server, self.principal, asked(self.principal, spend, KEY), spend)

    async def baskets(self) -> list[int]:
        async with self.world.ctx.pool.acquire() as connection:
            return [row[0] for row in await connection.fetch("SELECT basket_fen FROM payment ORDER BY 1")]


@pytest.fixture
async def holder(world: PayWorld) -> Holder:
    return await Holder(world).start()


class Forgetful(dict[Any, Any]):
    """The requests on their way, of a server that knows of none: doubles do not wait for their first one."""

    def get(self, key: Any, default: Any = None) -> None:
        return None

    def __delitem__(self, key: Any) -> None:
        self.pop(key, None)


async def test_100_copies_have_one_effect_and_one_answer(
    holder: Holder, servers: Servers, watcher: asyncpg.Connection
) -> None:
    stage = Stage(watcher)
    playing = [stage.server(ctx) for ctx in servers]
    ends = await stage.meet(*(holder.hold(playing[n % 2]) for n in range(COPIES)), parties=len(servers))
    assert tally(ends) == {"held": COPIES}
    assert all(end == ends[0] for end in ends)
    assert await holder.baskets() == [BASKET_FEN]
    assert await findings(holder.world.ctx) == set()


async def test_control_without_the_keys_row_and_memory_each_copy_pays(
    holder: Holder, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    """Nothing is wrong in the books: the limit is the number of effects."""
    assert await disarm(owner, "idempotency") >= {"idempotency_pkey"}
    stage = Stage(watcher, without=[ROW_LOCKS])
    playing = [stage.server(ctx) for ctx in servers]
    for server in playing:
        assert server.payments._named == {}
        server.payments._named = Forgetful()
    ends = await stage.meet(*(holder.hold(playing[n % 2]) for n in range(COPIES)), parties=len(servers))
    assert tally(ends) == {"held": COPIES}
    assert await holder.baskets() == [BASKET_FEN] * COPIES


@pytest.mark.parametrize("baskets", [(100, 200), (200, 100)], ids=["smaller first", "larger first"])
@pytest.mark.parametrize("apart", [True, False], ids=["two servers", "one server"])
async def test_another_body_under_the_key_has_no_effect(
    holder: Holder, servers: Servers, watcher: asyncpg.Connection, baskets: tuple[int, int], apart: bool
) -> None:
    stage = Stage(watcher)
    first, second = stage.server(servers[0]), stage.server(servers[1])
    ends = await stage.all_in_turn(
        [holder.hold(first, baskets[0])], lambda: [holder.hold(second if apart else first, baskets[1])],
        parties=2 if apart else 1,
    )  # fmt: skip
    assert [tally([end]).popitem()[0] for end in ends] == ["held", "idempotency_key_reused"]
    assert await holder.baskets() == [baskets[0]]
    assert await findings(holder.world.ctx) == set()


@pytest.mark.parametrize("baskets", [(100, 200), (200, 100)], ids=["smaller first", "larger first"])
async def test_control_without_the_keys_row_both_bodies_pay(
    holder: Holder, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection, baskets: tuple[int, int]
) -> None:  # fmt: skip
    await disarm(owner, "idempotency")
    stage = Stage(watcher, without=[ROW_LOCKS])
    first, second = stage.server(servers[0]), stage.server(servers[1])
    ends = await stage.in_turn(holder.hold(first, baskets[0]), lambda: holder.hold(second, baskets[1]))
    assert tally(ends) == {"held": 2}
    assert await holder.baskets() == [100, 200]


async def hold_and_code(holder: Holder, servers: Servers, stage: Stage) -> dict[str, int]:
    """A hold in the lanes and a payment code in a transaction of its own, under one key, meet as they store answers."""
    first, second = (stage.server(ctx) for ctx in servers)
    code = make_code(second, holder.principal, asked(holder.principal, "code", KEY))
    return dict(tally(await stage.meet(holder.hold(first), code)))


async def test_two_kinds_of_request_under_one_key_have_one_effect(
    holder: Holder, servers: Servers, watcher: asyncpg.Connection
) -> None:
    ends = await hold_and_code(holder, servers, Stage(watcher, ANSWERS))
    assert ends.pop("idempotency_key_reused") == 1
    assert ends in ({"held": 1}, {"done": 1})
    assert len(await holder.baskets()) == ends.get("held", 0)
    assert await findings(holder.world.ctx) == set()


async def test_control_without_the_keys_row_both_kinds_have_theirs(
    holder: Holder, servers: Servers, watcher: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    await disarm(owner, "idempotency")
    assert await hold_and_code(holder, servers, Stage(watcher, ANSWERS)) == {"held": 1, "done": 1}


async def test_keys_of_two_principals_are_two(holder: Holder, servers: Servers, watcher: asyncpg.Connection) -> None:  # fmt: skip
    """The same key of somebody else at the same moment is another request."""
    other = await Holder(holder.world).start()
    stage = Stage(watcher)
    ends = await stage.meet(holder.hold(stage.server(servers[0])), other.hold(stage.server(servers[1])))
    ids: set[UUID] = {end.id for end in ends}
    assert tally(ends) == {"held": 2} and len(ids) == 2
    assert await findings(holder.world.ctx) == set()
