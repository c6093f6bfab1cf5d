"""The token bucket in Valkey: exact in sum over processes, open when Valkey is silent."""

import asyncio

import pytest

from campaigns.domain.errors import TryAgain
from campaigns.domain.ids import new_id
from campaigns.gate.rate_limits import Limit, RateLimits
from campaigns.gate.valkey import Gate, open_gate


async def _passed(limits: RateLimits, limit: Limit, count: int) -> int:
    bucket_id = new_id()
    return await _passed_in(limits, bucket_id, limit, count)


async def _passed_in(limits: RateLimits, bucket_id: object, limit: Limit, count: int) -> int:
    passed = 0
    for _ in range(count):
        try:
            await limits.take(bucket_id, limit)  # type: ignore[arg-type]
        except TryAgain as error:
            assert (error.code, error.status) == ("too_many_requests", 429)
            assert error.retry_after_seconds >= 1
        else:
            passed += 1
    return passed


async def test_a_burst_passes_and_no_more(gate: Gate) -> None:
    assert await _passed(RateLimits(gate), Limit(per_second=1, burst=7), 20) == 7


async def test_two_processes_share_one_bucket(gate: Gate) -> None:
    bucket_id, limit = new_id(), Limit(per_second=1, burst=10)
    both = [RateLimits(gate), RateLimits(gate)]
    passed = await asyncio.gather(*(_passed_in(limits, bucket_id, limit, 20) for limits in both))
    assert sum(passed) == 10


async def test_a_lease_counts_in_sum(gate: Gate) -> None:
    limit = Limit(per_second=100, burst=50)
    assert limit.lease == 5
    bucket_id = new_id()
    both = [RateLimits(gate), RateLimits(gate)]
    await both[0].take(bucket_id, limit)
    tokens = float(await gate.redis.hget(f"hongbao:limit:{bucket_id.hex}", "tokens"))
    assert tokens == 45


async def test_requests_that_come_at_once_share_leases(gate: Gate) -> None:
    """A cold bucket of 10,000 tokens and a lease of 1,000: sixty at once are one lease, not sixty."""
    limits, limit, bucket_id = RateLimits(gate), Limit(per_second=5_000, burst=10_000), new_id()
    await asyncio.gather(*(limits.take(bucket_id, limit) for _ in range(60)))
    assert float(await gate.redis.hget(f"hongbao:limit:{bucket_id.hex}", "tokens")) == 9_000
    few = Limit(per_second=1, burst=9)  # leases of one token, and no more at once than there are
    ends = await asyncio.gather(*(limits.take(new, few) for new in [new_id()] * 50), return_exceptions=True)
    assert sum(isinstance(end, TryAgain) for end in ends) in (40, 41)


async def test_a_flood_is_turned_away_together(gate: Gate) -> None:
    """Else each waits for those before it, and each answer wakes all who still wait."""
    limits, limit, bucket_id = RateLimits(gate), Limit(per_second=1, burst=1), new_id()
    await limits.take(bucket_id, limit)
    asked = 0
    ask = limits._given.get

    async def counted(key: object) -> object:
        nonlocal asked
        asked += 1
        return await ask(key)  # type: ignore[arg-type]

    limits._given.get = counted  # type: ignore[assignment, method-assign]
    ends = await asyncio.gather(*(limits.take(bucket_id, limit) for _ in range(200)), return_exceptions=True)
    refused = [(end.code, end.retry_after_seconds) for end in ends if isinstance(end, TryAgain)]
    assert refused == [("too_many_requests", 1)] * 200
    assert asked == 1


async def test_the_bucket_fills_again(gate: Gate) -> None:
    bucket_id, limit = new_id(), Limit(per_second=1_000, burst=1)
    limits = RateLimits(gate)
    await limits.take(bucket_id, limit)
    key = f"hongbao:limit:{bucket_id.hex}"
    await gate.redis.hincrby(key, "at_ms", -5)  # five milliseconds pass
    await limits.take(bucket_id, limit)
    assert 0 < await gate.redis.pttl(key) <= 2_000


async def test_buckets_do_not_mix(gate: Gate) -> None:
    limits, limit = RateLimits(gate), Limit(per_second=1, burst=1)
    assert [await _passed(limits, limit, 2) for _ in range(3)] == [1, 1, 1]


async def test_everything_passes_and_is_counted_while_valkey_is_silent() -> None:
    opened = 0

    def on_open() -> None:
        nonlocal opened
        opened += 1

    gate = open_gate("redis://127.0.0.1:1/0")
    assert await _passed(RateLimits(gate, on_open), Limit(per_second=1, burst=1), 50) == 50
    assert opened == 50
    await gate.close()


def test_a_limit_is_at_least_one() -> None:
    with pytest.raises(AssertionError):
        Limit(per_second=0, burst=1)
