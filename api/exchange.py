"""One request from first to last: who, may they, how often, what exactly, the handler, the answer, the log line."""

import asyncio
import hashlib
from contextlib import nullcontext
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from sanic import Request
from sanic.exceptions import BadRequest, PayloadTooLarge
from sanic.response import HTTPResponse

from api import problem
from api.auth import check_policy
from api.bodies import EMPTY_BODIES, parse_json, parse_key, parse_path, parse_query
from api.limits import LIMITS
from api.routing import JSON, Call, Raw, Route
from api.service import Service
from api.wording import Explained
from campaigns.domain.errors import Broken, HongbaoError, Invalid, TryAgain
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.runtime.outages import is_outage
from campaigns.store import unit_of_work

RESPONSE_SECONDS = 20.0
BODY_SECONDS = 30.0
MOST_REQUESTS_NOW = 4_000
LARGE_BODY_BYTES = 200_000
LINGER_SECONDS = 3.0
LINGER_BYTES = 64_000_000
MOST_LENGTH = 1 << 62
STATUS_CLIENT_LEFT = 499
NO_BODY = Explained("$", "this address takes no body", "此地址不接受正文")
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(slots=True)
class Exchange:
    """The state of one request."""

    service: Service
    route: Route
    request: Request
    parameters: dict[str, str]
    request_id: str = field(default_factory=lambda: new_id().hex)
    language: str = "zh"
    caller: Principal | None = None
    code: str = ""
    status: int = STATUS_CLIENT_LEFT

    async def serve(self) -> HTTPResponse | None:
        """Answer the request (None when the answer is sent already); every error becomes a problem document."""
        service, started = self.service, perf_counter()
        self.language = problem.language_of(self.request.headers.get("accept-language", ""))
        service.enter()
        try:
            response = await self._answer()
            self.status = response.status
            return None if self.request.responded else response
        finally:
            service.leave()
            self._note(perf_counter() - started)

    async def _answer(self) -> HTTPResponse:
        try:
            if self.service.requests_now > MOST_REQUESTS_NOW:
                raise TryAgain("busy")
            return self._success(await self._result(await self._call()))
        except HongbaoError as error:
            return await self._failure(error)
        except Exception as error:  # noqa: BLE001 - the edge: nothing goes on, the client gets a number to quote
            incident = self.service.incident(error, self.route.name)
            return await self._failure(Broken("internal", incident=incident))

    async def _call(self) -> Call:
        """Read and judge all of the request that needs no rule."""
        route, headers = self.route, self.request.headers
        try:
            if route.scope is not None:
                given = headers.getall("authorization", [])
                caller = await self.service.auth.caller(given[0] if len(given) == 1 else ", ".join(given))
                self.caller = caller
                await self.service.limits.take(caller.terminal_id or caller.id, LIMITS[caller.kind])
                check_policy(route, caller)
                if route.acts_for_person and caller.kind == "channel":
                    self.caller = await self.service.auth.acting(caller, headers.get("hongbao-person"))
        except Exception as error:
            if is_outage(error):
                raise TryAgain("busy") from error  # nothing was begun
            raise
        path = parse_path(self.parameters)
        query = parse_query(self.request.query_string, route.query)
        if not route.writes:
            return Call(
                caller=self.caller,
                path=path,
                query=query,
                language=self.language,
                accepts_html="text/html" in headers.get("accept", ""),
                service=self.service,
            )
        key = parse_key(headers.getall("idempotency-key", []))
        body = await self._body()
        return Call(
            caller=self.caller,
            path=path,
            body=body,
            query=query,
            asked=self._asked(key, path, query, body),
            language=self.language,
            service=self.service,
        )

    def _asked(self, key: str, path: dict[str, UUID | str], query: Any, body: Any) -> unit_of_work.Request:
        assert self.caller is not None, "a write is never public"
        owner = self.caller.person_id or self.caller.id
        content = hashlib.sha256(body).hexdigest() if isinstance(body, bytes) else body
        return unit_of_work.request(owner, key, self.route.name, (path, query, content))

    async def _body(self) -> Any:
        route = self.route
        raw = await self._read()
        if route.body is None:
            if raw not in EMPTY_BODIES:
                raise Invalid("body_invalid", **NO_BODY._asdict())
            return None
        media_type = self.request.headers.get("content-type", "").split(";")[0].strip().lower()
        if media_type != route.body_media_type:
            raise Invalid("media_type_wrong", status=415, wanted=route.body_media_type)
        if route.body is bytes:
            return raw
        if len(raw) > LARGE_BODY_BYTES:  # other requests go on meanwhile
            return await asyncio.to_thread(parse_json, raw, route.body)
        return parse_json(raw, route.body)

    @property
    def _stream(self) -> Any:
        return self.request.stream  # an sanic.http.http1.Http, whose base class names little of it

    async def _read(self) -> bytes:
        limit = self.route.body_limit_bytes
        stream = self._stream
        if stream.request_bytes > limit:
            raise Invalid("body_too_large", status=413, limit_bytes=limit)
        stream.request_max_size = limit
        parts: list[bytes] = []
        try:
            async with nullcontext() if self._body_is_here() else asyncio.timeout(BODY_SECONDS):
                while stream.request_body:
                    parts.append(await stream.read() or b"")
        except PayloadTooLarge:
            raise Invalid("body_too_large", status=413, limit_bytes=limit) from None
        except TimeoutError:
            raise Invalid("body_too_slow", status=408) from None
        except BadRequest:  # chunks that are none
            raise Invalid("request_malformed", status=400) from None
        return b"".join(parts)

    def _body_is_here(self) -> bool:
        stream = self._stream
        waits = stream.expecting_continue or stream.request_body == "chunked"
        return not waits and len(stream.recv_buffer) >= stream.request_bytes_left

    async def _result(self, call: Call) -> object:
        work = self.route.handler(self.service.ctx, call)
        if not self.route.writes:
            try:
                async with asyncio.timeout(RESPONSE_SECONDS):
                    return await work
            except Exception as error:
                if is_outage(error):
                    raise TryAgain("busy") from error
                raise
        task = self.service.start_write(self.route, work)
        try:
            await asyncio.wait({task}, timeout=RESPONSE_SECONDS)
        except asyncio.CancelledError:
            self.service.left_alone(task)
            raise
        if not task.done():
            self.service.left_alone(task)
            raise TryAgain("outcome_unknown", status=504)
        try:
            return task.result()
        except Exception as error:
            if is_outage(error):  # the engine may have committed before it went away
                raise TryAgain("outcome_unknown", status=504) from error
            raise

    def _success(self, result: object) -> HTTPResponse:
        headers = {"Request-Id": self.request_id, **_HEADERS}
        if isinstance(result, Raw):
            if result.file_name is not None:
                headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(result.file_name)}"
            headers |= result.headers
            return HTTPResponse(result.content, result.status, headers, result.media_type)
        content = b"{}" if result is None else msgspec.json.encode(result)
        return HTTPResponse(content, self.route.status, headers, JSON)

    async def _failure(self, error: HongbaoError) -> HTTPResponse:
        self.code = error.code
        heard = problem.told(error, self.caller)
        response = problem.answer(heard, self.language, self.request_id)
        self.status = response.status
        await self._linger(response)
        return response

    async def _linger(self, response: HTTPResponse) -> None:
        """Answer a body that is too large before it has come, then throw the rest away for a moment, unkept.

        Closing at once would reset the connection, and a client still sending would lose the answer.
        """
        stream = self._stream
        if not stream.request_body or stream.request_bytes <= stream.protocol.request_max_size:
            return
        stream.keep_alive = False
        await self.request.respond(response)
        await response.send(end_stream=True)
        stream.request_max_size = MOST_LENGTH
        skipped = 0
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while stream.request_body and skipped < LINGER_BYTES:
                    skipped += len(await stream.read() or b"")
        except TimeoutError:
            pass
        stream.request_max_size = 0

    def _note(self, seconds: float) -> None:
        service, route = self.service, self.route
        service.metrics.requests.labels(route.name, str(self.status)).inc()
        service.metrics.seconds.labels(route.name).observe(seconds)
        if self.code:
            service.metrics.refused.labels(self.code).inc()
        service.log.info(
            "request",
            request_id=self.request_id,
            route=route.name,
            status=self.status,
            code=self.code,
            ms=round(seconds * 1000, 2),
            kind=self.caller.kind if self.caller else "",
            principal=self.caller.id.hex if self.caller else "",
        )
