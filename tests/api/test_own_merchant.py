"""A merchant's back office reads its own stores, payments and balance, and nobody else's."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from api.routes import own_merchant
from campaigns.domain.ids import new_id
from campaigns.domain.ledger import Account, Lines
from campaigns.domain.roles import KIND_SCOPES
from campaigns.services.context import Context
from campaigns.services.paying import authorize, redeem
from campaigns.services.refunding import Refund, refund, undo
from campaigns.store.ledger import balances, write_transfers
from tests.support.http import make_key, serve
from tests.support.payworld import PayWorld, asked
from tests.support.reader import Reader


@dataclass
class Shops:
    """Two merchants of a programme where one person has ¥1,000, and a reader for each."""

    world: PayWorld
    owner: asyncpg.Connection
    campaign_id: UUID
    person: UUID
    mine: UUID
    other: UUID
    reader: Reader
    others_reader: Reader

    async def pay(self, shop: UUID, basket_fen: int) -> UUID:
        till, spend = self.world.till(shop), await self.world.spend(self.person, basket_fen)
        return (await redeem(self.world.ctx, till, asked(till, spend), spend)).id

    async def give_back(self, shop: UUID, payment_id: UUID, goods_fen: int) -> None:
        till, goods = self.world.till(shop), Refund(returned_goods_fen=goods_fen)
        await refund(self.world.ctx, till, asked(till, goods), payment_id, goods)

    async def set_time(self, payment_id: UUID, at: str) -> None:
        await self.owner.execute(
            "UPDATE payment SET authorized_at = $2 WHERE id = $1", payment_id, datetime.fromisoformat(at)
        )

    async def ids(self, **query: str) -> list[str]:
        return [one["id"] for one in await self.reader.walk("/v1/merchant/payments", **query)]


@pytest.fixture
async def shops(ctx: Context, owner: asyncpg.Connection) -> AsyncIterator[Shops]:
    world = await PayWorld(ctx).start()
    campaign, person = await world.campaign(), await world.person()
    mine, other = await world.merchant(), await world.merchant()
    await world.voucher(campaign, person, 100_000)
    keys = [
        await make_key(owner, world.programme_id, "merchant", ["merchant.read"], one) for one in (mine, other)
    ]
    async with serve(ctx, own_merchant.ROUTES) as served:
        readers = [Reader(served, key) for key in keys]
        yield Shops(world, owner, campaign, person, mine, other, *readers)


async def test_a_merchant_reads_itself_its_stores_and_tills(shops: Shops) -> None:
    row = await shops.world.row("merchant", shops.mine)
    later = sorted(new_id() for _ in range(2))  # two ids of one millisecond stand in any order
    for code, store_id in zip(("s2", "s3"), later, strict=True):
        await shops.owner.execute(
            "INSERT INTO store (id, merchant_id, code, name, place, zones, scenario, active)"
            " VALUES ($1, $2, $3, 'S', '370124', '[]', 'retail', true)",
            store_id, shops.mine, code,
        )  # fmt: skip
    found = await shops.reader.read("/v1/merchant")
    assert (found["merchant"]["id"], found["merchant"]["code"]) == (str(shops.mine), row["code"])
    stores = found["stores"]["items"]
    assert [one["store"]["code"] for one in stores] == ["s", "s2", "s3"]
    [till] = stores[0]["terminals"]
    assert (till["id"], till["key"]) == (str(shops.world.merchants[shops.mine]), None)
    assert stores[1]["terminals"] == []

    page = await shops.reader.read("/v1/merchant", limit=2)
    rest = await shops.reader.read("/v1/merchant", cursor=page["stores"]["next_cursor"])
    assert page["stores"]["items"] + rest["stores"]["items"] == stores
    others = await shops.others_reader.read("/v1/merchant")
    assert str(shops.mine) not in str(others) and str(shops.world.merchants[shops.mine]) not in str(others)


async def test_payments_are_the_own_ones_newest_first_with_what_came_back(shops: Shops) -> None:
    first, second, third = [await shops.pay(shops.mine, fen) for fen in (3_000, 2_000, 1_000)]
    theirs = await shops.pay(shops.other, 4_000)
    await shops.give_back(shops.mine, first, 1_000)
    till = shops.world.till(shops.mine)
    await undo(shops.world.ctx, till, asked(till, "undo"), second)
    spend = await shops.world.spend(shops.person, 500)
    hold = (await authorize(shops.world.ctx, till, asked(till, spend), spend)).id
    paid = await shops.reader.walk("/v1/merchant/payments")
    assert [(one["id"], one["state"], one["captured_fen"], one["refunded_fen"]) for one in paid] == [
        (str(hold), "held", 0, 0),
        (str(third), "captured", 1_000, 0),
        (str(second), "undone", 2_000, 2_000),
        (str(first), "captured", 3_000, 1_000),
    ]
    assert await shops.reader.walk("/v1/merchant/payments", limit=1) == paid
    assert [one["id"] for one in await shops.others_reader.walk("/v1/merchant/payments")] == [str(theirs)]
    assert str(shops.person) not in str(paid)
    assert all(line["voucher_id"] is None for one in paid for line in one["lines"])


async def test_a_day_is_that_of_the_campaigns_zone_and_instants_are_from_until_before(shops: Shops) -> None:
    late, early = [await shops.pay(shops.mine, fen) for fen in (3_000, 2_000)]
    await shops.set_time(late, "2026-10-01T15:59:59+00:00")  # 23:59:59 in Shanghai
    await shops.set_time(early, "2026-10-01T16:00:00+00:00")  # midnight of the next day there
    assert await shops.ids(day="2026-10-01") == [str(late)]
    assert await shops.ids(day="2026-10-02") == [str(early)]
    await shops.owner.execute("UPDATE campaign SET time_zone = 'UTC' WHERE id = $1", shops.campaign_id)
    assert await shops.ids(day="2026-10-01") == [str(early), str(late)]
    assert await shops.ids(day="2026-10-02") == []
    midnight = "2026-10-02T00:00:00+08:00"
    assert await shops.ids(**{"from": midnight}) == [str(early)]
    assert await shops.ids(to=midnight) == [str(late)]
    assert await shops.ids(**{"from": "2026-10-01T00:00:00Z", "to": "2026-10-02T00:00:00Z"}) == [
        str(early),
        str(late),
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"day": "2026-02-30"},
        {"day": "yesterday"},
        {"from": "2026-10-01T00:00:00"},
        {"day": "2026-10-01", "from": "2026-10-01T00:00:00Z"},
        {"start": "2026-10-01T00:00:00Z"},
        {"merchant_id": "x"},
    ],
    ids=str,
)
async def test_a_query_that_means_nothing_is_refused(shops: Shops, query: dict[str, str]) -> None:
    status, body = await shops.reader.get("/v1/merchant/payments", **query)
    assert (status, body["code"]) == (422, "query_invalid")
    assert (
        body["facts"]["detail_zh"] != body["facts"]["detail"] and body["facts"]["detail_zh"] in body["detail"]
    )


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
async def test_the_calendar_has_ends(shops: Shops, moment: str) -> None:
    beyond = moment.replace("Z", "+23:59" if moment < "1" else "-23:59")
    for name in ("from", "to"):
        status, body = await shops.reader.get("/v1/merchant/payments", **{name: moment})
        assert status == 200, body
        status, body = await shops.reader.get("/v1/merchant/payments", **{name: beyond})
        assert (status, body["code"], body["facts"]["parameter"]) == (422, "query_invalid", name)
    status, body = await shops.reader.get("/v1/merchant/payments", day=moment[:10])
    assert status == 200, body


async def test_the_balance_is_that_of_the_ledger(shops: Shops) -> None:
    second_campaign, second_person = await shops.world.campaign(), await shops.world.person()
    await shops.world.voucher(second_campaign, second_person, 50_000)
    payment = await shops.pay(shops.mine, 30_000)
    await shops.pay(shops.other, 11_000)
    await shops.give_back(shops.mine, payment, 5_000)
    shops.person = second_person
    await shops.pay(shops.mine, 7_000)
    lines = Lines(new_id())
    lines.pay_out(shops.campaign_id, shops.world.operator_id, shops.mine, 20_000)
    lines.pay_out(shops.campaign_id, shops.world.operator_id, shops.other, 1_000)
    lines.bank_return(shops.campaign_id, shops.world.operator_id, shops.mine, 3_000)
    async with shops.world.ctx.pool.acquire() as connection:
        await write_transfers(connection, lines.transfers, datetime.now(UTC))
        booked = {
            str(campaign_id): await balances(connection, campaign_id)
            for campaign_id in (shops.campaign_id, second_campaign)
        }
    found = await shops.reader.read("/v1/merchant/balance")
    assert (found["payable_fen"], found["paid_fen"]) == (25_000 - 17_000 + 7_000, 17_000)
    assert [one["campaign_id"] for one in found["campaigns"]] == sorted(booked)
    for one in found["campaigns"]:
        ledger = booked[one["campaign_id"]]
        assert one["payable_fen"] == ledger[Account("payable", shops.mine)]
        assert one["paid_fen"] == ledger.get(Account("paid", shops.mine), 0)
        assert one["name"] == {"zh": "活动", "en": "Campaign"}
    others = await shops.others_reader.read("/v1/merchant/balance")
    assert (others["payable_fen"], others["paid_fen"]) == (10_000, 1_000)


async def test_a_merchant_of_another_programme_reads_nothing_of_this_one(ctx: Context, shops: Shops) -> None:
    await shops.pay(shops.mine, 3_000)
    world = await PayWorld(ctx).start()
    merchant_id = await world.merchant()
    key = await make_key(shops.owner, world.programme_id, "merchant", ["merchant.read"], merchant_id)
    foreign = Reader(shops.reader.served, key)
    assert await foreign.walk("/v1/merchant/payments") == []
    assert (await foreign.read("/v1/merchant/balance"))["campaigns"] == []
    assert (await foreign.read("/v1/merchant"))["merchant"]["id"] == str(merchant_id)


@pytest.mark.parametrize("path", ["/v1/merchant", "/v1/merchant/payments", "/v1/merchant/balance"])
async def test_merchants_alone_read_it(shops: Shops, path: str) -> None:
    world = shops.world
    subjects = {
        "terminal": world.merchants[shops.mine], "operator": world.operator_id, "channel": None,
    }  # fmt: skip
    for kind, subject in subjects.items():
        key = await make_key(shops.owner, world.programme_id, kind, sorted(KIND_SCOPES[kind]), subject)  # type: ignore[index]
        status, body = await Reader(shops.reader.served, key).get(path)
        assert (status, body["code"]) == (403, "principal_not_allowed")
