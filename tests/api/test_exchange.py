"""What the edge promises besides refusing: problems in two languages, tills told little, writes that end."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from api import exchange
from api.auth import KEY_LIFE_SECONDS
from api.limits import LIMITS
from api.problem import UNIFORM_CODE, language_of
from campaigns.domain.codes import CODES
from campaigns.domain.ids import new_id
from campaigns.gate.rate_limits import Limit
from campaigns.store.pool import Pool
from tests.api.conftest import NOTE, Edge
from tests.support.http import (
    make_key,
    make_merchant,
    make_person,
    make_programme,
    make_staff,
    make_terminal,
    serve,
)
from tests.support.rowcounts import all_row_counts

PERSONAL = "uses_exhausted"


@pytest.mark.parametrize(
    ("accept", "language"),
    [("", "zh"), ("en", "en"), ("en-GB,zh;q=0.5", "en"), ("en;q=0.2, zh-CN;q=0.9", "zh"), ("fr, en;q=0.1", "en"),
     ("zh;q=0, en;q=0.1", "en"), ("*", "zh"), ("x" * 5_000, "zh"), ("en;q=9", "zh")],
)  # fmt: skip
def test_the_language_follows_the_header(accept: str, language: str) -> None:
    assert language_of(accept) == language


async def test_a_problem_speaks_the_callers_language(edge: Edge) -> None:
    for language, sentence in (("zh", CODES["not_found"].zh), ("en", CODES["not_found"].en)):
        response = await edge.send(path="/v1/notes/x/touch", headers={"Accept-Language": language})
        assert response.json()["detail"] == sentence.format(subject="note")
        assert response.headers["content-language"] == language


@pytest.mark.parametrize("kind", ["terminal", "merchant"])
async def test_a_till_hears_nothing_about_the_holder(edge: Edge, kind: str) -> None:
    subject = (
        await make_terminal(edge.owner, edge.programme_id)
        if kind == "terminal"
        else await make_merchant(edge.owner, edge.programme_id)
    )
    key = await make_key(edge.owner, edge.programme_id, kind, ["notes"], subject)
    document = await edge.refused(409, UNIFORM_CODE, path=f"/v1/refusals/{PERSONAL}", key=key)
    assert document["facts"] == {}
    public = await edge.refused(409, "weekday_not_allowed", path="/v1/refusals/weekday_not_allowed", key=key)
    assert public["facts"] == {"balance_fen": 123}


async def test_the_holders_channel_hears_the_reason(edge: Edge) -> None:
    key = await make_key(edge.owner, edge.programme_id, "channel", ["notes"])
    await edge.refused(409, PERSONAL, path=f"/v1/refusals/{PERSONAL}", key=key)


async def test_a_till_speaks_for_its_merchant(edge: Edge) -> None:
    terminal_id = await make_terminal(edge.owner, edge.programme_id)
    key = await make_key(edge.owner, edge.programme_id, "terminal", ["notes"], terminal_id)
    answer = (await edge.send(key=key, json=NOTE)).json()
    merchant_id = await edge.owner.fetchval("SELECT merchant_id FROM store")
    assert (UUID(answer["by"]), UUID(answer["terminal_id"])) == (merchant_id, terminal_id)


@pytest.mark.parametrize("table", ["terminal", "store", "merchant"])
async def test_the_key_of_a_closed_till_is_unknown(edge: Edge, table: str) -> None:
    terminal_id = await make_terminal(edge.owner, edge.programme_id)
    await edge.owner.execute(f"UPDATE {table} SET active = false")
    key = await make_key(edge.owner, edge.programme_id, "terminal", ["notes"], terminal_id)
    await edge.refused(401, "key_unknown", key=key, json=NOTE)


async def test_a_member_of_staff_holds_what_key_and_roles_allow(edge: Edge) -> None:
    staff_id = await make_staff(edge.owner, edge.programme_id, ["approver"])
    key = await make_key(edge.owner, edge.programme_id, "staff", ["campaign.approve", "notes"], staff_id)
    await edge.refused(403, "principal_not_allowed", key=key, json=NOTE)
    caller = await edge.served.running.service.auth.caller(f"Bearer {key}")
    assert (caller.id, caller.scopes) == (staff_id, {"campaign.approve"})


async def test_a_revoked_key_dies_within_its_life(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = edge.served.running.service.auth
    now = 1_000.0
    monkeypatch.setattr(auth, "_clock", lambda: now)
    assert (await edge.send(json=NOTE)).status_code == 201
    await edge.owner.execute("UPDATE api_key SET revoked_at = now()")
    assert (await edge.send(json=NOTE)).status_code == 201
    now += KEY_LIFE_SECONDS
    await edge.refused(401, "key_unknown", json=NOTE)


async def test_a_channel_acts_for_a_person_of_its_programme(edge: Edge) -> None:
    key = await make_key(edge.owner, edge.programme_id, "channel", ["notes"])
    person_id = await make_person(edge.owner, edge.programme_id)
    stranger_id = await make_person(edge.owner, await make_programme(edge.owner, "elsewhere"))
    mine: dict[str, Any] = {"path": "/v1/mine", "key": key, "json": NOTE}
    response = await edge.send(**mine, headers={"Hongbao-Person": str(person_id)}, request_key="p")
    assert UUID(response.json()["person_id"]) == person_id
    assert await edge.owner.fetchval("SELECT principal_id FROM idempotency") == person_id
    await edge.refused(422, "person_missing", **mine)
    for other in (stranger_id, new_id(), "nobody"):
        await edge.refused(404, "not_found", **mine, headers={"Hongbao-Person": str(other)})


async def test_a_client_that_leaves_neither_cancels_nor_doubles_a_write(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, noticed = edge.served.running.service, asyncio.Event()
    left_alone = service.left_alone
    monkeypatch.setattr(service, "left_alone", lambda task: (left_alone(task), noticed.set()))
    before = await all_row_counts(edge.owner)
    request = asyncio.create_task(edge.send(path="/v1/slow", request_key="left", json=NOTE))
    await edge.gatekeeper.started.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await noticed.wait()  # the server has seen that its client left
    (write,) = service.writes
    edge.gatekeeper.go_on.set()
    await write
    assert (await all_row_counts(edge.owner))["audit"] == before["audit"] + 1
    again = await edge.send(path="/v1/slow", request_key="left", json=NOTE)
    assert again.json()["amount_fen"] == NOTE["amount_fen"]
    assert (await all_row_counts(edge.owner))["audit"] == before["audit"] + 1
    statuses = [line["status"] for line in edge.served.lines() if line["event"] == "request"]
    assert statuses == [exchange.STATUS_CLIENT_LEFT, 200]


async def test_a_write_that_takes_too_long_is_unknown_and_goes_on(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "RESPONSE_SECONDS", 0.05)
    response = await edge.send(path="/v1/slow", request_key="late", json=NOTE)
    assert (response.status_code, response.json()["code"]) == (504, "outcome_unknown")
    assert response.headers["retry-after"] == "1"
    (write,) = edge.served.running.service.writes
    edge.gatekeeper.go_on.set()
    await write
    assert await edge.owner.fetchval("SELECT count(*) FROM audit") == 1


async def test_stopping_waits_for_writes_under_way(edge: Edge) -> None:
    request = asyncio.create_task(edge.send(path="/v1/slow", json=NOTE))
    await edge.gatekeeper.started.wait()
    draining = asyncio.create_task(edge.served.running.service.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    assert (await edge.served.running.service.readiness())["serving"] is False
    edge.gatekeeper.go_on.set()
    assert (await request).status_code == 200
    assert await draining is True


async def test_a_connection_lost_in_a_write_leaves_the_outcome_unknown(edge: Edge) -> None:
    before = await all_row_counts(edge.owner)
    request = asyncio.create_task(edge.send(path="/v1/linger", request_key="lost"))
    await edge.gatekeeper.started.wait()
    async with edge.served.running.service.ctx.pool.acquire() as connection:
        ended = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'idle in transaction'"
        )
    assert ended == 1
    edge.gatekeeper.go_on.set()
    response = await request
    assert (response.status_code, response.json()["code"]) == (504, "outcome_unknown")
    assert await all_row_counts(edge.owner) == before
    again = await edge.send(path="/v1/linger", request_key="lost")
    assert again.status_code == 200, again.text
    assert (await all_row_counts(edge.owner))["audit"] == before["audit"] + 1


async def test_no_free_connection_is_busy_and_nothing_happened(edge: Edge) -> None:
    service = edge.served.running.service
    raw = service.ctx.pool.raw
    impatient = replace(service.ctx, pool=Pool(raw, acquire_timeout_seconds=0.05))
    taken = [await raw.acquire() for _ in range(raw.get_max_size())]
    try:
        async with serve(impatient, service.routes) as served:
            before = await all_row_counts(edge.owner)
            response = await replace(edge, served=served).send(json=NOTE)
            assert (response.status_code, response.json()["code"]) == (503, "busy")
            assert response.headers["retry-after"] == "1"
            assert await all_row_counts(edge.owner) == before
    finally:
        for connection in taken:
            await raw.release(connection)
    assert (await edge.send(json=NOTE)).status_code == 201


async def test_our_own_error_gives_a_number_and_nothing_else(edge: Edge) -> None:
    response = await edge.send("GET", "/v1/broken")
    document = response.json()
    assert (response.status_code, document["code"]) == (500, "internal")
    assert "ValueError" not in response.text and "13800138000" not in response.text
    (incident,) = [line for line in edge.served.lines() if line["event"] == "incident"]
    assert incident["incident"] == document["facts"]["incident"]
    assert (incident["error"], incident["route"]) == ("ValueError", "GET /v1/broken")
    assert any(frame.endswith(":broken") for frame in incident["frames"])


async def test_too_many_requests_are_refused_before_anything(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "operator", Limit(per_second=1, burst=2))
    for _ in range(2):
        assert (await edge.send(json=NOTE)).status_code == 201
    await edge.refused(429, "too_many_requests", json=NOTE)
    assert int((await edge.send(json=NOTE)).headers["retry-after"]) >= 1
