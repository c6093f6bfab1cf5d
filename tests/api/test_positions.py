"""An operator reads what it holds and whom it receives for, and nothing of other operators."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from api.routes import operators
from campaigns.domain.ids import new_id
from campaigns.services.context import Context
from campaigns.services.paying import authorize, redeem
from tests.support.http import Served, make_key, serve
from tests.support.payworld import PayWorld, asked
from tests.support.reader import Reader


@dataclass
class Banks:
    """Two operators: ``bank`` keeps the money of the first campaign, ``branch`` that of the second.

    A shop of each. In the first campaign ¥300 were spent at the bank's shop and ¥200 at the branch's, and ¥50 are
    held; nothing was spent in the second.
    """

    world: PayWorld
    served: Served
    owner: asyncpg.Connection
    first: UUID
    second: UUID
    shops: dict[str, UUID]
    readers: dict[str, Reader] = field(default_factory=dict)

    async def positions(self, bank: str, **query: Any) -> list[Any]:
        return await self.readers[bank].walk("/v1/operator/positions", **query)

    async def payables(self, bank: str, campaign_id: UUID, **query: Any) -> list[Any]:
        return await self.readers[bank].walk(f"/v1/operator/campaigns/{campaign_id}/payables", **query)


@pytest.fixture
async def banks(ctx: Context, owner: asyncpg.Connection) -> AsyncIterator[Banks]:
    world = await PayWorld(ctx).start()
    operators_ = {"bank": world.operator_id, "branch": new_id()}
    await owner.execute(
        "INSERT INTO operator (id, programme_id, code, name_zh, name_en) VALUES ($1, $2, 'branch', '支行', 'Branch')",
        operators_["branch"],
        world.programme_id,
    )
    shops = {name: await world.merchant() for name in operators_}
    await owner.execute(
        "UPDATE merchant SET acquiring_operator_id = $2 WHERE id = $1", shops["branch"], operators_["branch"]
    )
    first, person = await world.campaign(budget_fen=1_000_000), await world.person()
    await world.voucher(first, person, 100_000)
    for name, fen in (("bank", 30_000), ("branch", 20_000)):
        till, spend = world.till(shops[name]), await world.spend(person, fen)
        await redeem(ctx, till, asked(till, spend), spend)
    till, spend = world.till(shops["bank"]), await world.spend(person, 5_000)
    await authorize(ctx, till, asked(till, spend), spend)
    world.operator_id = operators_["branch"]
    second = await world.campaign(budget_fen=500_000)
    async with serve(ctx, operators.ROUTES) as served:
        found = Banks(world, served, owner, first, second, shops)
        for name, operator_id in operators_.items():
            key = await make_key(owner, world.programme_id, "operator", ["operator.read"], operator_id)
            found.readers[name] = Reader(served, key)
        yield found


async def test_each_operator_reads_its_custody_and_its_merchants(banks: Banks) -> None:
    [one] = await banks.positions("bank")
    assert (one["campaign_id"], one["state"]) == (str(banks.first), "published")
    assert one["custody"] == {
        "funded_fen": 1_000_000,
        "escrow_fen": 900_000,
        "outstanding_fen": 45_000,
        "held_fen": 5_000,
    }
    assert one["receiving"] == {"merchants": 1, "payable_fen": 30_000, "paid_fen": 0}

    newest, oldest = await banks.positions("branch", limit=1)
    assert (newest["campaign_id"], oldest["campaign_id"]) == (str(banks.second), str(banks.first))
    assert newest["custody"] == {
        "funded_fen": 500_000,
        "escrow_fen": 500_000,
        "outstanding_fen": 0,
        "held_fen": 0,
    }
    assert newest["receiving"] is None and oldest["custody"] is None
    assert oldest["receiving"] == {"merchants": 1, "payable_fen": 20_000, "paid_fen": 0}


async def test_payables_name_the_merchants_bound_to_the_operator_alone(banks: Banks) -> None:
    for name, fen in (("bank", 30_000), ("branch", 20_000)):
        [one] = await banks.payables(name, banks.first)
        code = (await banks.world.row("merchant", banks.shops[name]))["code"]
        assert one == {
            "merchant_id": str(banks.shops[name]), "code": code, "name": "M", "payable_fen": fen, "paid_fen": 0,
        }  # fmt: skip
        assert await banks.payables(name, banks.second) == []
    await banks.owner.execute("UPDATE merchant SET acquiring_operator_id = $1", banks.world.operator_id)
    both = await banks.payables("branch", banks.first, limit=1)
    assert [one["merchant_id"] for one in both] == sorted(str(shop) for shop in banks.shops.values())
    assert await banks.payables("bank", banks.first) == []
    [custody_only] = await banks.positions("bank")
    assert custody_only["receiving"] is None


async def test_an_operator_of_another_programme_reads_nothing_of_this_one(ctx: Context, banks: Banks) -> None:
    other = await PayWorld(ctx).start()
    key = await make_key(banks.owner, other.programme_id, "operator", ["operator.read"], other.operator_id)
    foreign = Reader(banks.served, key)
    assert await foreign.walk("/v1/operator/positions") == []
    for campaign_id in (banks.first, new_id()):
        status, body = await foreign.get(f"/v1/operator/campaigns/{campaign_id}/payables")
        assert (status, body["code"]) == (404, "not_found")


async def test_operators_alone_read_it(banks: Banks) -> None:
    for kind, scope, subject in (
        ("merchant", "merchant.read", banks.shops["bank"]),
        ("auditor", "audit.read", banks.world.author_id),
    ):
        key = await make_key(banks.owner, banks.world.programme_id, kind, [scope], subject)
        status, body = await Reader(banks.served, key).get("/v1/operator/positions")
        assert (status, body["code"]) == (403, "principal_not_allowed")
