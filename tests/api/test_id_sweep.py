"""No answer to a foreign id: every guarded route, asked with another programme's, merchant's or person's id.

Driven by the route table: a new route is swept by itself; a new kind of id, or a body that needs members, makes the
sweep fail until `World.ids` and `BODIES` name one.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from api.routes import all_routes
from api.routing import Route
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.roles import KIND_SCOPES, ROLES
from campaigns.services.belongings import BindToken, BindWallet, bind_token
from campaigns.services.campaign_source import CampaignSource
from campaigns.services.ceremony import RecordBeacon, RecordValue
from campaigns.services.clock import set_clock
from campaigns.services.codes import make_code
from campaigns.services.context import Context
from campaigns.services.entering import Enter, EnterMany
from campaigns.services.funding import Fund
from campaigns.services.list_issue import IssueList
from campaigns.services.merchants import PutStore, PutTerminal
from campaigns.services.paying import redeem
from campaigns.services.refunding import Refund
from campaigns.services.spending import TillSpend
from campaigns.services.staff import ChangeStaff
from campaigns.services.terms_change import propose_terms
from tests.support.campaign_files import list_file
from tests.support.draw_world import COUNTY, DrawWorld, open_draw
from tests.support.http import Served, make_key, make_merchant, make_person, serve
from tests.support.office import Office, now_of, open_office, published

ROUTES = [
    route
    for route in all_routes()
    if route.scope is not None and any(name.endswith("_id") for name in route.parameters)
]
# Where these stand in an address, they are one person's or one merchant's, not the whole programme's.
PERSONAL = {"award_id", "voucher_id", "payment_id", "token_id"}
OF_A_MERCHANT = {"payment_id"}
# What a body must hold to be read at all; bodies that may be empty need no line.
BODIES: dict[type, dict[str, Any]] = {
    Fund: {"funder": "county", "operator": "bank-a", "amount_fen": 1},
    RecordValue: {"source": "notary", "value": "1,2"},
    RecordBeacon: {"round": 1, "signature": "ab" * 48},
    Enter: {"place": COUNTY},
    EnterMany: {"entries": [{"person_id": str(new_id()), "place": COUNTY}]},
    IssueList: {"rows": [{"tier": "gold", "proofs": [{"kind": "phone", "value": "13800000000"}]}]},
    PutStore: {"code": "s", "name": "S", "place": COUNTY, "scenario": "retail"},
    PutTerminal: {"code": "t"},
    BindWallet: {"confirmation": "c-1"},
    ChangeStaff: {"roles": ["officer"], "active": True},
    Refund: {"returned_goods_fen": 1},
}
SLOWEST_SECONDS = 60  # the report draws its charts
# A refused request keeps its answer and its reason; nothing else may move.
KEPT = {"idempotency", "refusal"}


@dataclass
class Side:
    """One programme's keys by kind, the person its channel acts for, and a campaign of its own."""

    keys: dict[str, str]
    person: UUID
    campaign_id: UUID


@dataclass
class World:
    """The victim's ids by the name of the parameter, and who tries them."""

    served: Served
    owner: asyncpg.Connection
    ids: Mapping[str, UUID]
    rightful: Side
    neighbour: Side  # the same programme, another person and another merchant
    outsider: Side  # another programme

    async def ask(
        self, route: Route, kind: str, side: Side, ids: Mapping[str, UUID], person: UUID | None = None
    ) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {side.keys[kind]}",
            "Hongbao-Person": str(person or side.person),
            "Content-Type": route.body_media_type,
            "Accept-Language": "en",
        }
        if route.writes:
            headers["Idempotency-Key"] = self.served.next_key()
        path = re.sub(r"\{([a-z_]+_id)\}", lambda found: str(ids[found[1]]), route.path)
        path = re.sub(r"\{[a-z_]+\}", "x", path)
        content = await self.body(route) if route.writes else None
        return await self.served.client.request(
            route.method, path, headers=headers, content=content, timeout=SLOWEST_SECONDS
        )

    async def body(self, route: Route) -> bytes:
        if route.body is CampaignSource:
            source = await self.owner.fetchval(
                "SELECT source FROM campaign WHERE id = $1", self.outsider.campaign_id
            )
            return msgspec.json.encode({"source": source})
        return msgspec.json.encode(BODIES.get(route.body, {}) if route.body else {})

    async def everything(self) -> dict[str, str]:
        """A digest of every row of every table that a refused request must leave alone."""
        tables = await self.owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {
            table: await self.owner.fetchval(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t")
            for (table,) in tables
            if table not in KEPT
        }  # fmt: skip

    def attempts(self) -> Iterator[tuple[Route, str, Side, dict[str, UUID]]]:
        """Every way to ask for what is not one's own."""
        for route in ROUTES:
            names = [name for name in route.parameters if name.endswith("_id")]
            ids = {name: self.ids[name] for name in names}
            for kind in route.principals:
                yield route, kind, self.outsider, ids
                if "campaign_id" in names and len(names) > 1:  # the right campaign, somebody else's rest
                    yield route, kind, self.outsider, {**ids, "campaign_id": self.outsider.campaign_id}
                personal = route.acts_for_person and PERSONAL & set(names)
                of_merchant = kind in ("terminal", "merchant") and OF_A_MERCHANT & set(names)
                if personal or of_merchant:
                    yield route, kind, self.neighbour, ids


async def _side(
    owner: asyncpg.Connection, programme_id: UUID, campaign_id: UUID, staff_id: UUID, merchant_id: UUID
) -> Side:
    store_id, terminal_id = new_id(), new_id()
    await owner.execute(
        "INSERT INTO store (id, merchant_id, code, name, place, zones, scenario, active)"
        " VALUES ($1, $2, 's', 'S', '370124', '[]', 'retail', true)",
        store_id,
        merchant_id,
    )
    await owner.execute(
        "INSERT INTO terminal (id, store_id, code, store_code, channel, active)"
        " VALUES ($1, $2, 't', $3, 'in_store', true)",
        terminal_id,
        store_id,
        terminal_id.hex[-16:],
    )
    operator_id = await owner.fetchval(
        "SELECT acquiring_operator_id FROM merchant WHERE id = $1", merchant_id
    )
    subjects = {
        "channel": None, "terminal": terminal_id, "merchant": merchant_id, "operator": operator_id,
        "staff": staff_id, "auditor": staff_id,
    }  # fmt: skip
    keys = {
        kind: await make_key(owner, programme_id, kind, sorted(KIND_SCOPES[kind]), subject)  # type: ignore[index]
        for kind, subject in subjects.items()
    }
    return Side(keys, await make_person(owner, programme_id), campaign_id)


async def _merchant(owner: asyncpg.Connection, programme_id: UUID, operator_id: UUID, code: str) -> UUID:
    merchant_id = new_id()
    await owner.execute(
        "INSERT INTO merchant (id, programme_id, code, name, credit_code, acquiring_operator_id, tags, mcc, active,"
        " created_at) VALUES ($1, $2, $3, 'M', '', $4, '[\"test\"]', '5411', true, now())",
        merchant_id,
        programme_id,
        code,
        operator_id,
    )
    return merchant_id


async def _all_roles(owner: asyncpg.Connection, office: Office) -> UUID:
    await owner.execute(
        "UPDATE staff SET roles = to_jsonb($2::text[]) WHERE id = $1", office.admin.id, list(ROLES)
    )
    return office.admin.id


async def _terms_change(ctx: Context, owner: asyncpg.Connection, draw: DrawWorld) -> UUID:
    source = await owner.fetchval("SELECT source FROM campaign WHERE id = $1", draw.campaign_id)
    wider = CampaignSource(source=source.replace("valid_days: 14", "valid_days: 20"))
    return (await propose_terms(ctx, draw.office.officer, None, draw.campaign_id, wider)).id


async def _paid(ctx: Context, owner: asyncpg.Connection, draw: DrawWorld, shop: UUID, person: UUID) -> UUID:
    terminal_id = await owner.fetchval(
        "SELECT t.id FROM terminal t JOIN store s ON s.id = t.store_id WHERE s.merchant_id = $1", shop
    )
    till = Principal("terminal", shop, draw.office.programme_id, terminal_id=terminal_id)
    code = await make_code(ctx, draw.channel(person), None)
    return (await redeem(ctx, till, None, TillSpend(payment_code=code.code, basket_fen=100))).id


async def _token(ctx: Context, draw: DrawWorld, person: UUID) -> UUID:
    command = BindToken(kind="chat", value="123456")
    bound = await bind_token(ctx, draw.channel(person), None, person, command)
    return bound.tokens[0].id


@pytest.fixture
async def world(ctx: Context, owner: asyncpg.Connection) -> AsyncIterator[World]:
    draw = await open_draw(ctx)
    await draw.enter(await draw.people(20), ticked=10)
    draw_id = await draw.award()
    await set_clock(ctx, draw.times[2] + timedelta(minutes=1))
    programme_id, staff_id = draw.office.programme_id, await _all_roles(owner, draw.office)
    operator_id = await owner.fetchval("SELECT id FROM operator WHERE code = 'bank-a'")
    shop, other_shop = [await _merchant(owner, programme_id, operator_id, code) for code in ("m-1", "m-2")]
    rightful = await _side(owner, programme_id, draw.campaign_id, staff_id, shop)
    neighbour = await _side(owner, programme_id, draw.campaign_id, staff_id, other_shop)
    award = await owner.fetchrow("SELECT id, person_id FROM award WHERE state = 'live' LIMIT 1")
    voucher = await owner.fetchrow("SELECT id, person_id FROM voucher LIMIT 1")
    rightful.person = voucher["person_id"]
    ids = {
        "campaign_id": draw.campaign_id,
        "draw_id": draw_id,
        "change_id": await _terms_change(ctx, owner, draw),
        "award_id": award["id"],
        "voucher_id": voucher["id"],
        "person_id": voucher["person_id"],
        "payment_id": await _paid(ctx, owner, draw, shop, voucher["person_id"]),
        "token_id": await _token(ctx, draw, rightful.person),
        "merchant_id": shop,
        "store_id": await owner.fetchval("SELECT id FROM store WHERE merchant_id = $1", shop),
        "staff_id": draw.office.officer.id,
        "key_id": await owner.fetchval("SELECT id FROM api_key WHERE subject_id = $1 LIMIT 1", shop),
    }
    other = await open_office(ctx, "other")
    source = list_file(await now_of(ctx)).replace("programme: test", "programme: other")
    its_own = await published(ctx, other, source)
    outsider = await _side(
        owner, other.programme_id, its_own, await _all_roles(owner, other),
        await make_merchant(owner, other.programme_id),
    )  # fmt: skip
    async with serve(ctx, all_routes()) as served:
        yield World(served, owner, ids, rightful, neighbour, outsider)


def _said(response: httpx.Response) -> tuple[int, str]:
    document = response.json()
    return response.status_code, document.get("code", "")


async def test_a_foreign_id_is_answered_as_an_unknown_one_and_changes_nothing(world: World) -> None:
    before = await world.everything()
    tried, wrong = 0, []
    for route, kind, side, ids in world.attempts():
        foreign = await world.ask(route, kind, side, ids)
        strange = {name: new_id() if id_ == world.ids[name] else id_ for name, id_ in ids.items()}
        unknown = await world.ask(route, kind, side, strange)
        tried += 1
        if _said(foreign) != (404, "not_found") or foreign.content != unknown.content:
            wrong.append((route.name, kind, foreign.status_code, foreign.text[:300], unknown.text[:300]))
    assert not wrong
    assert tried >= len(ROUTES)
    assert await world.everything() == before
    named = await world.owner.fetchval(
        "SELECT count(*) FROM refusal WHERE person_id = $1 OR campaign_id = $2",
        world.rightful.person,
        world.ids["campaign_id"],
    )
    assert named == 0, "a refusal of somebody else's was written down for the victim"


async def test_whose_it_is_reads_it(world: World) -> None:
    """The sweep would pass over ids that name nothing: each read answers the one it belongs to."""
    wrong = []
    for route in ROUTES:
        for kind in route.principals if not route.writes else ():
            person = None
            if "award_id" in route.parameters:
                person = await world.owner.fetchval(
                    "SELECT person_id FROM award WHERE id = $1", world.ids["award_id"]
                )
            answer = await world.ask(route, kind, world.rightful, world.ids, person)
            if answer.status_code != 200:
                wrong.append((route.name, kind, answer.text))
    assert not wrong


async def test_no_channel_acts_for_a_person_of_another_programme(world: World) -> None:
    before = await world.everything()
    wrong = []
    for route in (route for route in all_routes() if route.acts_for_person):
        ids = {**world.ids, "campaign_id": world.outsider.campaign_id}
        answer = await world.ask(route, "channel", world.outsider, ids, world.rightful.person)
        if _said(answer) != (404, "not_found"):
            wrong.append((route.name, answer.text))
    assert not wrong
    assert await world.everything() == before


def _uuids(kind: Any, path: str = "") -> list[str]:
    """The members of a body or query that hold an id."""
    found = kind if isinstance(kind, msgspec.inspect.Type) else msgspec.inspect.type_info(kind)
    match found:
        case msgspec.inspect.Metadata():
            return _uuids(found.type, path)
        case msgspec.inspect.UUIDType():
            return [path]
        case msgspec.inspect.StructType():
            return [at for field in found.fields for at in _uuids(field.type, f"{path}.{field.name}")]
        case msgspec.inspect.UnionType():
            return [at for part in found.types for at in _uuids(part, path)]
        case msgspec.inspect.VarTupleType() | msgspec.inspect.ListType():
            return _uuids(found.item_type, path + "[]")
    return []


def test_ids_in_bodies_and_queries_are_those_tried_below() -> None:
    found = {
        (route.name, at)
        for route in all_routes()
        for kind in (route.body, route.query)
        if kind is not None and kind is not bytes
        for at in _uuids(kind)
    }
    assert found == {
        ("POST /v1/campaigns/{campaign_id}/entries/bulk", ".entries[].person_id"),
        ("POST /v1/campaigns/{campaign_id}/list", ".rows[].person_id"),
        ("POST /v1/keys", ".subject_id"),
        ("GET /v1/audit-log", ".campaign_id"),
    }


async def test_foreign_ids_in_queries_are_answered_as_unknown_ones(world: World) -> None:
    for kind in ("staff", "auditor"):
        headers = {"Authorization": f"Bearer {world.outsider.keys[kind]}"}
        for campaign_id in (world.ids["campaign_id"], new_id()):
            query = {"campaign_id": str(campaign_id)}
            answer = await world.served.client.get("/v1/audit-log", headers=headers, params=query)
            assert _said(answer) == (404, "not_found"), answer.text


async def test_foreign_ids_in_bodies_reach_nobody(world: World) -> None:
    before = await world.everything()
    foreign, own = str(world.rightful.person), world.outsider.campaign_id
    kinds = ("staff", "terminal", "merchant", "operator", "auditor")
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("staff", f"/v1/campaigns/{own}/list", {"rows": [{"tier": "gold", "person_id": foreign}]}),
        *(
            ("staff", "/v1/keys", {"kind": kind, "label": "x", "subject_id": str(world.ids[name])})
            for kind, name in zip(
                kinds, ("staff_id", "store_id", "merchant_id", "person_id", "staff_id"), strict=True
            )
        ),
    ]
    for kind, path, body in requests:
        headers = {
            "Authorization": f"Bearer {world.outsider.keys[kind]}",
            "Idempotency-Key": world.served.next_key(),
        }
        answer = await world.served.client.post(path, headers=headers, json=body)
        assert answer.status_code in (404, 409, 422), (path, body, answer.text)
        said = answer.text.replace(str(body.get("subject_id")), "").replace(foreign, "")
        assert not any(str(known) in said for known in world.ids.values()), answer.text
    assert await world.everything() == before
