"""A holder reads why the till was told no: their own refusals alone, newest first, with facts and sentences."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import httpx
import pytest

from api.routes import payments
from campaigns.domain.errors import Invalid, Refused
from campaigns.domain.roles import KIND_SCOPES
from campaigns.domain.terms.model import Cap, Terms
from campaigns.services.context import Context
from campaigns.services.own_refusals import OwnRefusal, my_refusals
from campaigns.services.paging import PageQuery
from campaigns.services.paying import redeem
from tests.support.http import Served, make_key, serve
from tests.support.payworld import STORED, PayWorld, asked

ONCE_A_DAY = Terms(benefit=STORED, caps=(Cap(scope="person", period="day", uses=1),))


@pytest.fixture
async def world(ctx: Context) -> PayWorld:
    return await PayWorld(ctx).start()


async def pay(world: PayWorld, person: UUID, shop: UUID, basket_fen: int = 1_000) -> str:
    """Redeem at the shop's till; answers what the till hears."""
    till, spend = world.till(shop), await world.spend(person, basket_fen)
    try:
        return (await redeem(world.ctx, till, asked(till, spend), spend)).state
    except Refused as refusal:
        return str(refusal)


async def refusals(world: PayWorld, person: UUID, **query: object) -> tuple[OwnRefusal, ...]:
    page = await my_refusals(world.ctx, world.holder(person), PageQuery(**query))  # type: ignore[arg-type]
    return page.items


async def test_what_the_till_does_not_hear_the_holder_reads(world: PayWorld) -> None:
    campaign, person, shop = await world.campaign(ONCE_A_DAY), await world.person(), await world.merchant()
    await world.voucher(campaign, person, 10_000)
    assert await pay(world, person, shop) == "captured"
    assert await refusals(world, person) == ()
    assert await pay(world, person, shop) == "not_usable_here"
    [one] = await refusals(world, person)
    code = (await world.row("campaign", campaign))["code"]
    assert (one.action, one.code, one.campaign) == ("redeem", "cap_reached_person_day", code)
    assert (one.name and one.name.zh, one.merchant, one.store) == ("活动", "M", "S")
    assert one.facts["limit_uses"] == 1
    assert str(one.facts["again_on"]) in one.zh and str(one.facts["again_on"]) in one.en
    assert one.zh != one.en and "?" not in one.zh + one.en


async def test_a_person_without_a_voucher_reads_so_and_nobody_reads_anothers(world: PayWorld) -> None:
    campaign, shop = await world.campaign(ONCE_A_DAY), await world.merchant()
    holder, stranger, third = [await world.person() for _ in range(3)]
    await world.voucher(campaign, holder, 10_000)
    assert await pay(world, stranger, shop) == "not_usable_here"
    await pay(world, holder, shop)
    await pay(world, holder, shop)
    [mine] = await refusals(world, stranger)
    assert (mine.code, mine.campaign, mine.name) == ("no_voucher", None, None)
    assert [one.code for one in await refusals(world, holder)] == ["cap_reached_person_day"]
    assert await refusals(world, third) == ()


async def test_pages_go_from_the_newest_to_the_oldest(world: PayWorld) -> None:
    person, shop, other = await world.person(), await world.merchant(), await world.person()
    for _ in range(5):
        await pay(world, person, shop)
        await pay(world, other, shop)
    whole = await refusals(world, person)
    assert len(whole) == 5 and [one.at for one in whole] == sorted((one.at for one in whole), reverse=True)
    met: list[OwnRefusal] = []
    cursor = None
    for _ in range(3):
        page = await my_refusals(world.ctx, world.holder(person), PageQuery(limit=2, cursor=cursor))
        met.extend(page.items)
        await pay(world, person, shop)  # what comes meanwhile moves no page
        cursor = page.next_cursor
    assert (tuple(met), cursor) == (whole, None)
    with pytest.raises(Invalid, match="query_invalid"):
        await refusals(world, person, cursor="nonsense")


@pytest.fixture
async def served(ctx: Context) -> AsyncIterator[Served]:
    async with serve(ctx, payments.ROUTES) as served:
        yield served


async def test_over_http_a_channel_reads_for_the_person_it_names(
    world: PayWorld, served: Served, owner: asyncpg.Connection
) -> None:
    person, other, shop = await world.person(), await world.person(), await world.merchant()
    await pay(world, person, shop)
    keys = {
        kind: await make_key(owner, world.programme_id, kind, sorted(KIND_SCOPES[kind]), subject)  # type: ignore[index]
        for kind, subject in (("channel", None), ("terminal", world.merchants[shop]), ("merchant", shop))
    }

    async def read(kind: str, about: UUID) -> httpx.Response:
        headers = {"Authorization": f"Bearer {keys[kind]}", "Hongbao-Person": str(about)}
        return await served.client.get("/v1/holder/refusals", headers=headers)

    [one] = (await read("channel", person)).json()["items"]
    assert (one["code"], one["store"]) == ("no_voucher", "S") and one["zh"] and one["en"]
    assert (await read("channel", other)).json() == {"items": [], "next_cursor": None}
    for kind in ("terminal", "merchant"):
        assert (await read(kind, person)).status_code == 403
