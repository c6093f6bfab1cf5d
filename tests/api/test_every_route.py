"""The service's own routes, one by one: none answers without key, kind, scope, request key and a sound body."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import httpx
import pytest

from api.routes import all_routes
from api.routing import KEY_KINDS, Route
from campaigns.domain.ids import new_id
from campaigns.domain.roles import KIND_SCOPES, ROLES
from campaigns.services.context import Context
from tests.support.http import (
    Served,
    make_key,
    make_person,
    make_programme,
    make_staff,
    make_terminal,
    serve,
)
from tests.support.rowcounts import all_row_counts

ROUTES = all_routes()
GUARDED = [route for route in ROUTES if route.scope is not None]
WRITES = [route for route in ROUTES if route.writes]
BODIES = [route for route in WRITES if route.body is not None and route.body is not bytes]
BAD_BODIES = (
    (b"", 400),
    (b"{", 400),
    (b'{"a":"\xff"}', 400),
    (b'{"a":"\\u0000"}', 400),
    (b"[]", 422),
    (b"5", 422),
)


@dataclass
class Door:
    """The whole service, with a key of each kind that holds every scope of its kind, and one that holds none."""

    served: Served
    owner: asyncpg.Connection
    full: dict[str, str]
    bare: dict[str, str]
    person: str

    async def knock(
        self, route: Route, key: str | None, *, request_key: bool = True, body: bytes = b"{}"
    ) -> httpx.Response:
        headers = {"Content-Type": route.body_media_type, "Hongbao-Person": self.person}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        if request_key:
            headers["Idempotency-Key"] = self.served.next_key()
        path = re.sub(r"\{[a-z_]+_id\}", str(new_id()), route.path)
        path = re.sub(r"\{[a-z_]+\}", "x", path)
        content = body if route.writes else None
        return await self.served.client.request(route.method, path, headers=headers, content=content)


@pytest.fixture
async def door(ctx: Context, owner: asyncpg.Connection) -> AsyncIterator[Door]:
    programme_id = await make_programme(owner)
    terminal_id = await make_terminal(owner, programme_id)
    merchant_id = await owner.fetchval("SELECT id FROM merchant")
    staff_id = await make_staff(owner, programme_id, ROLES)
    operator_id = await owner.fetchval("SELECT id FROM operator")
    subjects = {
        "channel": new_id(),
        "terminal": terminal_id,
        "merchant": merchant_id,
        "operator": operator_id,
        "staff": staff_id,
        "auditor": staff_id,
    }
    full, bare = {}, {}
    for kind, subject_id in subjects.items():
        full[kind] = await make_key(owner, programme_id, kind, sorted(KIND_SCOPES[kind]), subject_id)
        bare[kind] = await make_key(owner, programme_id, kind, [], subject_id)
    person = str(await make_person(owner, programme_id))
    async with serve(ctx, ROUTES) as served:
        yield Door(served, owner, full, bare, person)


async def _all_refused(answers: list[tuple[str, httpx.Response]], status: int, code: str) -> None:
    wrong = [
        (name, response.status_code, response.text)
        for name, response in answers
        if (response.status_code, response.json().get("code")) != (status, code)
    ]
    assert not wrong


async def test_no_key_no_answer(door: Door) -> None:
    before = await all_row_counts(door.owner)
    await _all_refused([(route.name, await door.knock(route, None)) for route in GUARDED], 401, "key_missing")
    assert await all_row_counts(door.owner) == before


async def test_each_kind_is_kept_from_what_is_not_its_own(door: Door) -> None:
    before = await all_row_counts(door.owner)
    answers = [
        (f"{kind} {route.name}", await door.knock(route, door.full[kind]))
        for route in GUARDED
        for kind in KEY_KINDS
        if kind not in route.principals
    ]
    await _all_refused(answers, 403, "principal_not_allowed")
    assert await all_row_counts(door.owner) == before


async def test_each_route_wants_its_scope(door: Door) -> None:
    before = await all_row_counts(door.owner)
    answers = [
        (f"{kind} {route.name}", await door.knock(route, door.bare[kind]))
        for route in GUARDED
        for kind in route.principals
    ]
    await _all_refused(answers, 403, "scope_missing")
    assert await all_row_counts(door.owner) == before


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.name)
def test_each_principal_of_a_route_may_hold_its_scope(route: Route) -> None:
    assert all(route.scope in KIND_SCOPES[kind] for kind in route.principals)


async def test_each_write_wants_a_request_key(door: Door) -> None:
    before = await all_row_counts(door.owner)
    answers = [
        (f"{kind} {route.name}", await door.knock(route, door.full[kind], request_key=False))
        for route in WRITES
        for kind in route.principals
    ]
    await _all_refused(answers, 400, "idempotency_key_missing")
    assert await all_row_counts(door.owner) == before


@pytest.mark.parametrize("body", BAD_BODIES, ids=str)
async def test_each_body_is_read_strictly(door: Door, body: tuple[bytes, int]) -> None:
    before = await all_row_counts(door.owner)
    content, status = body
    for route in BODIES:
        response = await door.knock(route, door.full[route.principals[0]], body=content)
        assert response.status_code == status, (route.name, response.text)
    assert await all_row_counts(door.owner) == before


async def test_no_route_breaks_on_an_unknown_id_or_an_empty_query(door: Door) -> None:
    for route in GUARDED:
        if route.writes:
            continue
        for kind in route.principals:
            response = await door.knock(route, door.full[kind])
            assert response.status_code < 500, (kind, route.name, response.text)
            if any(name.endswith("_id") for name in route.parameters):
                assert response.json()["code"] == "not_found", (kind, route.name, response.text)
