"""Cached answers: kept for their seconds and no longer, for their owner and nobody else, and never needed."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from api.routes import campaigns, health, reports
from campaigns.domain.errors import Refused
from campaigns.domain.ids import new_id
from campaigns.gate.cache import (
    MOST_VALUE_BYTES,
    OPEN_CAMPAIGNS,
    OPEN_CAMPAIGNS_SECONDS,
    REPORT,
    REPORT_SECONDS,
    Cache,
    key_of,
)
from campaigns.gate.valkey import Gate, open_gate
from campaigns.services.context import Context
from tests.support.campaign_files import list_file
from tests.support.http import Served, make_key, serve
from tests.support.office import now_of, open_office, published
from tests.support.payworld import PayWorld

LIST = "/v1/open-campaigns"
ROUTES = (*campaigns.ROUTES, *reports.ROUTES, *health.ROUTES)
PAUSE = "UPDATE campaign SET state = 'paused'"


class Source:
    """Counts how often it was asked, and answers with the count."""

    def __init__(self, size_bytes: int = 0) -> None:
        self.asked = 0
        self.size_bytes = size_bytes

    async def compute(self) -> bytes:
        self.asked += 1
        return str(self.asked).encode().ljust(self.size_bytes)


class Outcomes(list[tuple[str, str]]):
    """What a cache said of its readings."""

    def note(self, use: str, outcome: str) -> None:
        self.append((use, outcome))


async def _states(served: Served, query: str = "") -> list[str]:
    response = await served.client.get(LIST + query)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    return [item["state"] for item in response.json()["items"]]


async def test_the_public_list_is_read_once_until_its_copy_ends(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    await published(ctx, await open_office(ctx), list_file(await now_of(ctx)))
    key = key_of(OPEN_CAMPAIGNS, ())
    async with serve(ctx, ROUTES) as served:
        assert await _states(served) == ["published"]
        assert 0 < await ctx.gate.redis.pttl(key) <= OPEN_CAMPAIGNS_SECONDS * 1_000
        await owner.execute(PAUSE)
        assert await _states(served) == ["published"]
        assert await _states(served, "?limit=49") == ["paused"]
        assert len(await ctx.gate.redis.keys("hongbao:cache:*")) == 1, "strangers choose queries, not keys"
        await ctx.gate.redis.delete(key)
        assert await _states(served) == ["paused"]
        text = (await served.client.get("/metrics")).text
        assert 'hongbao_cache_reads_total{outcome="hit",use="open-campaigns"} 1.0' in text
        assert 'hongbao_cache_reads_total{outcome="miss",use="open-campaigns"} 2.0' in text


async def test_a_report_is_cached_for_its_programme_alone(ctx: Context, owner: asyncpg.Connection) -> None:
    world, other = await PayWorld(ctx).start(), await PayWorld(ctx).start()
    campaign_id = await world.campaign()
    await owner.execute("""UPDATE staff SET roles = '["auditor"]'""")
    own = await make_key(owner, world.programme_id, "auditor", ["report.read"], world.author_id)
    foreign = await make_key(owner, other.programme_id, "auditor", ["report.read"], other.author_id)
    bare = await make_key(owner, world.programme_id, "auditor", ["audit.read"], world.author_id)
    kept = key_of(REPORT, (world.programme_id, campaign_id))
    async with serve(ctx, ROUTES) as served:

        async def get(key: str) -> tuple[int, dict[str, object]]:
            answer = await served.client.get(
                f"/v1/campaigns/{campaign_id}/report", headers={"Authorization": f"Bearer {key}"}
            )
            return answer.status_code, answer.json()

        status, first = await get(own)
        assert status == 200
        assert 0 < await ctx.gate.redis.pttl(kept) <= REPORT_SECONDS * 1_000
        await owner.execute(PAUSE)
        assert await get(own) == (200, first), "with the moment it was made at"
        status, refused = await get(foreign)
        assert (status, refused["code"]) == (404, "not_found")
        assert (await get(bare))[0] == 403
        assert await ctx.gate.redis.keys("hongbao:cache:*") == [kept.encode()], "a refusal is not kept"
        await ctx.gate.redis.delete(kept)
        _, second = await get(own)
        assert (first["state"], second["state"]) == ("published", "paused")
        assert str(second["made_at"]) > str(first["made_at"])


async def test_without_valkey_every_answer_is_computed(ctx: Context, owner: asyncpg.Connection) -> None:
    await published(ctx, await open_office(ctx), list_file(await now_of(ctx)))
    gate = open_gate("redis://127.0.0.1:1/0")
    async with serve(Context(pool=ctx.pool, gate=gate, hmac_key=ctx.hmac_key, mode="test"), ROUTES) as served:
        assert await _states(served) == ["published"]
        await owner.execute(PAUSE)
        assert await _states(served) == ["paused"]
        text = (await served.client.get("/metrics")).text
        assert 'hongbao_cache_reads_total{outcome="silent",use="open-campaigns"} 2.0' in text
    await gate.close()


async def test_processes_share_what_is_kept_and_owners_do_not(gate: Gate) -> None:
    one, two = Cache(gate), Cache(gate)
    source, programme_id, campaign_id = Source(), new_id(), new_id()
    owners: list[tuple[UUID, ...]] = [
        (programme_id, campaign_id),
        (new_id(), campaign_id),
        (programme_id, new_id()),
    ]
    assert [await one.read(REPORT, of, source.compute) for of in owners] == [b"1", b"2", b"3"]
    assert [await two.read(REPORT, of, source.compute) for of in owners] == [b"1", b"2", b"3"]
    assert await two.read(OPEN_CAMPAIGNS, owners[0], source.compute) == b"4"


async def test_a_value_too_large_is_answered_and_not_kept(gate: Gate) -> None:
    outcomes, source = Outcomes(), Source(MOST_VALUE_BYTES + 1)
    cache = Cache(gate, outcomes.note)
    for _ in range(2):
        assert len(await cache.read(REPORT, (), source.compute)) == MOST_VALUE_BYTES + 1
    assert source.asked == 2 and outcomes == [("report", "too_large")] * 2
    source.size_bytes = MOST_VALUE_BYTES
    for _ in range(2):
        assert len(await cache.read(REPORT, (), source.compute)) == MOST_VALUE_BYTES
    assert source.asked == 3 and outcomes[2:] == [("report", "miss"), ("report", "hit")]


async def test_readers_at_one_time_share_one_computation(gate: Gate) -> None:
    cache, source, may_end = Cache(gate), Source(), asyncio.Event()

    async def compute() -> bytes:
        await may_end.wait()
        return await source.compute()

    readers = [asyncio.create_task(cache.read(REPORT, (), compute)) for _ in range(20)]
    await asyncio.sleep(0)  # all of them have begun
    readers[0].cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await readers[0]
    assert await asyncio.gather(*readers[1:]) == [b"1"] * 19


async def test_a_computation_nobody_waits_for_ends_and_the_next_reader_has_its_own(gate: Gate) -> None:
    cache, source, began, ended = Cache(gate), Source(), asyncio.Event(), asyncio.Event()

    async def endless() -> bytes:
        began.set()
        try:
            return await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    reader = asyncio.create_task(cache.read(REPORT, (), endless))
    await began.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert await cache.read(REPORT, (), source.compute) == b"1"
    await ended.wait()


async def test_an_error_is_told_and_not_kept(gate: Gate) -> None:
    cache, source = Cache(gate), Source()

    async def refuse() -> bytes:
        raise Refused("not_found")

    with pytest.raises(Refused):
        await cache.read(REPORT, (), refuse)
    assert await cache.read(REPORT, (), source.compute) == b"1"
