"""The answers of the OpenAPI document: success, every error with its codes, and the headers they come with."""

from typing import Any

import msgspec

from api.problem import LANGUAGES, MEDIA_TYPE, Problem
from api.routing import JSON, Route
from campaigns.domain.codes import CODES

_COMMON = (
    "request_malformed", "body_text_bad", "query_invalid", "body_too_slow", "body_too_large", "header_too_large",
    "too_many_requests", "busy", "internal",
)  # fmt: skip
_AUTHENTICATED = ("key_missing", "key_unknown", "scope_missing", "principal_not_allowed")
_WRITTEN = ("idempotency_key_missing", "idempotency_key_bad", "idempotency_key_reused", "outcome_unknown")
_WITH_BODY = ("body_malformed", "media_type_wrong")
_TRY_AGAIN = (429, 503, 504)
_WIRE_NAMES = {
    "RequestId": "Request-Id",
    "RetryAfter": "Retry-After",
    "WwwAuthenticate": "WWW-Authenticate",
    "ContentLanguage": "Content-Language",
}


def answer_headers() -> dict[str, Any]:
    """The headers of answers, for the document's components."""
    return {
        "RequestId": {
            "description": "The number of this answer in the log; quote it when you ask.",
            "required": True,
            "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        },
        "RetryAfter": {
            "description": "Seconds to wait before the same request.",
            "required": True,
            "schema": {"type": "integer", "minimum": 0},
        },
        "WwwAuthenticate": {
            "description": "How to send a key.",
            "required": True,
            "schema": {"type": "string", "const": "Bearer"},
        },
        "ContentLanguage": {
            "description": "The language of `detail`.",
            "required": True,
            "schema": {"type": "string", "enum": list(LANGUAGES)},
        },
    }


def responses_of(route: Route, known: dict[Any, Any]) -> dict[str, Any]:
    """Every answer of a route by its status; ``known`` are the schemas of types."""
    if route.answer is not None:
        content = {JSON: {"schema": known[route.answer]}}
    else:
        content = {
            name: {"schema": _raw_schema(name)} for name in (route.media_type, *route.also_media_types)
        }
    answers: dict[str, Any] = {
        str(route.status): {"description": "Done", "headers": _named("RequestId"), "content": content}
    }
    by_status: dict[int, list[str]] = {}
    for code in codes_of(route):
        by_status.setdefault(CODES[code].status, []).append(code)
    for status, codes in sorted(by_status.items()):
        answers[str(status)] = {
            "description": ", ".join(f"`{code}`" for code in codes),
            "headers": _problem_headers(status),
            "content": {
                MEDIA_TYPE: {
                    "schema": {
                        "allOf": [known[Problem], {"properties": {"code": {"enum": codes}}}],
                    }
                }
            },
        }
    for status, answer in route.also_answers.items():
        told = answers.setdefault(str(status), {"description": "", "content": {}})
        told["content"][JSON] = {"schema": known[answer]}
        told["headers"] = _named("RequestId")
    return answers


def _raw_schema(media_type: str) -> dict[str, Any]:
    """Text is a string; JSON and YAML are whatever they hold."""
    return {"type": "string"} if media_type.startswith("text/") else {}


def _problem_headers(status: int) -> dict[str, Any]:
    names = ["RequestId", "ContentLanguage"]
    if status in _TRY_AGAIN:
        names.append("RetryAfter")
    if status == 401:
        names.append("WwwAuthenticate")
    return _named(*names)


def _named(*names: str) -> dict[str, Any]:
    return {_WIRE_NAMES[name]: {"$ref": f"#/components/headers/{name}"} for name in names}


def codes_of(route: Route) -> list[str]:
    """Every code the route may answer with, its own first."""
    codes = [*route.codes, *_COMMON]
    if route.scope is not None:
        codes += _AUTHENTICATED
    if route.acts_for_person:
        codes += ("person_missing", "not_found")
    if route.writes:
        codes += _WRITTEN
        codes.append("body_invalid")
    if route.body is not None:
        codes += _WITH_BODY
    if route.parameters:
        codes.append("not_found")
    return list(dict.fromkeys(codes))


def share_responses(paths: dict[str, Any]) -> dict[str, Any]:
    """Put errors that several operations answer alike in one place, and leave references to them in ``paths``."""
    shared: dict[str, Any] = {}
    names: dict[bytes, str] = {}
    for operation in (operation for item in paths.values() for operation in item.values()):
        for status, answer in operation["responses"].items():
            if int(status) < 400:
                continue
            content = msgspec.json.encode(answer)
            if content not in names:
                number = sum(name.startswith(f"Problem{status}") for name in shared)
                names[content] = f"Problem{status}" + (f"_{number + 1}" if number else "")
                shared[names[content]] = answer
            operation["responses"][status] = {"$ref": f"#/components/responses/{names[content]}"}
    return shared
