"""Health, meters and logs: enough to operate by, nothing about people."""

import asyncio
from datetime import datetime

import asyncpg
import msgspec
import pytest

from api.routes import health
from campaigns.domain.errors import Refused, TryAgain
from campaigns.domain.ids import new_id
from campaigns.domain.payments import Books, PaymentRow
from campaigns.domain.principal import Principal
from campaigns.gate.valkey import open_gate
from campaigns.runtime.engines import Engines
from campaigns.runtime.wiring import prepare
from campaigns.runtime.workers import Loop, Loops, service_loops
from campaigns.services.context import Context
from campaigns.services.payment_answers import PaymentAnswer
from campaigns.services.payment_plans import Change
from campaigns.services.refusing import Attempt
from tests.api.conftest import NOTE, Edge
from tests.support.http import make_key, make_person, serve

NAME, PHONE = "王小明", "13800138000"


async def test_ready_when_everything_is_there(edge: Edge) -> None:
    response = await edge.served.client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "checks": {
            "serving": True, "database": True, "schema": True, "valkey": True, "lanes_payments": True,
            "lanes_acceptances": True,
        },
    }  # fmt: skip
    assert (await edge.served.client.get("/healthz")).json() == {"ok": True}


async def test_not_ready_on_an_older_schema(edge: Edge) -> None:
    await edge.owner.execute("DELETE FROM tortoise_migrations WHERE name LIKE '0002%'")
    response = await edge.served.client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["schema"] is False


async def test_not_ready_without_valkey_yet_serving(ctx: Context, edge: Edge) -> None:
    gate = open_gate("redis://127.0.0.1:1/0")
    alone = Context(pool=ctx.pool, gate=gate, hmac_key=ctx.hmac_key, mode="test")
    async with serve(alone, (*edge.served.running.service.routes,)) as served:
        response = await served.client.get("/readyz")
        assert (response.status_code, response.json()["checks"]["valkey"]) == (503, False)
        headers = {"Authorization": f"Bearer {edge.operator_key}", "Idempotency-Key": "k"}
        assert (await served.client.post("/v1/notes", json=NOTE, headers=headers)).status_code == 201
        assert "hongbao_rate_limits_open_total 1.0" in (await served.client.get("/metrics")).text
    await gate.close()


async def test_the_meters_count_by_route_status_and_code(edge: Edge) -> None:
    await edge.send(json=NOTE)
    await edge.refused(422, "body_invalid", json={**NOTE, "amount_fen": 0})
    text = (await edge.served.client.get("/metrics")).text
    for line in (
        'hongbao_requests_total{route="POST /v1/notes",status="201"} 1.0',
        'hongbao_requests_total{route="POST /v1/notes",status="422"} 1.0',
        'hongbao_refusals_total{code="body_invalid"} 1.0',
        'hongbao_request_seconds_count{route="POST /v1/notes"} 2.0',
        "hongbao_requests_in_flight 1.0",
        "hongbao_writes_in_flight 0.0",
    ):
        assert line in text, line
    assert "hongbao_pool_connections" in text


async def test_a_request_is_one_line_without_personal_data(edge: Edge) -> None:
    key = await make_key(edge.owner, edge.programme_id, "channel", ["notes"])
    person_id = await make_person(edge.owner, edge.programme_id)
    headers = {"Hongbao-Person": str(person_id), "X-Phone": PHONE}
    await edge.send(path="/v1/mine", key=key, headers=headers, request_key=PHONE, json={**NOTE, "name": NAME})
    await edge.send(path=f"/v1/mine?phone={PHONE}", key=key, headers=headers, json={**NOTE, "name": NAME})
    await edge.send(path=f"/v1/notes/{PHONE}/touch")
    await edge.send("GET", f"/v1/{PHONE}")
    await edge.send("GET", "/v1/broken")
    text = edge.served.log.getvalue().decode()
    for secret in (NAME, PHONE, key, edge.operator_key, str(person_id), person_id.hex):
        assert secret not in text, secret
    lines = [line for line in edge.served.lines() if line["event"] == "request"]
    assert [(line["route"], line["status"]) for line in lines] == [
        ("POST /v1/mine", 200),
        ("POST /v1/mine", 422),
        ("POST /v1/notes/{note_id}/touch", 404),
        ("-", 404),
        ("GET /v1/broken", 500),
    ]
    assert set(lines[0]) >= {
        "at",
        "level",
        "request_id",
        "route",
        "status",
        "code",
        "ms",
        "kind",
        "principal",
    }
    assert lines[0]["kind"] == "channel" and len(lines[0]["principal"]) == 32


async def test_the_answer_names_the_request_of_the_log(edge: Edge) -> None:
    response = await edge.send(json=NOTE)
    assert response.headers["request-id"] == edge.served.lines()[-1]["request_id"]
    assert response.headers["cache-control"] == "no-store"


async def test_a_loop_waits_for_engines_and_dies_of_bugs(ctx: Context) -> None:
    rounds: list[str] = []
    errors = iter(
        [TryAgain("busy"), ConnectionRefusedError(), asyncpg.AdminShutdownError(), None, ValueError("bug")]
    )

    async def step(ctx: Context) -> None:
        error = next(errors)
        if error is not None:
            raise error

    loops = Loops([Loop("test", 0.0, step)], lambda name, outcome: rounds.append(outcome))
    loops.start(ctx)
    await asyncio.wait_for(loops.died.wait(), 5)
    assert rounds == ["busy", "outage", "outage", "done"]
    assert isinstance(loops.error, ValueError)
    assert loops.alive() == {"test": False}
    await loops.stop()


async def test_every_loop_of_the_service_ends_a_round(engines: Engines, ctx: Context) -> None:
    await prepare(engines, engines.settings)
    rounds: list[tuple[str, str]] = []
    all_done = asyncio.Event()

    def outcome(name: str, outcome: str) -> None:
        rounds.append((name, outcome))
        if len(rounds) >= len(table):
            all_done.set()

    table = service_loops(engines.settings)
    loops = Loops(table, outcome)
    loops.start(ctx)
    await asyncio.wait_for(all_done.wait(), 20)
    await loops.stop()
    assert set(rounds) == {(loop.name, "done") for loop in table}, loops.error


async def test_a_dead_loop_makes_the_process_not_ready(ctx: Context) -> None:
    async def die(ctx: Context) -> None:
        raise ValueError("bug")

    async with serve(ctx, health.ROUTES, [Loop("sweep", 1.0, die)]) as served:
        await asyncio.wait_for(served.running.service.loops.died.wait(), 5)
        response = await served.client.get("/readyz")
        assert (response.status_code, response.json()["checks"]["loop_sweep"]) == (503, False)


async def test_dead_lanes_make_the_process_not_ready_and_end_it(ctx: Context) -> None:
    async with serve(ctx, health.ROUTES) as served:
        ctx.payments._die(ValueError("bug"))
        response = await served.client.get("/readyz")
        assert (response.status_code, response.json()["checks"]["lanes_payments"]) == (503, False)
        loops = served.running.service.loops
        assert loops.died.is_set() and isinstance(loops.error, ValueError)


async def test_the_meters_tell_of_batches(edge: Edge, ctx: Context) -> None:
    refused = Change(
        principal=Principal("terminal", new_id(), edge.programme_id, frozenset()), payment_id=new_id(),
        attempt=Attempt(action="void"), concerns=lambda owners: False, counts=lambda payment: False, act=refuse_all,
    )  # fmt: skip
    with pytest.raises(Refused):
        await ctx.payments.perform(None, PaymentAnswer, refused)
    text = (await edge.served.client.get("/metrics")).text
    for line in (
        'hongbao_batch_size_sum{lanes="payments"} 1.0',
        'hongbao_batch_seconds_count{lanes="payments"} 1.0',
        'hongbao_batch_waited_seconds_count{lanes="payments"} 1.0',
        'hongbao_batch_waiting{lanes="payments",what="all"} 0.0',
        'hongbao_batch_waiting{lanes="payments",what="aside"} 0.0',
    ):
        assert line in text, line


def refuse_all(books: Books, payment: PaymentRow, now: datetime) -> PaymentAnswer:
    raise AssertionError("nobody asked for this payment")


async def test_a_stopped_loop_ends_its_round(ctx: Context) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def step(ctx: Context) -> None:
        begun.set()
        await asyncio.sleep(0.05)
        ended.set()

    loops = Loops([Loop("test", 60.0, step)])
    loops.start(ctx)
    await begun.wait()
    await loops.stop()
    assert ended.is_set()
    assert not loops.died.is_set()


@pytest.mark.parametrize("level", ["info", "error"])
def test_log_lines_are_json(level: str) -> None:
    import io

    from api.logs import make_log

    stream = io.BytesIO()
    log = make_log(stream, level)
    log.info("one", n=1)
    log.error("two")
    events = [msgspec.json.decode(line)["event"] for line in stream.getvalue().splitlines()]
    assert events == (["one", "two"] if level == "info" else ["two"])
