"""Is the process alive, may it be sent work, and its meters: for load balancers and Prometheus."""

import msgspec

from api.metrics import MEDIA_TYPE
from api.routing import JSON, Call, Raw, Route
from api.service import Service
from campaigns.services.context import Context


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """``ok`` while the process answers at all."""

    ok: bool


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """``ready`` when every one of ``checks`` holds."""

    ready: bool
    checks: dict[str, bool]


async def healthz(ctx: Context, call: Call) -> Health:
    return Health(ok=True)


async def readyz(ctx: Context, call: Call) -> Raw:
    service: Service = call.service
    checks = dict(await service.readiness())
    ready = all(checks.values())
    content = msgspec.json.encode(Readiness(ready=ready, checks=checks))
    return Raw(content, JSON, status=200 if ready else 503)


async def metrics(ctx: Context, call: Call) -> Raw:
    service: Service = call.service
    service.metrics.pool_size.set(ctx.pool.raw.get_size())
    service.metrics.pool_idle.set(ctx.pool.raw.get_idle_size())
    service.metrics.unsealed_seconds.set(ctx.sealing.behind_seconds())
    return Raw(service.metrics.text(), MEDIA_TYPE)


ROUTES = (
    Route(
        method="GET",
        path="/healthz",
        handler=healthz,
        summary="The process answers",
        scope=None,
        principals=(),
        public_because="load balancers hold no key, and it tells nothing",
        answer=Health,
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=readyz,
        summary="The process may be sent work (503 otherwise)",
        scope=None,
        principals=(),
        public_because="load balancers hold no key, and it tells only which parts are up",
        answer=Readiness,
        also_answers={503: Readiness},
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=metrics,
        summary="Meters for Prometheus",
        scope=None,
        principals=(),
        public_because="it holds counts by route, status and code alone",
        media_type="text/plain",
    ),
)
