"""Background loops of a server process. An engine that is away is waited for; a loop that dies ends the process."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg

from campaigns.domain.errors import TryAgain
from campaigns.runtime.engines import connect_engines
from campaigns.runtime.outages import is_outage
from campaigns.runtime.settings import Settings
from campaigns.services.audit_watch import WATCH_SECONDS, Watch
from campaigns.services.context import Context
from campaigns.services.lapsing import sweep_awards
from campaigns.services.seals import SEAL_SECONDS, keep_sealing
from campaigns.services.sweeping import retain_keys, sweep

Outcome = Callable[[str, str], None]
RETENTION_SECONDS = 3_600
FINISH_SECONDS = 18.0  # a round that moves value may end by itself; together less than the drain may take
CUT_SECONDS = 3.0  # a round that was cut rolls back and gives its connections back


@dataclass(frozen=True)
class Loop:
    """``step`` every ``seconds`` of real time, the first one at once.

    ``may_be_cut``: a stop cuts its round short, as it only reads or the next round does all of it again.
    """

    name: str
    seconds: float
    step: Callable[[Context], Awaitable[object]]
    may_be_cut: bool = False


class Loops:
    """The running loops. ``died`` is set when one ended by an error of our own; ``error`` is that error."""

    def __init__(self, loops: Sequence[Loop], outcome: Outcome = lambda name, outcome: None) -> None:
        self._loops = tuple(loops)
        self._outcome = outcome
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.died = asyncio.Event()
        self.error: BaseException | None = None

    def start(self, ctx: Context) -> None:
        """Start every loop in the running event loop."""
        for loop in self._loops:
            task = asyncio.get_running_loop().create_task(self._run(loop, ctx), name=f"loop {loop.name}")
            task.add_done_callback(self._ended)
            self._tasks[loop.name] = task

    def give_up(self, error: BaseException) -> None:
        """End the process, as if a loop had died: something it cannot do without has."""
        self.error = error
        self.died.set()

    def alive(self) -> dict[str, bool]:
        """By name, whether each loop still runs."""
        return {
            loop.name: loop.name in self._tasks and not self._tasks[loop.name].done() for loop in self._loops
        }

    async def stop(self) -> None:
        """End every loop: a round that may be cut is cut, another one may finish, within bounds.

        Takes at most FINISH_SECONDS and CUT_SECONDS. A cut round's statement is cancelled in PostgreSQL too, and its
        transaction rolled back.
        """
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, loop: Loop, ctx: Context) -> None:
        while True:
            round_ = asyncio.ensure_future(loop.step(ctx))
            try:
                await asyncio.shield(round_)
            except asyncio.CancelledError:
                await _end(round_, loop.may_be_cut)
                raise
            except TryAgain:
                self._outcome(loop.name, "busy")
            except Exception as error:
                if not is_outage(error):
                    raise
                self._outcome(loop.name, "outage")
            else:
                self._outcome(loop.name, "done")
            await asyncio.sleep(loop.seconds)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self.error = task.exception()
            self.died.set()


async def _end(round_: asyncio.Future[object], at_once: bool) -> None:
    """Let a round end by itself, unless it is to be cut at once; cut it where it does not."""
    if not at_once:
        await asyncio.wait({round_}, timeout=FINISH_SECONDS)
    if not round_.done():
        round_.cancel()
        await asyncio.wait({round_}, timeout=CUT_SECONDS)


def service_loops(settings: Settings) -> tuple[Loop, ...]:
    """The loops of every server process: they may run in several at once, and pass by what another holds."""

    async def retain(ctx: Context) -> int:
        engines = await connect_engines(settings)  # the role sweeper, which alone deletes, has no pool
        try:
            connection = await asyncpg.connect(engines.sweeper_dsn)
            try:
                return await retain_keys(connection)
            finally:
                await connection.close()
        finally:
            engines.close()

    return (
        Loop("sweep", settings.sweep_seconds, sweep),
        Loop("awards", settings.sweep_seconds, sweep_awards),
        Loop("request_keys", RETENTION_SECONDS, retain, may_be_cut=True),
        Loop("seals", SEAL_SECONDS, keep_sealing, may_be_cut=True),
        Loop("audit", WATCH_SECONDS, Watch(), may_be_cut=True),
    )
