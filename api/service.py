"""One process of the running service: what the exchanges of all its requests share."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from api.auth import Authenticator
from api.logs import Log, where
from api.metrics import Metrics
from api.routing import Route
from campaigns.domain.errors import HongbaoError
from campaigns.domain.ids import new_id
from campaigns.gate.cache import Cache
from campaigns.gate.rate_limits import RateLimits
from campaigns.runtime.outages import is_outage
from campaigns.runtime.workers import Loop, Loops
from campaigns.services.access import missing_migrations
from campaigns.services.context import Context
from campaigns.store import migrations

READY_SECONDS = 3.0
DRAIN_SECONDS = 25.0  # less than the supervisor waits before it kills


class Service:
    """The routes, the context once it is open, keys, limits and cache, meters, loops, and the writes under way."""

    def __init__(self, routes: Sequence[Route], log: Log, loops: Sequence[Loop] = ()) -> None:
        self.routes = tuple(routes)
        self.log = log
        self.metrics = Metrics()
        self.loops = Loops(loops, lambda name, outcome: self.metrics.loops.labels(name, outcome).inc())
        self.draining = False
        self.writes: set[asyncio.Task[object]] = set()
        self.requests_now = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._ctx: Context | None = None
        self._auth: Authenticator | None = None
        self._limits: RateLimits | None = None
        self._cache: Cache | None = None

    def open(self, ctx: Context) -> None:
        """Begin to serve on ``ctx``."""
        self._ctx = ctx
        self._auth = Authenticator(ctx)
        self._limits = RateLimits(ctx.gate, self.metrics.limits_open.inc)
        self._cache = Cache(ctx.gate, lambda use, outcome: self.metrics.cache.labels(use, outcome).inc())
        ctx.sealing.watch(self._sealing_stands_still)
        self.loops.start(ctx)
        for name, lanes in ctx.lanes.items():
            lanes.watch(self.metrics.batches(name), self.loops.give_up)

    def _sealing_stands_still(self, cause: str, seconds: float) -> None:
        self.log.warning("sealing_stands_still", cause=cause, behind_seconds=round(seconds))

    @property
    def ctx(self) -> Context:
        assert self._ctx is not None, "opened before the first request"
        return self._ctx

    @property
    def auth(self) -> Authenticator:
        assert self._auth is not None, "opened before the first request"
        return self._auth

    @property
    def limits(self) -> RateLimits:
        assert self._limits is not None, "opened before the first request"
        return self._limits

    @property
    def cache(self) -> Cache:
        assert self._cache is not None, "opened before the first request"
        return self._cache

    def enter(self) -> None:
        """A request begins."""
        self.requests_now += 1
        self._idle.clear()
        self.metrics.in_flight.inc()

    def leave(self) -> None:
        """A request has its answer, or its client has left."""
        self.requests_now -= 1
        self.metrics.in_flight.dec()
        self._look_if_idle()

    def _look_if_idle(self) -> None:
        if not self.requests_now and not self.writes:
            self._idle.set()

    def start_write(self, route: Route, work: Any) -> asyncio.Task[object]:
        """Run a handler in a task of its own, which ends by itself whatever becomes of the client."""
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(work, name=route.name)
        self.writes.add(task)
        self._idle.clear()
        self.metrics.writes_in_flight.inc()
        task.add_done_callback(self._write_ended)
        return task

    def _write_ended(self, task: asyncio.Task[object]) -> None:
        self.writes.discard(task)
        self.metrics.writes_in_flight.dec()
        self._look_if_idle()

    def left_alone(self, task: asyncio.Task[object]) -> None:
        """Note how a write ended whose client has left or was told that the outcome is unknown."""
        self.metrics.abandoned.inc()
        task.add_done_callback(self._note_alone)

    def _note_alone(self, task: asyncio.Task[object]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None or isinstance(error, HongbaoError) or is_outage(error):
            self.log.info("write_ended_alone", route=task.get_name(), code=getattr(error, "code", ""))
        else:
            self.incident(error, task.get_name())

    def incident(self, error: BaseException, route: str) -> str:
        """Log an error of our own and answer the number that the client may quote."""
        incident = new_id().hex
        self.log.error("incident", incident=incident, route=route, **where(error))
        return incident

    async def readiness(self) -> Mapping[str, bool]:
        """Whether the parts that serving needs are there: database, schema, Valkey, loops, and no drain."""
        checks = {"serving": not self.draining, "database": False, "schema": False, "valkey": False}
        try:
            async with asyncio.timeout(READY_SECONDS):
                missing = await missing_migrations(self.ctx, _migrations())
                checks["database"], checks["schema"] = True, not missing
                checks["valkey"] = bool(await self.ctx.gate.redis.ping())
        except HongbaoError:
            pass
        except Exception as error:
            if not is_outage(error):
                raise
        loops = {f"loop_{name}": alive for name, alive in self.loops.alive().items()}
        lanes = {f"lanes_{name}": lanes.error is None for name, lanes in self.ctx.lanes.items()}
        return {**checks, **loops, **lanes}

    async def drain(self) -> bool:
        """Take no more, wait for what was begun, at most DRAIN_SECONDS; answer whether all of it ended.

        The loops end meanwhile, which takes them less (`Loops.stop`).
        """
        self.draining = True
        stopping = asyncio.ensure_future(self.loops.stop())
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._idle.wait()
        except TimeoutError:
            return False
        finally:
            await stopping
        return True


def _migrations() -> frozenset[str]:
    directory = Path(next(iter(migrations.__path__)))
    return frozenset(file.stem for file in directory.glob("[0-9]*.py"))
