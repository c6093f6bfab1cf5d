"""The OpenAPI document says what the edge does: bodies required and closed, headers, codes, policy of every route."""

from typing import Any

import jsonschema
import pytest

from api.docs_page import docs_page
from api.openapi import document
from api.openapi_answers import codes_of
from api.routes import all_routes
from api.routing import Call, Route, RouteError, check_routes
from campaigns.domain.codes import CODES
from campaigns.services.context import Context
from campaigns.services.fields import Nothing
from tests.api.conftest import Edge
from tests.api.echo import Gatekeeper, Note, note_routes

SHAPE: dict[str, Any] = {
    "type": "object",
    "required": ["openapi", "info", "paths", "components"],
    "properties": {
        "openapi": {"const": "3.1.0"},
        "info": {"type": "object", "required": ["title", "version"]},
        "paths": {
            "propertyNames": {"pattern": "^/"},
            "additionalProperties": {
                "propertyNames": {"enum": ["get", "post", "put", "patch", "delete"]},
                "additionalProperties": {
                    "type": "object",
                    "required": ["operationId", "summary", "tags", "parameters", "responses", "security"],
                    "properties": {
                        "parameters": {
                            "items": {
                                "oneOf": [
                                    {"required": ["$ref"], "maxProperties": 1},
                                    {
                                        "required": ["name", "in", "schema"],
                                        "properties": {"in": {"enum": ["path", "query", "header"]}},
                                    },
                                ]
                            }
                        },
                        "requestBody": {
                            "required": ["content", "required"],
                            "properties": {"required": {"const": True}},
                        },
                        "responses": {
                            "minProperties": 2,
                            "propertyNames": {"pattern": "^[2-5][0-9][0-9]$"},
                            "additionalProperties": {
                                "oneOf": [
                                    {"required": ["$ref"], "maxProperties": 1},
                                    {"required": ["description", "headers", "content"]},
                                ]
                            },
                        },
                    },
                },
            },
        },
        "components": {"required": ["schemas", "securitySchemes", "parameters"]},
    },
}


def _tables() -> list[tuple[Route, ...]]:
    return [all_routes(), note_routes(Gatekeeper())]


@pytest.mark.parametrize("table", _tables(), ids=["service", "notes"])
def test_the_document_has_the_shape_of_3_1(table: tuple[Route, ...]) -> None:
    found = document(table)
    jsonschema.validate(found, SHAPE)
    for schema in found["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    identifiers = [
        operation["operationId"] for item in found["paths"].values() for operation in item.values()
    ]
    assert len(identifiers) == len(set(identifiers)) == len(table)
    for reference in _references(found):
        target: Any = found
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


@pytest.mark.parametrize("table", _tables(), ids=["service", "notes"])
def test_every_body_is_required_and_closed(table: tuple[Route, ...]) -> None:
    found = document(table)
    for route in table:
        if route.body is None or route.body is bytes:
            continue
        operation = found["paths"][route.path][route.method.lower()]
        (content,) = operation["requestBody"]["content"].values()
        schema = found["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]]
        assert schema["additionalProperties"] is False, route.name


@pytest.mark.parametrize("table", _tables(), ids=["service", "notes"])
def test_headers_policy_and_codes_are_written_down(table: tuple[Route, ...]) -> None:
    found = document(table)
    for route in table:
        operation = found["paths"][route.path][route.method.lower()]
        references = {parameter.get("$ref", "").rsplit("/", 1)[-1] for parameter in operation["parameters"]}
        assert ("IdempotencyKey" in references) == route.writes, route.name
        assert ("HongbaoPerson" in references) == route.acts_for_person, route.name
        assert operation["security"] == ([] if route.scope is None else [{"key": []}]), route.name
        shared = found["components"]["responses"]
        answers = [
            shared[answer["$ref"].rsplit("/", 1)[1]] if "$ref" in answer else answer
            for answer in operation["responses"].values()
        ]
        told = " ".join(answer["description"] for answer in answers)
        for code in codes_of(route):
            assert f"`{code}`" in told, (route.name, code)
            assert str(CODES[code].status) in operation["responses"], (route.name, code)


def test_the_note_body_as_documented() -> None:
    schema = document(note_routes(Gatekeeper()))["components"]["schemas"]["Note"]
    assert schema["required"] == ["code", "name", "amount_fen"]
    assert schema["properties"]["amount_fen"]["maximum"] == 100_000_000
    validator = jsonschema.Draft202012Validator({"$defs": {}, **schema, "properties": {
        name: member for name, member in schema["properties"].items() if name != "lines"}})  # fmt: skip
    assert validator.is_valid({"code": "a", "name": "n", "amount_fen": 5})
    assert not validator.is_valid({"code": "a", "name": "n", "amount_fen": "5"})
    assert not validator.is_valid({"code": "A", "name": "n", "amount_fen": 5})


async def _handler(ctx: Context, call: Call) -> Nothing:
    return Nothing()


def _route(**changed: Any) -> Route:
    whole: dict[str, Any] = {
        "method": "POST", "path": "/v1/x", "handler": _handler, "summary": "x", "scope": "notes",
        "principals": ("staff",), "answer": Nothing,
    }  # fmt: skip
    return Route(**{**whole, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"scope": None},
        {"scope": None, "principals": ()},
        {"scope": None, "principals": (), "public_because": "a write"},
        {"scope": ""},
        {"principals": ()},
        {"principals": ("person",)},
        {"principals": ("nobody",)},
        {"acts_for_person": True},
        {"method": "GET", "body": Note},
        {"method": "HEAD"},
        {"path": "v1/x"},
        {"codes": ("no_such_code",)},
        {"body_limit_bytes": 64_000_000},
    ],
    ids=str,
)
def test_a_route_without_whole_policy_stops_the_start(changed: dict[str, Any]) -> None:
    check_routes([_route()])
    with pytest.raises(RouteError):
        check_routes([_route(**changed)])


def test_a_route_stands_once() -> None:
    with pytest.raises(RouteError, match="twice"):
        check_routes([_route(), _route()])


async def test_document_and_pages_are_served(edge: Edge) -> None:
    client = edge.served.client
    found = (await client.get("/v1/openapi.json")).json()
    assert "/v1/notes" in found["paths"]
    for language, heading in (("zh", "接口文档"), ("en", "API documentation")):
        page = await client.get("/v1/docs", headers={"Accept-Language": language})
        assert page.headers["content-type"].startswith("text/html")
        assert heading in page.text and "/v1/notes" in page.text
        assert "http://" not in page.text and "https://" not in page.text


async def test_a_code_explains_itself_as_json_and_as_a_page(edge: Edge) -> None:
    client = edge.served.client
    found = (await client.get("/errors/not_found")).json()
    assert found["en"] == CODES["not_found"].en
    page = await client.get("/errors/uses_exhausted", headers={"Accept": "text/html"})
    assert CODES["uses_exhausted"].zh in page.text and "not_usable_here" in page.text
    assert (await client.get("/errors/nothing")).status_code == 404


def test_the_page_escapes_what_it_shows() -> None:
    page = docs_page((_route(summary="<script>alert(1)</script>"),), "en").decode()
    assert "<script>alert(1)" not in page


def test_the_page_tells_what_a_query_takes_and_what_the_rows_of_a_page_hold() -> None:
    routes = tuple(route for route in all_routes() if route.path in ("/v1/seals", "/v1/audit"))
    page = docs_page(routes, "en").decode()
    assert "<code>extent</code><td>query<td>everything | since_last<td><td>since_last<td>" in page
    assert "<code>limit</code><td>query<td>integer ≥ 1 ≤ 200<td><td>50<td>" in page
    assert "as it came" in page  # of the cursor
    for member in ("items[].head", "items[].sealed_at", "findings[].expected"):
        assert f"<code>{member}</code>" in page


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [reference for member in value.values() for reference in _references(member)]
    if isinstance(value, list):
        return [reference for member in value for reference in _references(member)]
    return []
