"""Small steps that tests of paying share."""

from datetime import timedelta

import pytest

from campaigns.domain.errors import Refused
from tests.support.payworld import PayWorld, check_books


async def refused_unchanged(world: PayWorld, verb: object, *args: object) -> tuple[str, int]:
    """Call a verb that is refused and leaves the books as they are; answers code and status."""
    before = await world.count("transfer")
    with pytest.raises(Refused) as refused:
        await verb(*args)  # type: ignore[operator]
    assert await world.count("transfer") == before
    await check_books(world.ctx)
    return refused.value.code, refused.value.status


async def let_pass(world: PayWorld, by: timedelta) -> None:
    """Let campaign time pass over open holds and codes, as real time does."""
    async with world.ctx.pool.acquire() as connection:
        await connection.execute("UPDATE clock SET shift = shift + $1", by)
