"""Group commit: many requests, one transaction, one flush (DESIGN, Speed; docs/decisions/0010).

Two lanes, each starts its next batch when its last has ended; no timer. A batch reads the stored answers, hands the
rest to the work (locks, reads, a pure decision for each in arrival order, writes), stores the answers, commits, and
only then answers. Who needs a campaign that somebody holds alone waits in a lane apart, so that the others go on.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

import asyncpg

from campaigns.domain.errors import TryAgain
from campaigns.store.group_batch import HELD_UP, LOST, Batch, Failed, Job, Work
from campaigns.store.pool import Connection, Pool
from campaigns.store.unit_of_work import KeyName, Request

P = TypeVar("P")
T = TypeVar("T")
logger = logging.getLogger(__name__)

LANES: Final = 2
MAX_BATCH: Final = 256
MAX_WAITING: Final = 2_048  # requests in the queues, and doubles that wait for their first one
MAX_ASIDE: Final = 1_536  # of these, who waits for a campaign that somebody holds alone
ASIDE_SECONDS: Final = 5.0  # after which who still needs it is busy
BATCH_SECONDS: Final = 40.0  # of one batch, longer than a statement may take: beyond it the link is given up
TURNS: Final = 4  # of the event loop, from an answer to its caller's next request

_BUSY: Final = Failed(TryAgain("busy"))
_UNKNOWN: Final = Failed(TryAgain("outcome_unknown", status=504))


class Seen(NamedTuple):
    """A batch that has ended: how many requests, how long it took, how long its first one had waited.

    ``waiting`` and ``aside`` are how many wait now, in all and for a campaign's lock. Real time.
    """

    size: int
    seconds: float
    waited_seconds: float
    waiting: int
    aside: int


@dataclass(slots=True)
class _Queue(Generic[P]):
    lanes_max: int
    patient: bool
    jobs: deque[Job[P]] = field(default_factory=deque)
    lanes: set[asyncio.Task[None]] = field(default_factory=set)
    running: int = 0

    def take(self) -> list[Job[P]]:
        """The next batch: a fair part of all that is here, so that one lane computes while the other commits."""
        fair = -(-(len(self.jobs) + self.running) // self.lanes_max)
        size = min(len(self.jobs), MAX_BATCH, max(1, fair))
        return [self.jobs.popleft() for _ in range(size)]


class GroupCommit(Generic[P]):
    """The lanes of one process. Several processes may have theirs on one database.

    ``error`` is the bug that ended a lane: nothing is taken any more, and the process must end.
    """

    def __init__(
        self, pool: Pool, work: Work[P], *, lanes: int = LANES, max_waiting: int = MAX_WAITING,
        batch_seconds: float = BATCH_SECONDS,
    ) -> None:  # fmt: skip
        self.error: Exception | None = None
        self._pool = pool
        self._work = work
        self._max_waiting = max_waiting
        self._batch_seconds = batch_seconds
        self._quick: _Queue[P] = _Queue(lanes, patient=False)
        self._aside: _Queue[P] = _Queue(1, patient=True)
        self._named: dict[KeyName, Job[P]] = {}  # queued or under way
        self._doubles = 0
        self._draining = False
        self._on_batch: Callable[[Seen], None] = lambda seen: None
        self._on_death: Callable[[Exception], None] = lambda error: None

    def watch(self, on_batch: Callable[[Seen], None], on_death: Callable[[Exception], None]) -> None:
        """Tell of every batch, and of the error that ended a lane."""
        self._on_batch, self._on_death = on_batch, on_death

    async def perform(self, asked: Request | None, answers: type[T], plan: P) -> T:
        """Run ``plan`` once for ``asked``, in the next batch, and answer after its COMMIT, or as it was stored.

        A caller that is cancelled leaves the plan to run. A double of a request on its way gets that one's answer.
        Raises `Refused`, `Invalid`, `TryAgain` (``busy``: nothing happened; ``outcome_unknown``: the connection was
        lost, a repeat with the same key finds out) and what the work raises.
        """
        name = None if asked is None else asked.name
        while True:
            if self._draining or self._waiting() >= self._max_waiting:
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
        while lanes := self._quick.lanes | self._aside.lanes:
            await asyncio.wait(lanes)

    def _waiting(self) -> int:
        return len(self._quick.jobs) + len(self._aside.jobs) + self._doubles

    def _enter(
        self, asked: Request | None, name: KeyName | None, answers: type[Any], plan: P
    ) -> "asyncio.Future[object]":
        loop = asyncio.get_running_loop()
        job = Job(asked, name, answers, plan, loop.time(), loop.create_future())
        if name is not None:
            self._named[name] = job
        self._put(self._quick, job)
        return job.end

    def _put(self, queue: _Queue[P], job: Job[P]) -> None:
        queue.jobs.append(job)
        if len(queue.lanes) < queue.lanes_max:
            lane = asyncio.get_running_loop().create_task(self._lane(queue), name="group commit")
            queue.lanes.add(lane)

    async def _lane(self, queue: _Queue[P]) -> None:
        try:
            await self._batches(queue)
        except Exception as error:  # noqa: BLE001 - a bug of ours, or a server that money must not be written to
            self._die(error)
        finally:  # no turn of the event loop after the last look at the queue: whoever comes next starts a lane
            queue.lanes.remove(cast("asyncio.Task[None]", asyncio.current_task()))
            if not queue.lanes and queue.jobs:  # cancelled, as the event loop ends
                self._turn_away(queue)

    def _die(self, error: Exception) -> None:
        self.error = self.error or error
        self._draining = True
        for queue in (self._quick, self._aside):
            self._turn_away(queue)
        self._on_death(error)

    def _turn_away(self, queue: _Queue[P]) -> None:
        """Tell whoever waits that nothing of theirs was begun."""
        self._end(list(queue.jobs), {}, _BUSY)
        queue.jobs.clear()

    async def _batches(self, queue: _Queue[P]) -> None:
        while queue.jobs:
            try:
                async with self._pool.acquire() as connection:
                    keep = True
                    while keep and await self._more(queue):
                        sound = await self._serve(queue, connection, queue.take())
                        keep = sound and not self._pool.is_used_up  # others have their turn at it
            except (TryAgain, *LOST, asyncpg.PostgresError):  # no connection: nothing of these was begun
                self._end(queue.take(), {}, _BUSY)

    async def _more(self, queue: _Queue[P]) -> bool:
        """Whether a request waits, once those just answered have had their turn: they may come with the next."""
        for _ in range(TURNS):
            if queue.jobs:
                break
            await asyncio.sleep(0)
        return bool(queue.jobs)

    async def _serve(self, queue: _Queue[P], connection: Connection, jobs: list[Job[P]]) -> bool:
        """Bring jobs to their end; answer whether the connection is still good."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        patient = queue.patient and begun - jobs[0].entered < ASIDE_SECONDS
        batch = Batch(connection, self._work, jobs, patient=patient, final=queue.patient)
        end = loop.call_later(self._batch_seconds, _give_up, connection)
        queue.running += len(jobs)
        try:
            await batch.run()
        except LOST as error:
            logger.warning("a batch of %d requests lost its connection: %r", len(jobs), error)
            return False
        finally:  # also if we are cancelled
            end.cancel()
            queue.running -= len(jobs)
            self._end(jobs, batch.ends, _UNKNOWN)
            self._saw(jobs, begun)
        return True

    def _saw(self, jobs: Sequence[Job[P]], begun: float) -> None:
        seconds = asyncio.get_running_loop().time() - begun
        waited = begun - jobs[0].entered
        self._on_batch(Seen(len(jobs), seconds, waited, self._waiting(), len(self._aside.jobs)))

    def _end(self, jobs: Sequence[Job[P]], ends: Mapping[Job[P], object], otherwise: Failed) -> None:
        for job in jobs:
            end = ends.get(job, otherwise)
            if end is HELD_UP:
                if len(self._aside.jobs) < MAX_ASIDE and self.error is None:
                    self._put(self._aside, job)
                    continue
                end = _BUSY
            if job.name is not None:
                del self._named[job.name]
            job.end.set_result(end)


def _give_up(connection: Connection) -> None:
    """A link cut without a word would be waited on for as long as the kernel repeats itself, a quarter of an hour."""
    connection.terminate()
