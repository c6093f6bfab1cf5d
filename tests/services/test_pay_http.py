"""Paying over HTTP: a till, a holder's channel and a merchant, with what each may see."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from api.routes import codes, payments, refunds
from campaigns.domain.roles import KIND_SCOPES
from campaigns.services.context import Context
from tests.support.http import Served, make_key, serve
from tests.support.payworld import PayWorld, check_books
from tests.support.rowcounts import all_row_counts

ROUTES = (*codes.ROUTES, *payments.ROUTES, *refunds.ROUTES)


@dataclass
class Town:
    """A world that is served, and keys of those who act in it."""

    world: PayWorld
    served: Served
    owner: asyncpg.Connection
    shop: UUID
    person: UUID
    voucher: UUID
    till: str
    merchant: str
    channel: str

    async def post(self, key: str, path: str, body: object, request_key: str = "") -> httpx.Response:
        return await self.served.client.post(
            path,
            json=body,
            headers={
                "Authorization": f"Bearer {key}",
                "Hongbao-Person": str(self.person),
                "Idempotency-Key": request_key or self.served.next_key(),
            },
        )

    async def get(self, key: str, path: str) -> Any:
        headers = {"Authorization": f"Bearer {key}", "Hongbao-Person": str(self.person)}
        response = await self.served.client.get(path, headers=headers)
        assert response.status_code == 200, response.text
        return response.json()

    async def code(self) -> str:
        return str((await self.post(self.channel, "/v1/payment-codes", {})).json()["code"])

    async def key(self, kind: str, subject: UUID | None) -> str:
        return await make_key(self.owner, self.world.programme_id, kind, sorted(KIND_SCOPES[kind]), subject)


@pytest.fixture
async def town(ctx: Context, owner: asyncpg.Connection) -> AsyncIterator[Town]:
    world = await PayWorld(ctx).start()
    shop, person = await world.merchant(), await world.person()
    voucher = await world.voucher(await world.campaign(), person, 20_000)
    async with serve(ctx, ROUTES) as served:
        town = Town(world, served, owner, shop, person, voucher, "", "", "")
        town.till = await town.key("terminal", world.merchants[shop])
        town.merchant = await town.key("merchant", shop)
        town.channel = await town.key("channel", None)
        yield town


async def test_a_purchase_from_code_to_refund(town: Town) -> None:
    spend = {"payment_code": await town.code(), "basket_fen": 5_000}
    quoted = (await town.post(town.till, "/v1/quotes", spend)).json()
    assert (quoted["subsidy_fen"], quoted["vouchers"]) == (5_000, [])
    paid = await town.post(town.till, "/v1/redemptions", spend, "till-1")
    again = await town.post(town.till, "/v1/redemptions", spend, "till-1")
    assert (paid.status_code, paid.content) == (201, again.content)
    other = await town.post(town.till, "/v1/redemptions", {**spend, "basket_fen": 5_001}, "till-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    path = f"/v1/payments/{paid.json()['id']}"
    refunded = await town.post(town.merchant, f"{path}/refunds", {"returned_goods_fen": 2_000})
    assert (refunded.status_code, refunded.json()["back_fen"]) == (201, 2_000)
    wish = await town.post(town.channel, f"/v1/holder{path.removeprefix('/v1')}/undo", {})
    assert wish.json()["undo_asked_at"] is not None
    undone = await town.post(town.till, f"{path}/undo", {})
    assert (undone.json()["payment"]["state"], undone.json()["back_fen"]) == ("undone", 3_000)
    for response in (paid, refunded, undone):
        assert str(town.person) not in response.text and str(town.voucher) not in response.text
    listed = await town.get(town.merchant, "/v1/payments")
    assert listed["items"] == [await town.get(town.till, path)]
    mine = await town.get(town.channel, f"/v1/holder{path.removeprefix('/v1')}")
    assert [line["voucher_id"] for line in mine["lines"]] == [str(town.voucher)]
    (voucher,) = (await town.get(town.channel, "/v1/vouchers"))["items"]
    assert (voucher["id"], voucher["balance_fen"], voucher["uses"]) == (str(town.voucher), 20_000, 0)
    assert (await town.get(town.channel, f"/v1/vouchers/{town.voucher}"))["contract"]["en"]
    await check_books(town.world.ctx)


async def test_a_store_code_hold_and_an_announced_amount(town: Town) -> None:
    spend = {"store_code": town.world.store_codes[town.shop], "basket_fen": 4_000}
    hold = (await town.post(town.channel, "/v1/holder/authorizations", spend)).json()
    pending = (await town.get(town.till, "/v1/authorizations?pending=true"))["items"]
    assert [one["id"] for one in pending] == [hold["id"]]
    captured = await town.post(town.till, f"/v1/payments/{hold['id']}/capture", {"basket_fen": 3_000})
    assert captured.json()["captured_fen"] == 3_000
    second = (await town.post(town.channel, "/v1/holder/authorizations", spend)).json()
    voided = await town.post(town.channel, f"/v1/holder/payments/{second['id']}/void", {})
    assert voided.json()["state"] == "voided"
    await town.post(town.till, "/v1/announcements", {"amount_fen": 4_000})
    assert (await town.post(town.channel, "/v1/holder/quotes", spend)).json()["announced_fen"] == 4_000
    assert (await town.post(town.channel, "/v1/holder/redemptions", spend)).status_code == 201
    refused = await town.post(town.channel, "/v1/holder/redemptions", spend)
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_announced")
    await check_books(town.world.ctx)


async def test_a_foreign_till_finds_no_payment(town: Town) -> None:
    paid = await town.post(
        town.till, "/v1/redemptions", {"payment_code": await town.code(), "basket_fen": 100}
    )
    foreign = await town.key("terminal", town.world.merchants[await town.world.merchant()])
    bodies = {"capture": {}, "void": {}, "undo": {}, "refunds": {"returned_goods_fen": 1}}
    for verb, body in bodies.items():
        known = await town.post(foreign, f"/v1/payments/{paid.json()['id']}/{verb}", body)
        unknown = await town.post(foreign, f"/v1/payments/{town.voucher}/{verb}", body)
        assert (known.status_code, known.json()["code"]) == (404, "not_found")
        assert {**known.json(), "instance": ""} == {**unknown.json(), "instance": ""}


@pytest.mark.parametrize(
    "amount", ["-1", "0", "100000001", "1.0", "1e3", '"100"', '"１００"', "true", "null"]
)
async def test_an_amount_that_is_none_changes_nothing(town: Town, amount: str) -> None:
    code = await town.code()
    before = await all_row_counts(town.owner)
    for key, path, member in (
        (town.till, "/v1/redemptions", "basket_fen"),
        (town.till, "/v1/authorizations", "basket_fen"),
        (town.till, "/v1/announcements", "amount_fen"),
        (town.till, f"/v1/payments/{town.voucher}/refunds", "returned_goods_fen"),
    ):
        rest = f', "payment_code": "{code}"' if member == "basket_fen" else ""
        response = await town.served.client.post(
            path,
            content=f'{{"{member}": {amount}{rest}}}'.encode(),
            headers={
                "Authorization": f"Bearer {key}",
                "Idempotency-Key": town.served.next_key(),
                "Content-Type": "application/json",
            },
        )
        assert (response.status_code, response.json()["code"]) == (422, "body_invalid")
    assert await all_row_counts(town.owner) == before
