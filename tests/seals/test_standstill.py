"""Sealing that stands still is told of: a meter has the age of what waits, and one line of the log the cause."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from api.routes import health
from campaigns.domain.errors import TryAgain
from campaigns.runtime.engines import Databases
from campaigns.runtime.workers import Loop
from campaigns.services.sealing_state import OPEN_TRANSACTION, STANDSTILL_SECONDS, TOO_SLOW, SealingState
from campaigns.services.seals import NUMBERS_BEHIND, keep_sealing, seal_rows
from campaigns.store.seals import Unsealed, oldest_unsealed
from tests.seals.conftest import Sealed
from tests.support.http import serve
from tests.support.paychecks import let_pass

LONG = timedelta(minutes=5)


class Told:
    """A clock that the test moves, and what was told."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.causes: list[tuple[str, float]] = []
        self.state = SealingState(lambda: self.seconds)
        self.state.watch(lambda cause, seconds: self.causes.append((cause, seconds)))


@pytest.mark.parametrize(("settled", "cause"), [(True, TOO_SLOW), (False, OPEN_TRANSACTION)])
def test_rows_that_wait_for_long_are_told_of_once(settled: bool, cause: str) -> None:
    told = Told()
    told.state.seen(Unsealed(STANDSTILL_SECONDS - 1, settled))
    told.state.ended()
    assert told.causes == [] and told.state.behind_seconds() == STANDSTILL_SECONDS - 1
    told.seconds += 5
    assert told.state.behind_seconds() == STANDSTILL_SECONDS + 4, "it grows though no round comes"
    for _ in range(3):
        told.state.seen(Unsealed(STANDSTILL_SECONDS + 4, settled))
        told.state.ended()
    assert told.causes == [(cause, STANDSTILL_SECONDS + 4)]
    told.state.seen(None)
    assert told.state.behind_seconds() == 0
    told.state.seen(Unsealed(STANDSTILL_SECONDS, settled))
    assert len(told.causes) == 2, "a new standstill is told anew"


def test_what_no_round_gets_past_is_told_at_once_and_counts_its_time() -> None:
    told = Told()
    for _ in range(3):
        told.state.seen(None)  # with numbers behind, what was written since seems to be sealed
        told.state.ended(NUMBERS_BEHIND)
        told.seconds += 5
    assert told.causes == [(NUMBERS_BEHIND, 0)] and told.state.behind_seconds() == 15
    told.state.ended()
    assert told.state.behind_seconds() == 0


async def test_an_open_transaction_is_told_as_the_cause(
    unsealed: Sealed, database: Databases, owner: asyncpg.Connection
) -> None:
    ctx, causes = unsealed.ctx, []
    ctx.sealing.watch(lambda cause, seconds: causes.append((cause, seconds > STANDSTILL_SECONDS)))
    late = await asyncpg.connect(database.app.dsn)
    slow = late.transaction()
    await slow.start()
    await late.fetchval("SELECT pg_current_xact_id()")
    await unsealed.pay()
    await keep_sealing(ctx)
    assert causes == []
    await let_pass(unsealed.world, LONG)
    for _ in range(2):
        assert await keep_sealing(ctx) == 0
    assert causes == [(OPEN_TRANSACTION, True)]
    assert ctx.sealing.behind_seconds() >= LONG.total_seconds()
    await slow.rollback()
    await late.close()
    assert await keep_sealing(ctx) == 1
    assert ctx.sealing.behind_seconds() == 0
    async with ctx.pool.acquire() as connection:
        assert await oldest_unsealed(connection) is None


@pytest.mark.parametrize("table", ["transfer", "voucher", "audit"])
async def test_the_age_is_that_of_the_oldest_row_of_any_kind(
    sealed: Sealed, superuser: asyncpg.Connection, table: str
) -> None:
    await sealed.pay()
    await superuser.execute(
        "INSERT INTO audit (at, programme_id, actor_kind, actor_id, action, facts)"
        " VALUES (now(), $1, 'staff', $1, 'test', '{}')",
        uuid4(),
    )
    column = "granted_at" if table == "voucher" else "at"
    waiting = "tx >= (SELECT max(upto_tx) FROM seal_block)"
    await superuser.execute(f"UPDATE {table} SET {column} = now() - interval '1 hour' WHERE {waiting}")
    async with sealed.ctx.pool.acquire() as connection:
        oldest = await oldest_unsealed(connection)
    assert oldest is not None and oldest.settled and 3_600 <= oldest.age_seconds < 3_660


async def test_the_meter_and_the_log_tell_that_a_block_is_missing(
    sealed: Sealed, superuser: asyncpg.Connection
) -> None:
    for _ in range(2):
        await sealed.pay()
        assert await seal_rows(sealed.ctx) == 1
    await superuser.execute("DELETE FROM seal_block WHERE number = 2")
    await superuser.execute(
        "UPDATE seal_block SET number = 5 WHERE number = 3"
    )  # block 6 has to name block 4
    await sealed.pay()
    await let_pass(sealed.world, LONG)
    rounds = asyncio.Semaphore(0)

    async def step(ctx: object) -> None:
        try:
            await keep_sealing(sealed.ctx)
        except TryAgain:
            rounds.release()
            raise

    async with serve(sealed.ctx, health.ROUTES, [Loop("seals", 0.01, step, may_be_cut=True)]) as served:
        for _ in range(3):
            await asyncio.wait_for(rounds.acquire(), 10)
        text = (await served.client.get("/metrics")).text
        lines = [line for line in served.lines() if line["event"] == "sealing_stands_still"]
    [behind] = [line for line in text.splitlines() if line.startswith("hongbao_unsealed_seconds ")]
    assert float(behind.split()[1]) >= LONG.total_seconds()
    assert [(line["cause"], line["level"]) for line in lines][-1] == ("seal_violated", "warning")
    assert len(lines) <= 2  # the first look finds old rows before the round finds why
