"""The demonstration's HTTP server: a supervisor with its processes, started again on the same port when it was killed."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from campaigns.runtime.engines.errors import PortInUse
from campaigns.runtime.server_handle import ServerHandle, start_server

COMMAND = (sys.executable, "-m", "api.server")
HOST = "127.0.0.1"
LOOK_SECONDS = 0.1
MOST_REPLACEMENTS = 20
PORT_PATIENCE_SECONDS = 10.0  # processes of a killed supervisor hold the port until the kernel has ended them


class Served:
    """The server as it runs now; its address stays the same."""

    def __init__(self, processes: int, environ: Mapping[str, str], log_fd: int) -> None:
        self._processes, self._environ, self._log_fd = processes, environ, log_fd
        self._changing = threading.Lock()
        self._stopped = False
        self.handle = self._start(0)
        self.host, self.port = self.handle.host, self.handle.port

    def _start(self, port: int) -> ServerHandle:
        return start_server(COMMAND, HOST, port, self._processes, self._environ, self._log_fd)

    def _start_again(self) -> None:
        deadline = time.monotonic() + PORT_PATIENCE_SECONDS
        with self._changing:
            while not self._stopped:
                try:
                    ended, self.handle = self.handle, self._start(self.port)
                except PortInUse:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(LOOK_SECONDS)
                else:
                    ended.stop()
                    return

    async def watch(self) -> None:
        """Replace the supervisor whenever it has ended, `MOST_REPLACEMENTS` times. Raises EngineError."""
        left = MOST_REPLACEMENTS
        while left:
            await asyncio.sleep(LOOK_SECONDS)
            if not self.handle.is_alive():
                await asyncio.to_thread(self._start_again)
                left -= 1

    def stop(self) -> None:
        """Let the processes finish what they have begun, and end them."""
        with self._changing:
            self._stopped = True
            self.handle.stop()


@asynccontextmanager
async def served(processes: int, environ: Mapping[str, str], log: Path) -> AsyncIterator[Served]:
    """The server for the length of a block. Raises EngineError."""
    log_fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        server = await asyncio.to_thread(Served, processes, environ, log_fd)
        guard = asyncio.create_task(server.watch(), name="server")
        try:
            yield server
        finally:
            guard.cancel()
            with suppress(asyncio.CancelledError):
                await guard
            await asyncio.to_thread(server.stop)
    finally:
        os.close(log_fd)
