"""The OpenAPI 3.1 document, made from the route table and the types of bodies, queries and answers."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from api.links import links_of
from api.openapi_answers import answer_headers, responses_of, share_responses
from api.problem import Problem
from api.routing import Route

VERSION = "0.1.0"
_REF = "#/components/schemas/{name}"

_DESCRIPTION = """\
消费红包与消费券活动接口。金额均为整数分（fen），时间为带时区的 RFC 3339。每次写操作须带 Idempotency-Key：
同一键与同一内容重复提交只生效一次，超时（504）后用同一键重试即可。错误均为 application/problem+json，`code` 稳定不变。

Campaigns of red packets and vouchers. Amounts are integer fen, times RFC 3339 with offset. Every write carries an
Idempotency-Key: the same key and body take effect once, so after a timeout (504) repeat with the same key. Errors
are application/problem+json with a stable `code`.
"""


@lru_cache(maxsize=8)
def document_bytes(routes: tuple[Route, ...]) -> bytes:
    """The document as JSON; made once per table."""
    return msgspec.json.format(msgspec.json.encode(document(routes)), indent=1)


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The OpenAPI document of the routes as plain data."""
    types = list(dict.fromkeys(_types(routes)))
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    known = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    ids = {route.name: _operation_id(route) for route in routes}
    for route in routes:
        operation = _operation(route, known)
        links = links_of(route, routes, ids)
        if links:
            operation["responses"][str(route.status)]["links"] = links
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hongbao",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in sorted({_tag(route) for route in routes})],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": share_responses(paths),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key given out by the programme office; its scopes are fixed.",
                }
            },
            "parameters": _headers(),
            "headers": answer_headers(),
        },
    }


def _types(routes: Iterable[Route]) -> Iterable[Any]:
    yield Problem
    for route in routes:
        for found in (route.body, route.answer, *route.also_answers.values()):
            if found is not None and found is not bytes:
                yield found


def _headers() -> dict[str, Any]:
    return {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "1 to 64 visible ASCII characters, new for each intent; repeat it to repeat safely.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$"},
        },
        "HongbaoPerson": {
            "name": "Hongbao-Person",
            "in": "header",
            "required": False,
            "description": "The person a channel acts for; required of channels.",
            "schema": {"type": "string", "format": "uuid"},
        },
        "AcceptLanguage": {
            "name": "Accept-Language",
            "in": "header",
            "required": False,
            "description": "zh (default) or en: the language of `detail`.",
            "schema": {"type": "string"},
        },
    }


def _operation(route: Route, known: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [_tag(route)],
        "description": _policy(route),
        "parameters": [*_parameters(route), {"$ref": "#/components/parameters/AcceptLanguage"}],
        "responses": responses_of(route, known),
    }
    if route.writes:
        operation["parameters"].append({"$ref": "#/components/parameters/IdempotencyKey"})
    if route.acts_for_person:
        operation["parameters"].append({"$ref": "#/components/parameters/HongbaoPerson"})
    operation["security"] = [] if route.scope is None else [{"key": []}]
    if route.scope is not None:
        operation["x-scope"] = route.scope
        operation["x-principals"] = list(route.principals)
    if route.body is not None:
        schema = {"type": "string", "format": "binary"} if route.body is bytes else known[route.body]
        operation["requestBody"] = {
            "required": True,
            "description": f"At most {route.body_limit_bytes:,} bytes.",
            "content": {route.body_media_type: {"schema": schema}},
        }
    return operation


def _policy(route: Route) -> str:
    if route.scope is None:
        return f"Public: {route.public_because}."
    return f"Scope `{route.scope}`; for keys of {', '.join(route.principals)}."


def _operation_id(route: Route) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", route.path.removeprefix("/v1").lower()).strip("_")
    return f"{route.method.lower()}_{words}"


def _tag(route: Route) -> str:
    parts = [part for part in route.path.split("/") if part and part != "v1" and "{" not in part]
    return parts[0] if parts and route.path.startswith("/v1/") else "service"


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "format": "uuid"} if name.endswith("_id") else {"type": "string"},
        }
        for name in route.parameters
    ]
    if route.query is not None:
        (_,), components = msgspec.json.schema_components([route.query], ref_template=_REF)
        schema = components[route.query.__name__]
        for name, member in schema["properties"].items():
            required = name in schema.get("required", ())
            schema_of_member = _inlined(member, components)
            found.append({"name": name, "in": "query", "required": required, "schema": schema_of_member})
    return found


def _inlined(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """A query's member on its own; left out is how a query says null."""
    reference = schema.get("$ref")
    whole = components[reference.rsplit("/", 1)[1]] if reference else schema
    options = [option for option in whole.get("anyOf", ()) if option != {"type": "null"}]
    return _inlined(options[0], components) if len(options) == 1 else whole
