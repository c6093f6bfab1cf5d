"""A demonstration from start to end, or from where a killed one stopped."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from msgspec import Struct
from rich.console import Console

from api.cli.audit import show as show_audit
from api.demo import ending, lottery_day, office
from api.demo.behaviour import load_behaviour, moment
from api.demo.client import Client
from api.demo.figures import Figures, again, figures_of
from api.demo.folder import Folder, Made
from api.demo.journal import Journal
from api.demo.memory import Sampler
from api.demo.scale import campaign_source, scaled
from api.demo.serving import Served, served
from api.demo.shops import make_shops
from api.demo.show import Show
from api.demo.spending import Spending, Spent
from api.demo.stage import Stage
from api.demo.tables import show_figures
from api.demo.texts import Language, say
from api.logs import make_log, tame_libraries
from api.report import show as show_report
from campaigns.domain.report import Report
from campaigns.domain.windows import zone_of
from campaigns.runtime.engines import Engines, connect_engines
from campaigns.runtime.settings import Settings
from campaigns.runtime.wiring import context_on, prepare
from campaigns.services.auditing import AuditResult
from campaigns.services.campaign_source import load_definition

FIGURES_FILE = "figures.json"
JOURNAL_FILE = "journal.jsonl"
SERVER_LOG = "server.log"  # of the servers, and of what this process's libraries say while an engine is away
LEAST_MERCHANTS = 30
EXIT_VIOLATED = 1


class Choices(Struct, frozen=True, kw_only=True):
    """What the command line asked for. ``seed`` None: 1, or that of the run to go on with."""

    name: str
    data_dir: Path
    seed: int | None
    scale: float
    processes: int
    language: Language
    exit_at_end: bool
    progress_json: bool
    json_file: Path | None


class Watched:
    """Who runs: for the memory and for whoever wants to kill something."""

    def __init__(self) -> None:
        self.engines: Engines | None = None
        self.server: Served | None = None
        self._supervisor = 0

    def pids(self) -> dict[str, Any]:
        """Process ids by role."""
        found: dict[str, Any] = {"demo": os.getpid()}
        if self.engines is not None:
            found |= {name: getattr(self.engines.pids, name) for name in ("supervisor", "postgres", "valkey")}
        if self.server is not None:
            server = self.server.handle
            found |= {"server": server.pids(), "server_supervisor": server.supervisor_pid}
        return found

    def roots(self) -> list[int]:
        """Processes whose families take the memory. Asks the engines only where their supervisor was replaced."""
        engines = self.engines
        if engines is not None and not Path(f"/proc/{self._supervisor}").exists():
            self._supervisor = engines.pids.supervisor
        return [os.getpid(), *([self._supervisor] if self._supervisor else [])]


def run_demo(choices: Choices) -> int:
    """Run or go on; the exit code: 0, or 1 where anything was violated. Raises NotOurs and what engines raise."""
    folder = Folder(choices.data_dir)
    before = folder.made()
    made = folder.open(before, name=choices.name, seed=choices.seed, scale=choices.scale)
    environ = _environ(choices)
    settings = Settings.from_env(environ)
    watched = Watched()
    console = Console(stderr=choices.progress_json)
    show = Show(choices.language, as_json=choices.progress_json, pids=watched.pids, console=console)
    return uvloop.run(_Run(choices, folder, made, settings, environ, watched, show, before is not None).all())


def _environ(choices: Choices) -> dict[str, str]:
    """The environment of the demonstration and its servers: engines of its own, in demo mode."""
    ours = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    ours.pop("HONGBAO_SECRETS_DIR", None)
    return ours | {
        "HONGBAO_MODE": "demo",
        "HONGBAO_DATA_DIR": str(choices.data_dir),
        "HONGBAO_LOG_LEVEL": "warning",
        "HONGBAO_LANGUAGE": choices.language,
    }


class _Run:
    def __init__(
        self, choices: Choices, folder: Folder, made: Made, settings: Settings, environ: dict[str, str],
        watched: Watched, show: Show, resumed: bool,
    ) -> None:  # fmt: skip
        self._choices, self._folder, self._made, self._settings = choices, folder, made, settings
        self._environ, self._watched, self._show, self._resumed = environ, watched, show, resumed

    async def all(self) -> int:
        """Every stage, then the tables, then the server until it is told to stop."""
        started = time.monotonic()
        finished = self._folder.get(FIGURES_FILE)
        if self._resumed:
            name = "resumed" if finished is None else "finished"
            self._show.say(say(name, self._show.language, path=self._folder.data_dir))
        with self._show, Sampler(self._watched.roots) as sampler:
            async with self._stage() as stage, self._served(stage) as server:
                await self._until_draw(stage)
                with Journal(self._folder.run / JOURNAL_FILE) as journal:
                    spent = await self._spend(stage, journal, server)
                    report, page, audited, told, lost, untried = await self._end(stage, journal)
                    paid = sum(a.done and a.kind in ("redeem", "capture") for a in journal.answers.values())
                    figures = figures_of(
                        stage, report, audited, spent, paid=paid, untried=untried, told=told, lost=lost,
                        seconds_total=time.monotonic() - started, peak_mb=sampler.peak_mb,
                        resumed=self._resumed and finished is None,
                    )  # fmt: skip
                    if finished is not None:
                        figures = again(finished, figures)
                    self._show.__exit__()
                    self._tell(figures, report, page, audited)
                    if not self._choices.exit_at_end:
                        await self._keep(stage, server)
        return EXIT_VIOLATED if figures.violations else 0

    @asynccontextmanager
    async def _stage(self) -> AsyncIterator[Stage]:
        behaviour = load_behaviour(self._made.demo)
        source = campaign_source(behaviour.campaign, self._made.scale)
        definition = load_definition(source)
        merchants = max(LEAST_MERCHANTS, scaled(behaviour.merchants, self._made.scale))
        operators = tuple(operator.id for operator in definition.custody_operators)
        starts = moment(behaviour.timeline.start, zone_of(definition.time_zone))
        with self._show.stage("engines"):
            engines = await connect_engines(self._settings, self._show.say)
            self._watched.engines = engines
            await prepare(engines, self._settings, starts)
        guard = asyncio.create_task(engines.watch(), name="engines")
        try:
            async with context_on(engines, self._settings) as ctx:
                yield Stage(
                    made=self._made, behaviour=behaviour, source=source, definition=definition,
                    settings=self._settings, folder=self._folder, show=self._show, engines=engines, ctx=ctx,
                    shops=make_shops(behaviour, self._made.seed, merchants, operators),
                    processes=self._choices.processes,
                )  # fmt: skip
        finally:
            guard.cancel()
            with suppress(asyncio.CancelledError):
                await guard
            self._watched.engines = None
            await asyncio.to_thread(engines.close, wait=self._choices.exit_at_end)

    async def _until_draw(self, stage: Stage) -> None:
        with self._show.stage("office"):
            await office.open_office(stage)
        with self._show.stage("campaign"):
            await office.open_campaign(stage)
            await office.find_campaign(stage)
        with self._show.stage("merchants"):
            await office.open_shops(stage)
        with self._show.stage("registration"):
            await lottery_day.register(stage)
        with self._show.stage("freeze"):
            await lottery_day.freeze(stage)
        with self._show.stage("draw"):
            await lottery_day.draw(stage)

    @asynccontextmanager
    async def _served(self, stage: Stage) -> AsyncIterator[Served]:
        async with AsyncExitStack() as stack:
            with self._show.stage("server"):
                log = self._folder.run / SERVER_LOG
                tame_libraries(make_log(stack.enter_context(log.open("ab", buffering=0))))
                server = await stack.enter_async_context(served(stage.processes, self._environ, log))
            self._watched.server = server
            try:
                yield server
            finally:
                self._watched.server = None

    async def _spend(self, stage: Stage, journal: Journal, server: Served) -> Spent:
        client = Client(server.host, server.port)
        try:
            with self._show.stage("payments"):
                spending = Spending(stage, client, journal)
                await spending.run()
                return spending.spent
        finally:
            await client.close()

    async def _end(self, stage: Stage, journal: Journal) -> tuple[Report, Path, AuditResult, int, int, int]:
        with self._show.stage("expiry"):
            await ending.expire(stage)
        with self._show.stage("close"):
            await ending.close(stage)
        with self._show.stage("report"):
            report, page = await ending.write_report(stage)
        with self._show.stage("audit"):
            audited = await ending.check(stage)
            told, lost = await ending.check_journal(stage, journal)
            for one in lost:
                self._show.say(f"[red]{one.found}: {one.acknowledgement}[/]")
            untried = await ending.untried(stage, journal)
        return report, page, audited, told, len(lost), untried

    def _tell(self, figures: Figures, report: Report, page: Path, audited: AuditResult) -> None:
        content = msgspec.json.format(msgspec.json.encode(figures), indent=2)
        self._folder.put(FIGURES_FILE, content)
        if self._choices.json_file is not None:
            self._choices.json_file.write_bytes(content + b"\n")
        self._show.event("finished", figures=msgspec.to_builtins(figures))
        if self._show.as_json:
            return
        console, language = self._show.console, self._show.language
        show_report(report, language, console)
        show_audit(audited, language, console)
        show_figures(figures, language, console)
        self._show.say(say("page", language, path=page))

    async def _keep(self, stage: Stage, server: Served) -> None:
        """Serve until Ctrl-C or SIGTERM."""
        url = f"http://{server.host}:{server.port}"
        language, loop, stop = self._show.language, asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        self._show.event("serving", url=url)
        self._show.say(say("address", language, url=f"{url}/v1/docs"))
        self._show.say(say("try", language))
        self._show.say(
            f"  curl -s -H 'Authorization: Bearer {stage.staff_key}' {url}/v1/campaigns/{stage.campaign_id}/report"
        )
        self._show.say(say("stop", language))
        await stop.wait()
