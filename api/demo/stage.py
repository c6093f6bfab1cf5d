"""What every stage works with: the engines, the context, who acts, and patience with an engine that is away."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from api.demo.behaviour import Behaviour, moment
from api.demo.folder import Folder, Made
from api.demo.scale import scaled
from api.demo.shops import Shops
from api.demo.show import Show
from campaigns.domain.definition.model import Definition
from campaigns.domain.errors import Refused, TryAgain
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.roles import KIND_SCOPES
from campaigns.runtime.engines import Engines
from campaigns.runtime.outages import is_outage
from campaigns.runtime.settings import Settings
from campaigns.services.clock import set_clock, void_codes
from campaigns.services.context import Context
from campaigns.store.locks import campaign_now
from campaigns.store.unit_of_work import Request, request

T = TypeVar("T")
PATIENCE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.05
MOST_PAUSE_SECONDS = 1.0


@dataclass
class Stage:
    """The demonstration as it stands; each stage adds what it found or made."""

    made: Made
    behaviour: Behaviour
    source: str
    definition: Definition
    settings: Settings
    folder: Folder
    show: Show
    engines: Engines
    ctx: Context
    shops: Shops
    processes: int
    programme_id: UUID = field(default_factory=new_id)
    campaign_id: UUID = field(default_factory=new_id)
    draw_id: UUID = field(default_factory=new_id)
    staff: dict[str, Principal] = field(default_factory=dict)
    channel_key: str = ""
    till_keys: dict[str, str] = field(default_factory=dict)
    staff_key: str = ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.definition.time_zone)

    @property
    def run_name(self) -> str:
        """The beginning of every request key of this demonstration."""
        return f"{self.made.demo}-{self.made.seed}"

    @property
    def entries(self) -> int:
        return scaled(self.behaviour.entries, self.made.scale)

    @property
    def channel(self) -> Principal:
        """The residents' channel, in this process."""
        return Principal("channel", self.programme_id, self.programme_id, KIND_SCOPES["channel"])

    def at(self, name: str) -> datetime:
        """A moment of the behaviour file's timeline."""
        return moment(getattr(self.behaviour.timeline, name), self.zone)

    def asked(self, principal: Principal, verb: str) -> Request:
        """A request that has its effect once, however often the demonstration is started."""
        return request(principal.id, f"{self.run_name}-{verb}", verb, None)

    async def now(self) -> datetime:
        """Campaign time."""

        async def read() -> datetime:
            async with self.ctx.pool.acquire() as connection:
                return await campaign_now(connection)

        return await steady(read)

    async def clock_to(self, at: datetime) -> None:
        """Let campaign time be at least ``at``. Payment codes are over by then, so they are made void."""

        async def move() -> None:
            if await self.now() < at:
                await void_codes(self.ctx)
                await set_clock(self.ctx, at)

        try:
            await steady(move)
        except Refused as error:
            if error.code != "clock_not_adjustable":
                raise
            assert await self.now() >= at, "somebody else moved it meanwhile"


async def steady(act: Callable[[], Awaitable[T]]) -> T:
    """Run an act that may be repeated until an engine that is away has come back, for `PATIENCE_SECONDS`."""
    loop = asyncio.get_running_loop()
    started, pause = loop.time(), FIRST_PAUSE_SECONDS
    while True:
        try:
            return await act()
        except Exception as error:
            if (
                not (isinstance(error, TryAgain) or is_outage(error))
                or loop.time() - started > PATIENCE_SECONDS
            ):
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, MOST_PAUSE_SECONDS)
