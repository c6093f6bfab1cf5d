"""A small world with every sealed kind of row, and a superuser who tampers with it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import asyncpg
import pytest

from campaigns.domain.principal import Principal
from campaigns.domain.terms.model import Cap, SpendAndSave, Step, Terms
from campaigns.runtime.engines import Databases, Engines
from campaigns.services.capturing import Capture, capture
from campaigns.services.context import Context
from campaigns.services.paying import authorize, redeem
from campaigns.services.refunding import Refund, refund
from campaigns.services.seals import seal_rows
from campaigns.store.audit_log import write_audit
from campaigns.store.seal_checks import SealCheck, verify_seals
from tests.support.payworld import PayWorld, asked

STEPS = SpendAndSave(
    steps=(
        Step(spend_fen=5_000, save_fen=1_000),
        Step(spend_fen=10_000, save_fen=2_200),
        Step(spend_fen=15_000, save_fen=3_000),
    )
)


@dataclass
class Sealed:
    """A world in which one payment was redeemed, and one held, captured in part and refunded in part."""

    ctx: Context
    world: PayWorld
    campaign_id: UUID
    merchant_id: UUID
    person_id: UUID
    voucher_id: UUID
    redeemed: UUID
    captured: UUID

    async def pay(self, basket_fen: int = 5_000) -> UUID:
        """Redeem once more, with a fresh voucher."""
        person = await self.world.person()
        await self.world.voucher(self.campaign_id, person, 10_000)
        till, spend = self.world.till(self.merchant_id), await self.world.spend(person, basket_fen)
        return (await redeem(self.ctx, till, asked(till, spend), spend)).id

    async def verify(self, since: int = 0, known: bytes | None = None) -> SealCheck:
        """Verify on a snapshot, as the service does."""
        async with (
            self.ctx.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await verify_seals(connection, since, known)


@pytest.fixture
async def superuser(engines: Engines, database: Databases) -> AsyncIterator[asyncpg.Connection]:
    """A connection that no trigger stops."""
    connection = await asyncpg.connect(engines.admin.with_database(database.app.database).dsn)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


async def approve(world: PayWorld, owner: asyncpg.Connection, campaign_id: UUID) -> None:
    """Give the campaign's terms their digest, and note the approval in the log of acts."""
    row = await owner.fetchrow("SELECT id, compiled FROM terms_version WHERE campaign_id = $1", campaign_id)
    digest = sha256(row["compiled"].encode()).digest()
    await owner.execute("UPDATE terms_version SET digest = $2 WHERE id = $1", row["id"], digest)
    officer = Principal("staff", world.author_id, world.programme_id)
    facts = {"terms_digest": digest.hex(), "note": 'a "note"\nof 两 lines'}
    async with world.ctx.pool.acquire() as connection:
        await write_audit(
            connection, await world.now(), campaign_id, officer, "campaign.approve", campaign_id, facts
        )


@pytest.fixture
async def unsealed(ctx: Context, owner: asyncpg.Connection) -> Sealed:
    """The world, before anything of it is sealed."""
    world = await PayWorld(ctx).start()
    terms = Terms(benefit=STEPS, caps=(Cap(scope="person", period="day", uses=3, amount_fen=20_000),))
    campaign, merchant, person = await world.campaign(terms), await world.merchant(), await world.person()
    await approve(world, owner, campaign)
    officer = Principal("staff", world.author_id, world.programme_id)
    async with ctx.pool.acquire() as connection:
        await write_audit(connection, await world.now(), None, officer, "merchant.put", None, {})
    voucher = await world.voucher(campaign, person, 10_000)
    till, spend = world.till(merchant), await world.spend(person, 5_000)
    redeemed = await redeem(ctx, till, asked(till, spend), spend)
    spend = await world.spend(person, 16_000)
    held = await authorize(ctx, till, asked(till, spend), spend)
    part, goods = Capture(basket_fen=12_000), Refund(returned_goods_fen=3_000)
    await capture(ctx, till, asked(till, part), held.id, part)
    await refund(ctx, till, asked(till, goods), held.id, goods)
    return Sealed(ctx, world, campaign, merchant, person, voucher, redeemed.id, held.id)


@pytest.fixture
async def sealed(unsealed: Sealed) -> Sealed:
    """The world with all its rows in one block."""
    assert await seal_rows(unsealed.ctx) == 1
    return unsealed
