"""The run finds what it is there to find: routes that break, and that answer what their document does not say."""

import asyncio
from pathlib import Path

import asyncpg
from msgspec import Struct

from api.routes import documents
from api.routing import JSON, Call, Raw, Route
from campaigns.domain.errors import Refused
from campaigns.services.context import Context
from tests.contract.server import Target
from tests.contract.trial import Asked, run
from tests.contract.world import Known
from tests.support.http import make_key, make_programme, serve


class Count(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number that is documented as one."""

    count: int


async def _break(ctx: Context, call: Call) -> Count:
    raise ValueError("bug")


async def _refuse(ctx: Context, call: Call) -> Count:
    raise Refused("wrong_state", state="draft")


async def _lie(ctx: Context, call: Call) -> Raw:
    return Raw(b'{"count":"five"}', JSON)


async def _dislike(ctx: Context, call: Call) -> Raw:
    return Raw(b"five", "text/plain")


async def _tell(ctx: Context, call: Call) -> Count:
    return Count(count=5)


def _route(path: str, handler: object) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        summary=path,
        scope="notes",
        principals=("operator",),
        answer=Count,
    )  # type: ignore[arg-type]


ROUTES = (
    _route("/v1/breaking", _break),
    _route("/v1/refusing", _refuse),
    _route("/v1/lying", _lie),
    _route("/v1/disliking", _dislike),
    _route("/v1/telling", _tell),
    Route(
        method="GET", path="/v1/open", handler=_tell, summary="x", scope=None, principals=(), public_because="a test",
        answer=Count,
    ),
)  # fmt: skip


async def test_what_is_wrong_is_found(ctx: Context, owner: asyncpg.Connection, tmp_path: Path) -> None:
    programme_id = await make_programme(owner)
    key = await make_key(owner, programme_id, "operator", ["notes"])
    known = Known(keys={"operator": key}, second_staff="", ids={}, persons=["x"], store_codes=[], files=[],
                  draw_files=["x"], must_live=[], owners={}, named={}, purse_file="")  # fmt: skip
    routes = (*ROUTES, *documents.ROUTES)
    async with serve(ctx, routes) as served:
        target = Target(f"http://127.0.0.1:{served.running.port}", known, tmp_path / "none", routes)
        asked = Asked(seed=1, examples=2, phases=("fuzzing",), only="^GET /v1/(?!docs|openapi)")
        found = await asyncio.to_thread(run, target, asked, lambda line: None)
    by_label = {label: check for check, label, _ in found.findings}
    assert by_label == {
        "GET /v1/breaking": "not_a_server_error",
        "GET /v1/refusing": "status_code_conformance",
        "GET /v1/lying": "response_schema_conformance",
        "GET /v1/disliking": "content_type_conformance",
    }
