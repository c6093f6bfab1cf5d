"""The Sanic application, made from the route table. Several may live in one process under names of their own."""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Any

from sanic import Request, Sanic
from sanic.exceptions import SanicException
from sanic.response import HTTPResponse

from api import problem
from api.exchange import BODY_SECONDS, RESPONSE_SECONDS, Exchange
from api.http1 import ApiRequest
from api.logs import Log, make_log, tame_libraries
from api.problem import HEADER_LIMIT_BYTES, UNIFORM_CODE
from api.routing import BODY_LIMIT_BYTES, Route, RouteError, check_routes
from api.service import DRAIN_SECONDS, Service
from campaigns.domain.codes import CODES
from campaigns.domain.errors import Broken, Refused
from campaigns.domain.ids import new_id
from campaigns.runtime.workers import Loop
from campaigns.services.context import Context

ContextFactory = Callable[[], AbstractAsyncContextManager[Context]]
UNMATCHED = "-"
_names = count(1)


def create_app(
    ctx_factory: ContextFactory,
    routes: Iterable[Route],
    *,
    loops: Sequence[Loop] = (),
    log: Log | None = None,
    only_one: bool = False,
) -> Sanic[Any, Any]:
    """Make the application. ``ctx_factory`` is entered when the server starts and left when it has drained.

    ``only_one`` lets Sanic rewrite its own classes for this application, which it can do once per process.
    Raises RouteError for a route without policy. ``app.ctx.service`` is the running `Service`.
    """
    table = check_routes(routes)
    if UNIFORM_CODE not in CODES:
        raise RouteError(f"code {UNIFORM_CODE} is not defined")
    log = log or make_log()
    app: Sanic[Any, Any] = Sanic(f"hongbao-{next(_names)}", configure_logging=False, request_class=ApiRequest)
    tame_libraries(log)
    app.config.update(
        ACCESS_LOG=False,
        AUTO_EXTEND=False,
        FALLBACK_ERROR_FORMAT="json",
        GRACEFUL_SHUTDOWN_TIMEOUT=DRAIN_SECONDS,
        KEEP_ALIVE_TIMEOUT=75,
        MOTD=False,
        OAS=False,
        REQUEST_MAX_HEADER_SIZE=HEADER_LIMIT_BYTES,
        REQUEST_MAX_SIZE=BODY_LIMIT_BYTES,
        REQUEST_TIMEOUT=30,
        TOUCHUP=only_one,
        RESPONSE_TIMEOUT=RESPONSE_SECONDS + BODY_SECONDS + 10,  # ours come first; this one only backs them up
        NOISY_EXCEPTIONS=False,
    )
    service = app.ctx.service = Service(table, log, loops)
    for number, route in enumerate(table):
        app.add_route(
            _handler(service, route),
            re.sub(r"\{([a-z_]+)\}", r"<\1:str>", route.path),
            methods=[route.method],
            name=f"route_{number}",
            strict_slashes=True,
            stream=route.writes,
        )
    app.error_handler.add(Exception, _unmatched(service))
    _open_and_close(app, service, ctx_factory)
    return app


def _handler(service: Service, route: Route) -> Callable[..., Any]:
    async def handle(request: Request, **parameters: str) -> HTTPResponse | None:
        return await Exchange(service, route, request, parameters).serve()

    return handle


def _unmatched(service: Service) -> Callable[[Request, Exception], HTTPResponse]:
    """What Sanic raises around handlers: unknown addresses, other methods, requests that are not HTTP."""
    addresses = _methods_by_address(service.routes)

    def handle(request: Request, error: Exception) -> HTTPResponse:
        request_id = new_id().hex
        known = problem.from_sanic(error, BODY_LIMIT_BYTES) if isinstance(error, SanicException) else None
        allowed = ""
        if known is not None and known.status == 405:
            # Sanic forgets the methods of an address that has several, and forgives a last slash here alone.
            found = (methods for address, methods in addresses.items() if address.fullmatch(request.path))
            allowed = next(found, "")
            known = known if allowed else Refused("route_unknown", status=404)
        if known is None:
            known = Broken("internal", incident=service.incident(error, UNMATCHED))
        service.metrics.requests.labels(UNMATCHED, str(known.status)).inc()
        service.metrics.refused.labels(known.code).inc()
        service.log.info(
            "request", request_id=request_id, route=UNMATCHED, status=known.status, code=known.code
        )
        language = problem.language_of(request.headers.get("accept-language", ""))
        response = problem.answer(known, language, request_id)
        if allowed:
            response.headers["Allow"] = allowed
        return response

    return handle


def _methods_by_address(routes: Iterable[Route]) -> dict[re.Pattern[str], str]:
    """The header Allow for each address of the table; fixed addresses stand before those with parameters."""
    methods: dict[str, list[str]] = {}
    for route in sorted(routes, key=lambda route: len(route.parameters)):
        methods.setdefault(route.path, []).append(route.method)
    return {
        re.compile(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path))): ", ".join(sorted(found))
        for path, found in methods.items()
    }


def _open_and_close(app: Sanic[Any, Any], service: Service, ctx_factory: ContextFactory) -> None:
    opened = ctx_factory()

    async def start(app: Sanic[Any, Any]) -> None:
        service.open(await opened.__aenter__())

    async def stop(app: Sanic[Any, Any]) -> None:
        ended = await service.drain()
        service.log.info("drained", complete=ended)
        await opened.__aexit__(None, None, None)

    app.before_server_start(start)
    app.after_server_stop(stop)
