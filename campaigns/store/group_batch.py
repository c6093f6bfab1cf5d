"""One batch of a group commit on one connection: every request of it comes to one end (docs/decisions/0010).

A batch is one transaction; its ends are known after COMMIT and not before. Whatever fails by itself fails alone.
"""

import copy
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

import asyncpg

from campaigns.domain.errors import HongbaoError, Invalid, Refused, TryAgain
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import CHANGED_TABLES, KeyName, Request, store_answers, stored_answers

if TYPE_CHECKING:
    import asyncio

P = TypeVar("P")
P_contra = TypeVar("P_contra", contravariant=True)

MAX_RUNS: Final = 3  # of one batch that something committed meanwhile has overtaken
MAX_DEADLOCKS: Final = 1  # after which the batch runs again
ALONE_LOCK_MS: Final = (
    20  # wait of each request of a batch that a lock held up: most of them need another one
)

# The connection is of no more use, or says nothing of a single request: no part of the batch is tried again.
LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


class Overtaken(Exception):
    """What a batch has read is no longer so: roll back and run it again."""


class HeldUp:
    """The end of a plan that needs what somebody else holds alone for who knows how long: it waits apart."""


HELD_UP: Final = HeldUp()


@dataclass(frozen=True, slots=True)
class Failed:
    """A request's end by an error. `Refused` is stored like an answer, everything else is not."""

    error: Exception

    def __post_init__(self) -> None:
        if isinstance(self.error, HongbaoError):  # its frames would keep the whole batch in memory
            self.error.__traceback__ = self.error.__context__ = None

    def raised(self) -> Exception:
        """The error for one more caller, each with a traceback of its own."""
        return copy.copy(self.error) if isinstance(self.error, HongbaoError) else self.error


class Work(Protocol[P_contra]):
    """Does what the plans ask, inside the batch's transaction; answers each one's answer or `Failed`, in their order.

    Unless it is ``patient`` it may answer `HELD_UP`. A plan with such an end, or a failed one, must have left no
    effect on the others. Any error raised instead is the whole batch's.
    """

    def __call__(
        self, connection: Connection, plans: Sequence[P_contra], /, *, patient: bool
    ) -> Awaitable[Sequence[object]]: ...


@dataclass(eq=False, slots=True)
class Job(Generic[P]):
    """One request on its way. ``entered`` is the event loop's time."""

    asked: Request | None
    name: KeyName | None
    answers: type[Any]
    plan: P
    entered: float
    end: "asyncio.Future[object]"  # an answer or Failed, so that an end nobody waits for is no error


class Batch(Generic[P]):
    """Jobs that share a transaction. ``ends`` holds what is known for certain: an answer, `Failed` or `HELD_UP`.

    A ``patient`` batch waits for who holds a campaign alone; after the lock timeout it does without them. In a
    ``final`` one they are busy then.
    """

    def __init__(
        self, connection: Connection, work: Work[P], jobs: Sequence[Job[P]], *, patient: bool, final: bool
    ) -> None:
        self.ends: dict[Job[P], object] = {}
        self._connection = connection
        self._work = work
        self._jobs = jobs
        self._patient = patient
        self._final = final

    async def run(self) -> None:
        """Bring every job to its end. Raises one of `LOST`: what has no end by then is unknown."""
        lock_ms = None
        for patient in (True, False) if self._patient else (False,):
            try:
                return await self._repeat(self._jobs, patient, None)
            except LOST:
                raise
            except asyncpg.LockNotAvailableError:
                lock_ms = ALONE_LOCK_MS
            except Exception as error:  # noqa: BLE001 - told to whom it concerns, found by running them one by one
                if len(self._jobs) == 1:
                    self.ends[self._jobs[0]] = Failed(error)
                    return None
                break
        return await self._one_by_one(lock_ms)

    async def _one_by_one(self, lock_ms: int | None) -> None:
        """Each in a transaction of its own, once; who held one of them up is not waited for by the others."""
        if len(self._jobs) == 1:
            await self._busy(self._jobs)
        else:
            for job in self._jobs:
                if await self._is_locked(job, lock_ms):
                    lock_ms = ALONE_LOCK_MS

    async def _is_locked(self, job: Job[P], lock_ms: int | None) -> bool:
        """Run one job alone; answer whether a lock made it busy."""
        try:
            try:
                await self._repeat([job], False, lock_ms)
            except asyncpg.LockNotAvailableError:
                await self._busy([job])
                return True
        except LOST:
            raise
        except Exception as error:  # noqa: BLE001 - the poisoned request fails alone
            self.ends[job] = Failed(error)
        return False

    async def _repeat(self, jobs: Sequence[Job[P]], patient: bool, lock_ms: int | None) -> None:
        """Run jobs until nothing overtakes them. A deadlock runs them again once; then they are busy."""
        deadlocks = 0
        for _ in range(MAX_RUNS):
            try:
                return await self._run(jobs, patient, lock_ms)
            except (Overtaken, *CHANGED_TABLES):
                continue
            except asyncpg.DeadlockDetectedError:
                deadlocks += 1
                if deadlocks > MAX_DEADLOCKS:
                    break
        return await self._busy(jobs)

    async def _run(self, jobs: Sequence[Job[P]], patient: bool, lock_ms: int | None) -> None:
        """One transaction for all of the jobs."""
        connection = self._connection
        async with connection.transaction():
            if lock_ms is not None:
                await connection.execute(f"SET LOCAL lock_timeout = {lock_ms}")
            ends = await _stored(connection, jobs)
            fresh = [job for job in jobs if job not in ends]
            if fresh:
                done = await self._work(connection, [job.plan for job in fresh], patient=patient)
                for job, end in zip(fresh, done, strict=True):
                    ends[job] = Failed(TryAgain("busy")) if end is HELD_UP and self._final else end
                if not await store_answers(connection, _to_store(fresh, ends)):
                    raise Overtaken
        self.ends |= ends
        unstored = [job for job in fresh if _gives_way(ends[job])]
        if unstored:  # an equal request elsewhere may have ended meanwhile, and be the very reason
            self.ends |= await _stored(connection, unstored)

    async def _busy(self, jobs: Sequence[Job[P]]) -> None:
        """Nothing happened, unless by an equal request elsewhere."""
        stored = await _stored(self._connection, jobs)
        self.ends |= {job: stored.get(job, Failed(TryAgain("busy"))) for job in jobs}


async def _stored(connection: Connection, jobs: Sequence[Job[P]]) -> dict[Job[P], object]:
    found = await stored_answers(connection, [job.asked for job in jobs if job.asked is not None])
    ends: dict[Job[P], object] = {}
    for job in jobs if found else ():
        answer = None if job.name is None else found.get(job.name)
        if answer is not None and job.asked is not None:
            try:
                ends[job] = answer.told(job.asked, job.answers)
            except (Refused, Invalid) as error:
                ends[job] = Failed(error)
    return ends


def _to_store(jobs: Sequence[Job[P]], ends: dict[Job[P], object]) -> list[tuple[Request, object]]:
    rows: list[tuple[Request, object]] = []
    for job in jobs:
        end = ends[job]
        if job.asked is None or end is HELD_UP:
            continue
        if not isinstance(end, Failed):
            rows.append((job.asked, end))
        elif isinstance(end.error, Refused):
            rows.append((job.asked, end.error))
    return rows


def _gives_way(end: object) -> bool:
    return isinstance(end, Failed) and isinstance(end.error, (Invalid, TryAgain))
