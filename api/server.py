"""One server process: ``python -m api.server --fd N`` on a shared listening socket, or ``--host --port``.

SIGTERM and SIGINT drain: no new connections, what was begun is finished. A background loop that dies ends the
process, so that its supervisor starts a sound one. The schema is migrated by `hongbao serve`, not here.
"""

import argparse
import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from api.app import create_app
from api.logs import make_log
from api.metrics import DIRECTORY_VARIABLE, forget_dead, take_room
from api.routes import all_routes
from api.running import Running
from campaigns.runtime.engines import EngineError
from campaigns.runtime.engines.errors import AddressUnusable, PortInUse
from campaigns.runtime.servers import EXIT_ENGINE_AWAY, bind
from campaigns.runtime.settings import Settings, SettingsError
from campaigns.runtime.wiring import CannotStart, EngineAway, open_context
from campaigns.runtime.workers import service_loops

EXIT_LOOP_DIED = 70
EXIT_CANNOT_START = 1
GC_THRESHOLDS = (50_000, 20, 50)  # new objects, then generations
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def serve(listener: socket.socket, settings: Settings) -> int:
    """Serve until told to stop; answer the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        return await _serve_until(stop, listener, settings)
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def _serve_until(stop: asyncio.Event, listener: socket.socket, settings: Settings) -> int:
    log = make_log(level=settings.log_level)
    loops = service_loops(settings)
    app = create_app(lambda: open_context(settings), all_routes(), loops=loops, log=log, only_one=True)
    running = await Running.start(app, listener)
    _quiet_collector()
    log.info("serving", port=running.port, pid=os.getpid())
    died = running.service.loops.died
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, died)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    error = running.service.loops.error
    if error is not None:
        running.service.incident(error, "loop")
    await running.stop()
    return EXIT_LOOP_DIED if died.is_set() else 0


def _quiet_collector() -> None:
    """Let the cyclic collector look away from what lives as long as the process, and look less often at the rest.

    A request leaves no cycles, yet makes so many objects that the collector's default took a tenth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``python -m api.server``."""
    parser = argparse.ArgumentParser(prog="python -m api.server", description=__doc__)
    parser.add_argument("--fd", type=int, help="an open listening socket")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args(argv)
    directory = os.environ.get(DIRECTORY_VARIABLE)
    if directory:
        forget_dead(Path(directory))
        take_room(Path(directory))
    try:
        settings = Settings.from_env()
        if arguments.fd is not None:
            listener = socket.socket(fileno=arguments.fd)
        else:
            listener = bind(arguments.host, arguments.port)
        return uvloop.run(serve(listener, settings))
    except (EngineError, SettingsError, CannotStart) as error:
        print(error, file=sys.stderr)
        listens = not isinstance(error, (AddressUnusable, PortInUse))
        away = isinstance(error, (EngineError, EngineAway)) and listens
        return EXIT_ENGINE_AWAY if away else EXIT_CANNOT_START


if __name__ == "__main__":
    sys.exit(main())
