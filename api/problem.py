"""Every error as RFC 9457 ``application/problem+json``: one place turns errors into answers.

Payment rule 8 is kept here: a till never hears a code about the holder (``public=False``), only one uniform code
without facts; the holder's own chat tells them the rest.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from sanic.exceptions import (
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RequestTimeout,
    SanicException,
    ServiceUnavailable,
)
from sanic.response import HTTPResponse

from campaigns.domain.codes import CODES, sentence
from campaigns.domain.errors import Fact, HongbaoError, Invalid, Refused, TryAgain
from campaigns.domain.principal import Principal

MEDIA_TYPE = "application/problem+json"
LANGUAGES = ("zh", "en")
UNIFORM_CODE = "not_usable_here"
HEADER_LIMIT_BYTES = 8_192
HEADER_TOO_LARGE = "Request header exceeds the size limit"  # Sanic's words: it has no class of its own for it
TILL_KINDS = ("terminal", "merchant")
_LANGUAGE = re.compile(r"\s*([A-Za-z*]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?\s*")

_TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timeout",
    409: "Refused by the rules",
    410: "Gone",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Wrong value",
    429: "Too many requests",
    431: "Header too large",
    500: "Internal error",
    503: "Try again",
    504: "Outcome unknown",
}


class LineSaid(msgspec.Struct, frozen=True, kw_only=True):
    """One problem of a file or an import: where it is, and what to do about it in both languages."""

    line: int
    column: int
    path: str
    code: str
    zh: str
    en: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong. ``code`` is stable, ``detail`` a sentence in the caller's language, ``facts`` its values.

    ``problems`` stands for files and imports alone: the first 200 lines that are wrong.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    facts: dict[str, Fact]
    problems: tuple[LineSaid, ...] = ()


def language_of(accept: str) -> str:
    """``zh`` or ``en``, whichever the header Accept-Language prefers; zh when it names neither."""
    best, best_quality = LANGUAGES[0], 0.0
    for part in accept.split(",")[:16]:
        found = _LANGUAGE.fullmatch(part)
        if found and found[1].lower() in LANGUAGES and float(found[2] or 1) > best_quality:
            best, best_quality = found[1].lower(), float(found[2] or 1)
    return best


def told(error: HongbaoError, caller: Principal | None) -> HongbaoError:
    """The error as this caller may hear it."""
    if caller is not None and caller.kind in TILL_KINDS and not CODES[error.code].public:
        return Refused(UNIFORM_CODE)
    return error


def problem(error: HongbaoError, language: str) -> Problem:
    """The document of an error; the lines a file's error carries as JSON become ``problems``."""
    facts = dict(error.facts)
    lines = facts.pop("problems", None)
    return Problem(
        type=f"/errors/{error.code}",
        title=_TITLES.get(error.status, "Error"),
        status=error.status,
        code=error.code,
        detail=sentence(error.code, error.facts, language),
        facts=facts,
        problems=msgspec.json.decode(lines, type=tuple[LineSaid, ...]) if isinstance(lines, str) else (),
    )


def answer(error: HongbaoError, language: str, request_id: str) -> HTTPResponse:
    """The whole HTTP answer of an error."""
    headers: dict[str, Any] = {"Content-Language": language, "Request-Id": request_id}
    if isinstance(error, TryAgain):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return HTTPResponse(
        msgspec.json.encode(problem(error, language)),
        status=error.status,
        headers=headers,
        content_type=MEDIA_TYPE,
    )


def from_sanic(error: SanicException, limit_bytes: int) -> HongbaoError | None:
    """Our error for one that Sanic raised before or around a handler, or None if it is our own bug.

    ``limit_bytes`` is the most a body may have where the route names no limit of its own.
    """
    if isinstance(error, MethodNotAllowed):
        return Refused("method_not_allowed", status=405)
    if isinstance(error, NotFound):
        return Refused("route_unknown", status=404)
    if isinstance(error, PayloadTooLarge) and str(error) == HEADER_TOO_LARGE:
        return Invalid("header_too_large", status=431, limit_bytes=HEADER_LIMIT_BYTES)
    if isinstance(error, PayloadTooLarge):
        return Invalid("body_too_large", status=413, limit_bytes=limit_bytes)
    if isinstance(error, RequestTimeout):
        return Invalid("body_too_slow", status=408)
    if isinstance(error, ServiceUnavailable):
        return TryAgain("busy")
    return Invalid("request_malformed", status=400) if 400 <= error.status_code < 500 else None


def code_document(code: str) -> Mapping[str, object] | None:
    """What a code means, for GET /errors/CODE; None for a code that does not exist."""
    meaning = CODES.get(code)
    if meaning is None:
        return None
    return {
        "code": code,
        "kind": meaning.kind,
        "status": meaning.status,
        "zh": meaning.zh,
        "en": meaning.en,
        "told_to_tills": meaning.public,
    }
