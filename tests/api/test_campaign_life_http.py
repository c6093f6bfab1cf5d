"""The life of a campaign over HTTP: staff with their own keys, a channel for residents, and every problem of a file."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from api.routes import all_routes
from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.keys import MakeKey, make_key
from tests.domain.definition_cases import CASES
from tests.support.campaign_files import list_file
from tests.support.http import Served, serve
from tests.support.office import Office, now_of, open_office
from tests.support.rowcounts import all_row_counts


class Desk:
    """Calls with the keys of an office's staff and of a channel."""

    def __init__(self, served: Served, keys: dict[str, str]) -> None:
        self._served = served
        self._keys = keys

    async def call(
        self, who: str, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self._keys[who]}", **(headers or {})}
        if method != "GET":
            sent.setdefault("Idempotency-Key", self._served.next_key())
        content = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            content = json.dumps(body).encode()  # pure ASCII, so that a lone surrogate can be sent
        return await self._served.client.request(method, path, headers=sent, content=content)

    async def done(self, status: int, *arguments: Any, **more: Any) -> Any:
        response = await self.call(*arguments, **more)
        assert response.status_code == status, response.text
        return response.json()


@pytest.fixture
async def office(ctx: Context) -> Office:
    return await open_office(ctx)


@pytest.fixture
async def desk(ctx: Context, office: Office) -> AsyncIterator[Desk]:
    async def staff_key(member: Principal) -> str:
        command = MakeKey(kind="staff", label="test", subject_id=member.id)
        return str((await make_key(ctx, office.admin, None, command)).key)

    keys = {
        name: await staff_key(getattr(office, name)) for name in ("admin", "officer", "approver", "finance")
    }
    channel = await make_key(ctx, office.admin, None, MakeKey(kind="channel", label="bot"))
    keys["channel"] = str(channel.key)
    async with serve(ctx, all_routes()) as served:
        yield Desk(served, keys)


async def test_a_list_from_its_file_to_its_vouchers(
    ctx: Context, desk: Desk, owner: asyncpg.Connection
) -> None:
    source = {"source": list_file(await now_of(ctx))}
    made = await desk.done(201, "officer", "POST", "/v1/campaigns", source)
    path = f"/v1/campaigns/{made['id']}"
    contract = await desk.done(200, "officer", "GET", f"{path}/contract")
    assert (contract["version"], contract["approved"]) == (1, False)
    assert contract["digest"] in contract["zh"] and contract["digest"] in contract["en"]
    assert (await desk.call("officer", "GET", f"{path}/file")).text == source["source"]
    await desk.done(200, "officer", "POST", f"{path}/submit")
    assert (await desk.done(403, "officer", "POST", f"{path}/approve"))["code"] == "scope_missing"
    await desk.done(200, "approver", "POST", f"{path}/approve")
    assert (await desk.done(409, "officer", "POST", f"{path}/publish"))["code"] == "not_fully_funded"
    for line in (await desk.done(200, "finance", "GET", f"{path}/funding"))["lines"]:
        body = {name: line[name] for name in ("funder", "operator")} | {"amount_fen": line["planned_fen"]}
        await desk.done(201, "finance", "POST", f"{path}/funding", body)
    await desk.done(200, "officer", "POST", f"{path}/publish")
    public = await desk.done(200, "channel", "GET", "/v1/open-campaigns")
    assert [item["code"] for item in public["items"]] == ["test-list"]
    phone = {"kind": "phone", "value": "13800000000"}
    person = await desk.done(200, "channel", "POST", "/v1/people/identify", {"proofs": [phone]})
    rows = {"rows": [{"tier": "gold", "person_id": person["person_id"]}]}
    issued = await desk.done(201, "officer", "POST", f"{path}/list", rows)
    assert issued["amount_fen"] == 2_000
    assert await owner.fetchval("SELECT person_id::text FROM voucher") == person["person_id"]
    found = await desk.done(200, "officer", "GET", "/v1/campaigns?state=published&limit=1")
    assert [item["id"] for item in found["items"]] == [made["id"]]


async def test_every_kind_of_bad_file_is_refused_without_effect(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    before = await all_row_counts(owner)
    for case in CASES:
        response = await desk.call("officer", "POST", "/v1/campaigns", {"source": case.text()})
        answer = response.json()
        checked = await desk.call("officer", "POST", "/v1/campaigns/validate", {"source": case.text()})
        if answer["code"] == "body_text_bad":  # NUL and lone surrogates never reach the file
            assert response.status_code == checked.status_code == 400 and case.code.startswith(
                "file_text_"
            ), case
            continue
        assert (response.status_code, answer["code"]) == (422, "definition_invalid"), (case, answer)
        assert {problem["code"] for problem in answer["problems"]} == {case.code, *case.also}
        assert case.expected_line() in {problem["line"] for problem in answer["problems"]}
        assert checked.status_code == 200
        assert checked.json() == {"problems": answer["problems"], "summary": None}
    assert await all_row_counts(owner) == before


async def test_a_sound_file_is_checked_without_effect(
    ctx: Context, desk: Desk, owner: asyncpg.Connection
) -> None:
    source = {"source": list_file(await now_of(ctx))}
    path = "/v1/campaigns/validate"
    before = await all_row_counts(owner)
    checked = await desk.done(200, "officer", "POST", path, source, headers={"Idempotency-Key": "k"})
    other = {"source": source["source"].replace("programme: test", "programme: elsewhere")}
    assert (await desk.done(422, "officer", "POST", path, other))["code"] == "other_programme"
    assert (await desk.done(403, "approver", "POST", path, source))["code"] == "scope_missing"
    assert await all_row_counts(owner) == before
    assert checked["problems"] == []
    made = await desk.done(201, "officer", "POST", "/v1/campaigns", source, headers={"Idempotency-Key": "k"})
    summary = checked["summary"]
    assert summary.pop("remainder_fen") == made["budget_fen"] - made["planned_fen"]
    assert summary == {name: made[name] for name in summary} and len(summary) == 8


async def test_a_bad_file_is_answered_with_every_problem(
    ctx: Context, desk: Desk, owner: asyncpg.Connection
) -> None:
    source = list_file(await now_of(ctx)).replace("share_bp: 7000", "share_bp: 6000")
    source = source.replace('places: ["370124"]', 'places: ["999999"]')
    before = await all_row_counts(owner)
    answer = await desk.done(422, "officer", "POST", "/v1/campaigns", {"source": source})
    assert answer["code"] == "definition_invalid" and answer["facts"]["count"] >= 2
    assert len(answer["problems"]) == answer["facts"]["count"] and "problems" not in answer["facts"]
    assert {"line", "column", "path", "code", "zh", "en"} == set(answer["problems"][0])
    assert "file_shares_sum" in str(answer) and "file_place_unknown" in str(answer)
    assert await all_row_counts(owner) == before


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "status", "code"),
    [
        ("channel", "POST", "/v1/campaigns", {"source": "x"}, 403, "principal_not_allowed"),
        ("approver", "POST", "/v1/campaigns", {"source": "x"}, 403, "scope_missing"),
        (
            "officer",
            "POST",
            "/v1/staff",
            {"login": "x", "name": "x", "roles": ["admin"]},
            403,
            "scope_missing",
        ),
        ("admin", "POST", "/v1/staff", {"login": "X", "name": "x", "roles": ["admin"]}, 422, "body_invalid"),
        ("admin", "POST", "/v1/keys", {"kind": "god", "label": "x"}, 422, "body_invalid"),
        ("channel", "POST", "/v1/people/identify", {"proofs": []}, 422, "body_invalid"),
        (
            "channel",
            "POST",
            "/v1/people/identify",
            {"proofs": [{"kind": "phone", "value": "1"}]},
            422,
            "proof_invalid",
        ),
        ("channel", "POST", "/v1/me/tokens", {"kind": "chat", "value": "1"}, 422, "person_missing"),
        ("officer", "PUT", "/v1/merchants", {"code": "m"}, 422, "body_invalid"),
    ],
)
async def test_bad_calls_leave_nothing(
    desk: Desk, owner: asyncpg.Connection, who: str, method: str, path: str, body: Any, status: int, code: str
) -> None:
    before = await all_row_counts(owner)
    assert (await desk.done(status, who, method, path, body))["code"] == code
    assert await all_row_counts(owner) == before


@pytest.mark.parametrize("amount", [0, -1, 1.5, "5", True, 10**13, 10**30])
async def test_only_whole_positive_fen_are_booked(
    desk: Desk, owner: asyncpg.Connection, amount: object
) -> None:
    before = await all_row_counts(owner)
    path = "/v1/campaigns/01a2000f-db2f-7f8b-b61a-6a3ea205cc9c/funding"
    body = {"funder": "county", "operator": "bank-a", "amount_fen": amount}
    assert (await desk.done(422, "finance", "POST", path, body))["code"] == "body_invalid"
    assert await all_row_counts(owner) == before


async def test_merchants_and_persons_over_http(desk: Desk) -> None:
    name = {"zh": "机构甲", "en": "Operator A"}
    await desk.done(201, "admin", "POST", "/v1/operators", {"code": "bank-a", "name": name})
    merchant = {
        "code": "m-1", "name": "超市", "credit_code": "91110000600037341L", "operator": "bank-a", "mcc": "5411",
    }  # fmt: skip
    made = await desk.done(200, "officer", "PUT", "/v1/merchants", merchant)
    store = {"code": "s-1", "name": "一店", "place": "370124", "scenario": "retail"}
    shop = await desk.done(200, "officer", "PUT", f"/v1/merchants/{made['id']}/stores", store)
    till = await desk.done(200, "officer", "PUT", f"/v1/stores/{shop['id']}/terminals", {"code": "t-1"})
    assert till["key"].startswith("hb_")
    [listed] = (await desk.done(200, "officer", "GET", f"/v1/stores/{shop['id']}/terminals"))["items"]
    assert listed["key"] is None
    people = [{"proofs": [{"kind": "phone", "value": str(13800000000 + i)}]} for i in range(3)]
    many = await desk.done(200, "channel", "POST", "/v1/people/identify-many", {"people": people})
    me = {"Hongbao-Person": many["person_ids"][0]}
    token = {"kind": "chat", "value": "4711"}
    bound = await desk.done(200, "channel", "POST", "/v1/me/tokens", token, headers=me)
    assert (await desk.done(200, "channel", "GET", "/v1/me", headers=me)) == bound
    found = await desk.done(200, "channel", "POST", "/v1/people/by-token", token)
    assert found["person_id"] == many["person_ids"][0]
    wallet = {"operator": "bank-a", "confirmation": "A-1", "newly_opened": True}
    await desk.done(200, "channel", "POST", "/v1/me/wallets", wallet, headers=me)
    gone = f"/v1/me/tokens/{bound['tokens'][0]['id']}"
    assert (await desk.done(200, "channel", "DELETE", gone, headers=me))["tokens"] == []
