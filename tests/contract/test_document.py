"""The OpenAPI document itself: valid, closed bodies that require what the server requires, every status and code."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import schemathesis
from jsonschema_rs import ValidationError
from msgspec import inspect

from api.bodies import parse_json
from api.openapi import document
from api.openapi_answers import codes_of
from api.routes import all_routes
from api.routing import Route
from campaigns.domain.codes import CODES
from campaigns.domain.errors import Invalid

ROUTES = all_routes()
DOCUMENT = document(ROUTES)
BODIES = [route for route in ROUTES if route.body is not None and route.body is not bytes]
ALWAYS = {400, 408, 413, 422, 429, 431, 500, 503}
HEADERS = {401: {"WWW-Authenticate"}, 429: {"Retry-After"}, 503: {"Retry-After"}, 504: {"Retry-After"}}


def _operation(route: Route) -> dict[str, Any]:
    found = DOCUMENT["paths"][route.path][route.method.lower()]
    assert isinstance(found, dict)
    return found


def _answers(route: Route) -> dict[int, dict[str, Any]]:
    return {int(status): _resolved(answer) for status, answer in _operation(route)["responses"].items()}


def _resolved(value: dict[str, Any]) -> dict[str, Any]:
    found: Any = DOCUMENT
    if "$ref" not in value:
        return value
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    assert isinstance(found, dict)
    return found


def _structs(found: inspect.Type) -> Iterator[inspect.StructType]:
    """Every object type a type can hold."""
    match found:
        case inspect.StructType():
            yield found
            for field in found.fields:
                yield from _structs(field.type)
        case inspect.Metadata():
            yield from _structs(found.type)
        case inspect.UnionType():
            for option in found.types:
                yield from _structs(option)
        case inspect.VarTupleType() | inspect.ListType():
            yield from _structs(found.item_type)


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(DOCUMENT).validate()
    with pytest.raises(ValidationError):
        schemathesis.openapi.from_dict({**DOCUMENT, "paths": {"/x": {"get": {"responses": 5}}}}).validate()


@pytest.mark.parametrize("route", BODIES, ids=lambda route: route.name)
def test_each_object_of_a_body_is_closed_and_requires_what_the_server_requires(route: Route) -> None:
    (content,) = _operation(route)["requestBody"]["content"].values()
    whole = inspect.type_info(route.body)
    assert isinstance(whole, inspect.StructType) and content["schema"]["$ref"].endswith(
        f"/{whole.cls.__name__}"
    )
    assert _operation(route)["requestBody"]["required"] is True
    for struct in _structs(whole):
        schema = DOCUMENT["components"]["schemas"][struct.cls.__name__]
        assert struct.forbid_unknown_fields and schema["additionalProperties"] is False, struct.cls
        assert schema["required"] == [field.encode_name for field in struct.fields if field.required], (
            struct.cls
        )
        assert set(schema["properties"]) == {field.encode_name for field in struct.fields}


@pytest.mark.parametrize("route", BODIES, ids=lambda route: route.name)
def test_the_server_refuses_a_member_more_and_a_member_less(route: Route) -> None:
    (content,) = _operation(route)["requestBody"]["content"].values()
    schema = _resolved(content["schema"])
    if schema["required"]:
        with pytest.raises(Invalid) as less:
            parse_json(b"{}", route.body)
        assert less.value.facts["detail"] == f"Object missing required field `{schema['required'][0]}`"
    with pytest.raises(Invalid) as more:
        parse_json(msgspec.json.encode({"no_such_member": 1}), route.body)
    assert "unknown field" in str(more.value.facts["detail"])


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_each_operation_tells_every_status_it_can_give(route: Route) -> None:
    wanted = {route.status, *ALWAYS, *(CODES[code].status for code in route.codes), *route.also_answers}
    if route.scope is not None:
        wanted |= {401, 403}
    if route.writes:
        wanted.add(504)
    if route.body is not None:
        wanted.add(415)
    if route.parameters or route.acts_for_person:
        wanted.add(404)
    assert set(_answers(route)) == wanted
    assert _operation(route)["security"] == ([] if route.scope is None else [{"key": []}])


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_each_error_is_a_problem_with_the_codes_of_its_status(route: Route) -> None:
    told: set[str] = set()
    for status, answer in _answers(route).items():
        headers = {name: _resolved(header) for name, header in answer["headers"].items()}
        assert headers["Request-Id"]["required"] is True
        if status < 400 or status in route.also_answers:
            continue
        (media_type,) = answer["content"]
        assert media_type == "application/problem+json"
        problem, codes = answer["content"][media_type]["schema"]["allOf"]
        assert problem == {"$ref": "#/components/schemas/Problem"}
        found = codes["properties"]["code"]["enum"]
        assert all(CODES[code].status == status for code in found), (status, found)
        assert HEADERS.get(status, set()) <= set(headers)
        told |= set(found)
    assert told >= {code for code in codes_of(route) if CODES[code].status not in route.also_answers}


def test_no_schema_has_the_name_of_a_module() -> None:
    assert [name for name in DOCUMENT["components"]["schemas"] if "." in name] == []


def test_links_lead_from_an_id_to_where_it_is_taken() -> None:
    targets = {
        operation["operationId"]: (path, method)
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
    }
    led = set()
    for route in ROUTES:
        for link in _answers(route)[route.status].get("links", {}).values():
            path, _ = targets[link["operationId"]]
            led.add(link["operationId"])
            for name in (
                given.removeprefix("path.") for given in link["parameters"] if given.startswith("path.")
            ):
                assert f"{{{name}}}" in path, (route.name, link)
    untold = {"change_id", "name", "code", "token_id"}  # in one list or file alone, or no id
    for route in ROUTES:
        if route.parameters and not untold & set(route.parameters):
            assert _operation(route)["operationId"] in led, route.name
