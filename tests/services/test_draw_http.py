"""The draw through HTTP: a resident's and the draw staff's requests, and what everybody may read."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from api.routes import awards, draws, entries
from campaigns.services.clock import set_clock
from campaigns.services.context import Context
from lottery.core.commitment import parse_commitment
from tests.support.draw_world import COUNTY, DrawWorld, open_draw
from tests.support.http import Served, make_key, serve

ROUTES = (*entries.ROUTES, *draws.ROUTES, *awards.ROUTES)


class Caller:
    """One key, and the person it acts for."""

    def __init__(self, served: Served, key: str | None, person: UUID | None = None) -> None:
        self.served, self.key, self.person = served, key, person

    async def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {} if self.key is None else {"Authorization": f"Bearer {self.key}"}
        if self.person is not None:
            headers["Hongbao-Person"] = str(self.person)
        if method != "GET":
            headers["Idempotency-Key"] = self.served.next_key()
            return await self.served.client.request(method, path, headers=headers, json=body or {})
        return await self.served.client.request(method, path, headers=headers)

    async def get(self, path: str) -> Any:
        response = await self.send("GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: Any = None) -> Any:
        response = await self.send("POST", path, body)
        assert response.status_code in (200, 201), response.text
        return response.json()


async def test_a_whole_draw_over_http(ctx: Context, owner: asyncpg.Connection) -> None:
    world = await open_draw(ctx)
    people = await world.people(20)
    programme_id, campaign = world.office.programme_id, f"/v1/campaigns/{world.campaign_id}"
    channel_key = await make_key(
        owner, programme_id, "channel", ["entries.write", "vouchers.read", "vouchers.write"]
    )
    staff_key = await make_key(owner, programme_id, "staff", ["draw.write"], world.office.drawer.id)
    async with serve(ctx, ROUTES) as served:
        counter = Caller(served, channel_key)
        resident = Caller(served, channel_key, people[0])
        staff, anyone = Caller(served, staff_key), Caller(served, None)
        entered = await resident.post(f"{campaign}/entries", {"place": COUNTY})
        assert entered["log_index"] == 0
        again = await resident.send("POST", f"{campaign}/entries", {"place": COUNTY})
        assert (again.status_code, again.json()["code"]) == (409, "already_entered")
        lines = [{"person_id": str(person), "place": COUNTY, "accept_if_won": True} for person in people[1:]]
        bulk = await counter.post(f"{campaign}/entries/bulk", {"entries": lines})
        assert (bulk["entered"], bulk["refused"]) == (19, 0)
        other = Caller(served, channel_key, people[19])
        assert (await other.post(f"{campaign}/entry/withdraw"))["withdrawn"]
        early = await staff.send("POST", f"{campaign}/draw/freeze")
        assert (early.status_code, early.json()["code"]) == (409, "registration_still_open")
        await set_clock(ctx, world.times[1])
        frozen = await staff.post(f"{campaign}/draw/freeze")
        draw = f"/v1/draws/{frozen['draw_id']}"
        commit = await anyone.send("GET", f"{draw}/files/commit.json")
        assert commit.headers["content-type"].startswith("application/json")
        assert parse_commitment(commit.content).entries.count == 19
        await set_clock(ctx, world.times[2] + timedelta(minutes=1))
        waiting = await staff.send("POST", f"{draw}/draw")
        assert waiting.json()["facts"] == {"sources": "rehearsal"}
        await staff.post(f"{draw}/sources/rehearsal")
        await staff.post(f"{draw}/draw")
        assert (await staff.post(f"{draw}/award"))["state"] == "awarded"
        winners = (await anyone.send("GET", f"{draw}/files/winners.csv")).text.splitlines()
        assert len(winners) == 11 and (await anyone.get(f"{campaign}/draw"))["state"] == "awarded"
        await _answers(served, channel_key, people, entered["entry"], campaign)


async def _answers(served: Served, key: str, people: list[UUID], own_entry: str, campaign: str) -> None:
    """Each winner finds what is theirs; the first one may say yes, and nobody else for them."""
    resident = Caller(served, key, people[0])
    own = await resident.get(f"{campaign}/entry")
    assert own["entered"]["entry"] == own_entry and own["proof"]["size"] == 19
    listed = (await resident.get("/v1/awards"))["items"]
    assert len(listed) == (own["result"]["outcome"] == "won")
    for award in listed:
        stranger = await Caller(served, key, people[1]).send("POST", f"/v1/awards/{award['award_id']}/accept")
        assert stranger.status_code == 404
        voucher = await resident.post(f"/v1/awards/{award['award_id']}/accept")
        assert voucher["face_fen"] == award["face_fen"]
        late = await resident.send("POST", f"/v1/awards/{award['award_id']}/decline")
        assert (late.status_code, late.json()["code"]) == (409, "award_ended")
    granted = 0
    for person in people[1:]:
        items = (await Caller(served, key, person).get("/v1/awards"))["items"]
        granted += sum(item["state"] == "granted" for item in items)
    assert granted + len(listed) == 11


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"place": "370124", "accept_if_won": "yes"}, 422),
        ({"place": "３７０１２４"}, 422),
        ({"place": 370124}, 422),
        ({"place": "370124", "tickets": 100}, 422),
        ({}, 422),
    ],
)
async def test_bad_entries_change_nothing(
    ctx: Context, owner: asyncpg.Connection, body: dict[str, Any], status: int
) -> None:
    world: DrawWorld = await open_draw(ctx)
    [person] = await world.people(1)
    key = await make_key(owner, world.office.programme_id, "channel", ["entries.write"])
    async with serve(ctx, ROUTES) as served:
        response = await Caller(served, key, person).send(
            "POST", f"/v1/campaigns/{world.campaign_id}/entries", body
        )
    assert response.status_code == status
    assert response.json()["code"] == "body_invalid"
    assert await owner.fetchval("SELECT count(*) FROM entry") == 0


async def test_a_channel_takes_no_step_of_the_draw(ctx: Context, owner: asyncpg.Connection) -> None:
    world = await open_draw(ctx)
    key = await make_key(owner, world.office.programme_id, "channel", ["draw.write", "entries.write"])
    draw_id = await world.draw_id()
    async with serve(ctx, ROUTES) as served:
        caller = Caller(served, key)
        for path in (
            f"campaigns/{world.campaign_id}/draw/freeze",
            f"draws/{draw_id}/draw",
            f"draws/{draw_id}/award",
        ):
            response = await caller.send("POST", f"/v1/{path}")
            assert (response.status_code, response.json()["code"]) == (403, "principal_not_allowed")
        unpublished = await Caller(served, None).send("GET", f"/v1/draws/{draw_id}/files/commit.json")
        assert unpublished.status_code == 404
    assert await owner.fetchval("SELECT state FROM draw") == "open"
