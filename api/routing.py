"""The route table: every address of the HTTP API is one `Route`, with its policy written down.

The application, the checks of scopes, the OpenAPI document and the docs page are all made from it.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from campaigns.domain.codes import CODES
from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.store.unit_of_work import Request

BODY_LIMIT_BYTES = 1_000_000
MOST_BODY_LIMIT_BYTES = 32_000_000
KEY_KINDS = ("channel", "terminal", "merchant", "operator", "staff", "auditor")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON = "application/json"

_PARAMETER = re.compile(r"\{([a-z_]+)\}")


class RouteError(AssertionError):
    """A route of our own is not fit to serve: its policy, address or codes are wrong. Found at start."""


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is not a JSON value of ours: bytes as they are. ``file_name`` makes it a download."""

    content: bytes
    media_type: str
    file_name: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler is told of a request: who asks, the parts of the address, the parsed body and query.

    ``path`` holds a `UUID` for each ``{x_id}`` and text for other parameters. ``asked`` is set for writes.
    ``person_id`` is the person a channel acts for (the same as ``principal.person_id``). ``service`` is the
    running `api.service.Service`, for health, documents and cached answers.
    """

    caller: Principal | None
    path: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    query: Any = None
    asked: Request | None = None
    language: str = "zh"
    accepts_html: bool = False
    service: Any = None

    @property
    def principal(self) -> Principal:
        """The caller; there is one on every route that is not public."""
        assert self.caller is not None, "a public route has no caller"
        return self.caller

    @property
    def person_id(self) -> UUID | None:
        return None if self.caller is None else self.caller.person_id

    def id(self, name: str) -> UUID:
        """The UUID given for ``{name}`` in the address."""
        value = self.path[name]
        assert isinstance(value, UUID)
        return value


Handler = Callable[[Context, Call], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One address and method, what it takes and answers, and who may call it.

    ``scope`` None makes a route public; ``public_because`` then says why it may be. ``answer`` None means
    the handler answers `Raw` (of ``media_type``) or nothing. ``body`` is a msgspec Struct, or `bytes` to be
    given the body as it is (of ``body_media_type``). ``codes`` are the refusals documented beyond the common
    ones. ``also_media_types`` are what `Raw` may be besides ``media_type``, and ``also_answers`` the types of JSON
    answers with a status that is neither ``status`` nor an error's. Every method but GET is a write: it needs an
    Idempotency-Key and runs to its end whatever the client does.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    scope: str | None
    principals: tuple[str, ...]
    acts_for_person: bool = False
    body: type | None = None
    query: type | None = None
    answer: Any = None
    status: int = 200
    codes: tuple[str, ...] = ()
    body_limit_bytes: int = BODY_LIMIT_BYTES
    media_type: str = JSON
    body_media_type: str = JSON
    public_because: str = ""
    also_media_types: tuple[str, ...] = ()
    also_answers: Mapping[int, Any] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """The route as logs, metrics and fingerprints name it."""
        return f"{self.method} {self.path}"

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters in the address, in order."""
        return tuple(_PARAMETER.findall(self.path))


def check_routes(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Answer the routes as a tuple, or raise `RouteError` for the first one whose policy is not whole."""
    table = tuple(routes)
    seen: set[str] = set()
    for route in table:
        problem = _problem(route)
        if problem is None and route.name in seen:
            problem = "stands twice"
        if problem is not None:
            raise RouteError(f"{route.name}: {problem}")
        seen.add(route.name)
    return table


def _problem(route: Route) -> str | None:
    if route.method not in METHODS or not route.path.startswith("/"):
        return "method or address"
    if route.scope is None and (route.principals or not route.public_because):
        return "a public route says why in public_because and names no principals"
    if route.scope is not None and (not route.scope or not route.principals):
        return "no policy: name a scope and the principals"
    if any(kind not in KEY_KINDS for kind in route.principals):
        return f"principals are of {KEY_KINDS}, found {route.principals}"
    if route.acts_for_person and "channel" not in route.principals:
        return "only a channel acts for a person"
    if route.scope is None and route.writes:
        return "a write is never public: request keys belong to somebody"
    if route.body is not None and not route.writes:
        return "a GET takes no body"
    if not 0 < route.body_limit_bytes <= MOST_BODY_LIMIT_BYTES:
        return f"body limit beyond {MOST_BODY_LIMIT_BYTES} bytes"
    unknown = [code for code in route.codes if code not in CODES]
    return f"undefined codes {unknown}" if unknown else None
