"""Group commit: many requests, one transaction, one flush (DESIGN, Speed; docs/decisions/0010).

Two lanes, each starts its next batch when its last has ended; no timer. A batch reads the stored answers, hands the
rest to ``work`` (locks, reads, a pure decision for each in arrival order, writes), stores the answers, commits, and
only then answers. Whatever fails by itself fails alone; nobody hears yes before COMMIT.
"""

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

import asyncpg

from campaigns.domain.errors import HongbaoError, Invalid, Refused, TryAgain
from campaigns.store.pool import Connection, Pool
from campaigns.store.unit_of_work import KeyName, Request, store_answers, stored_answers

P = TypeVar("P")
T = TypeVar("T")

LANES: Final = 2
MAX_BATCH: Final = 256
MAX_WAITING: Final = 2_048  # requests in the queue, and doubles that wait for their first one
MAX_RUNS: Final = 3  # of one batch that something committed meanwhile has overtaken
MAX_DEADLOCKS: Final = 1  # after which the batch runs again
TURNS: Final = 4  # of the event loop, from an answer to its caller's next request
ALONE_LOCK_MS: Final = (
    20  # wait of each request of a batch that a lock held up: most of them need another one
)

# The connection is of no more use, or says nothing of a single request: no part of the batch is tried again.
_LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


class Overtaken(Exception):
    """What a batch has read is no longer so: roll back and run it again."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A request's end by an error. `Refused` is stored like an answer, everything else is not."""

    error: Exception

    def raised(self) -> Exception:
        """The error for one more caller, each with a traceback of its own."""
        return copy.copy(self.error) if isinstance(self.error, HongbaoError) else self.error


Work = Callable[[Connection, Sequence[P]], Awaitable[Sequence[object]]]
"""Does what the plans ask, inside the batch's transaction; answers each one's answer or `Failed`, in their order.

A failed plan must have left no effect on the others. Any error raised instead is the whole batch's.
"""


@dataclass(eq=False, slots=True)
class _Job(Generic[P]):
    asked: Request | None
    name: KeyName | None
    answers: type[Any]
    plan: P
    end: "asyncio.Future[object]"  # an answer or Failed, so that an end nobody waits for is no error


class GroupCommit(Generic[P]):
    """The lanes of one process. Several processes may have theirs on one database."""

    def __init__(
        self, pool: Pool, work: Work[P], *, lanes: int = LANES, max_waiting: int = MAX_WAITING
    ) -> None:
        self._pool = pool
        self._work = work
        self._lanes_max = lanes
        self._max_waiting = max_waiting
        self._queue: deque[_Job[P]] = deque()
        self._named: dict[KeyName, _Job[P]] = {}  # queued or under way
        self._lanes: set[asyncio.Task[None]] = set()
        self._doubles = 0
        self._running = 0
        self._draining = False

    async def perform(self, asked: Request | None, answers: type[T], plan: P) -> T:
        """Run ``plan`` once for ``asked``, in the next batch, and answer after its COMMIT, or as it was stored.

        A caller that is cancelled leaves the plan to run. A double of a request on its way gets that one's answer.
        Raises `Refused`, `Invalid`, `TryAgain` (``busy``: nothing happened) and what the work raises.
        """
        name = None if asked is None else asked.name
        while True:
            if self._draining or len(self._queue) + self._doubles >= self._max_waiting:
                raise TryAgain("busy")
            first = None if name is None else self._named.get(name)
            if first is None:
                end = await asyncio.shield(self._enter(asked, name, answers, plan))
                break
            self._doubles += 1
            try:
                end = await asyncio.shield(first.end)
            finally:
                self._doubles -= 1
            assert asked is not None and first.asked is not None
            if asked.fingerprint == first.asked.fingerprint:
                break  # another body under the same key is judged by what is stored
        if isinstance(end, Failed):
            raise end.raised()
        return cast(T, end)

    async def drain(self) -> None:
        """Take no more and return when everything taken has ended."""
        self._draining = True
        while self._lanes:
            await asyncio.wait(self._lanes)

    def _enter(
        self, asked: Request | None, name: KeyName | None, answers: type[Any], plan: P
    ) -> "asyncio.Future[object]":
        loop = asyncio.get_running_loop()
        job = _Job(asked, name, answers, plan, loop.create_future())
        self._queue.append(job)
        if name is not None:
            self._named[name] = job
        if len(self._lanes) < self._lanes_max:
            self._lanes.add(loop.create_task(self._lane(), name="group commit"))
        return job.end

    def _take(self) -> list[_Job[P]]:
        """The next batch: a fair part of all that is here, so that one lane computes while the other commits."""
        fair = -(-(len(self._queue) + self._running) // self._lanes_max)
        size = min(len(self._queue), MAX_BATCH, max(1, fair))
        return [self._queue.popleft() for _ in range(size)]

    async def _lane(self) -> None:
        try:
            await self._batches()
        finally:  # no turn of the event loop after the last look at the queue: whoever comes next starts a lane
            self._lanes.remove(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _batches(self) -> None:
        while self._queue:
            try:
                async with self._pool.acquire() as connection:
                    sound = True
                    while sound and await self._more():
                        sound = await self._serve(connection, self._take())
            except (TryAgain, *_LOST, asyncpg.PostgresError):  # no connection: nothing of these was begun
                self._end(self._take(), [Failed(TryAgain("busy"))] * MAX_BATCH)

    async def _more(self) -> bool:
        """Whether a request waits, once those just answered have had their turn: they may come with the next."""
        for _ in range(TURNS):
            if self._queue:
                break
            await asyncio.sleep(0)
        return bool(self._queue)

    async def _serve(self, connection: Connection, jobs: list[_Job[P]]) -> bool:
        """Bring jobs to their end; answer whether the connection is still good."""
        self._running += len(jobs)
        # what they are told if we are cancelled:
        ends: Sequence[object] = [Failed(TryAgain("outcome_unknown", status=504))] * len(jobs)
        try:
            ends = await self._ends(connection, jobs)
        except _LOST as error:
            ends = [Failed(error)] * len(jobs)
            return False
        finally:
            self._running -= len(jobs)
            self._end(jobs, ends)
        return True

    def _end(self, jobs: Sequence[_Job[P]], ends: Sequence[object]) -> None:
        for job, end in zip(jobs, ends, strict=False):
            if job.name is not None:
                del self._named[job.name]
            job.end.set_result(end)

    async def _ends(self, connection: Connection, jobs: Sequence[_Job[P]]) -> Sequence[object]:
        try:
            return await self._repeat(connection, jobs)
        except _LOST:
            raise
        except asyncpg.LockNotAvailableError:
            return await self._one_by_one(connection, jobs, ALONE_LOCK_MS)
        except Exception as error:  # noqa: BLE001 - told to whom it concerns, found by running them one by one
            if len(jobs) == 1:
                return [Failed(error)]
            return await self._one_by_one(connection, jobs, None)

    async def _one_by_one(
        self, connection: Connection, jobs: Sequence[_Job[P]], lock_ms: int | None
    ) -> Sequence[object]:
        if len(jobs) == 1:
            return await _busy(connection, jobs)
        ends: list[object] = []
        for job in jobs:
            try:
                ends += await self._repeat(connection, [job], lock_ms)
            except _LOST as error:
                lost: list[object] = [Failed(error)] * (len(jobs) - len(ends))
                return ends + lost
            except asyncpg.LockNotAvailableError:
                ends += await _busy(connection, [job])
            except Exception as error:  # noqa: BLE001 - the poisoned request fails alone
                ends.append(Failed(error))
        return ends

    async def _repeat(
        self, connection: Connection, jobs: Sequence[_Job[P]], lock_ms: int | None = None
    ) -> Sequence[object]:
        """Run a batch until nothing overtakes it. A deadlock runs it again once; then it is busy."""
        deadlocks = 0
        for _ in range(MAX_RUNS):
            try:
                return await self._run(connection, jobs, lock_ms)
            except Overtaken:
                continue
            except asyncpg.DeadlockDetectedError:
                deadlocks += 1
                if deadlocks > MAX_DEADLOCKS:
                    break
        return await _busy(connection, jobs)

    async def _run(
        self, connection: Connection, jobs: Sequence[_Job[P]], lock_ms: int | None
    ) -> Sequence[object]:
        """One transaction for all of the jobs."""
        async with connection.transaction():
            if lock_ms is not None:
                await connection.execute(f"SET LOCAL lock_timeout = {lock_ms}")
            ends = await _stored(connection, jobs)
            fresh = [job for job in jobs if job not in ends]
            if fresh:
                done = await self._work(connection, [job.plan for job in fresh])
                ends.update(zip(fresh, done, strict=True))
                if not await store_answers(connection, _to_store(fresh, ends)):
                    raise Overtaken
        unstored = [job for job in fresh if _gives_way(ends[job])]
        if unstored:  # an equal request elsewhere may have ended meanwhile, and be the very reason
            ends |= await _stored(connection, unstored)
        return [ends[job] for job in jobs]


async def _stored(connection: Connection, jobs: Sequence[_Job[P]]) -> dict[_Job[P], object]:
    found = await stored_answers(connection, [job.asked for job in jobs if job.asked is not None])
    ends: dict[_Job[P], object] = {}
    for job in jobs if found else ():
        answer = None if job.name is None else found.get(job.name)
        if answer is not None and job.asked is not None:
            try:
                ends[job] = answer.told(job.asked, job.answers)
            except (Refused, Invalid) as error:
                ends[job] = Failed(error)
    return ends


async def _busy(connection: Connection, jobs: Sequence[_Job[P]]) -> Sequence[object]:
    """Nothing happened, unless by an equal request elsewhere."""
    ends = await _stored(connection, jobs)
    return [ends.get(job, Failed(TryAgain("busy"))) for job in jobs]


def _to_store(jobs: Sequence[_Job[P]], ends: dict[_Job[P], object]) -> list[tuple[Request, object]]:
    rows: list[tuple[Request, object]] = []
    for job in jobs:
        end = ends[job]
        answer = end.error if isinstance(end, Failed) else end
        if job.asked is not None and (isinstance(answer, Refused) or not isinstance(end, Failed)):
            rows.append((job.asked, answer))
    return rows


def _gives_way(end: object) -> bool:
    return isinstance(end, Failed) and isinstance(end.error, (Invalid, TryAgain))
