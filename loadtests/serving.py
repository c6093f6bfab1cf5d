"""A Sanic application in this process on an open listening socket: how every contestant of ours is served.

The settings are those of the product: one process, uvloop, no access log, Sanic's own rewriting of its classes on.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import traceback
from collections.abc import Callable
from typing import Any

import uvloop
from sanic import Request, Sanic
from sanic.response import HTTPResponse

BACKLOG = 2_048
BODY_BYTES_MAX = 1_000_000


def make_app(name: str) -> Sanic[Any, Any]:
    """An application with the product's settings."""
    app: Sanic[Any, Any] = Sanic(name, configure_logging=False)
    app.config.update(
        ACCESS_LOG=False, AUTO_EXTEND=False, FALLBACK_ERROR_FORMAT="json", KEEP_ALIVE_TIMEOUT=75, MOTD=False, OAS=False,
        REQUEST_MAX_SIZE=BODY_BYTES_MAX, REQUEST_TIMEOUT=30, RESPONSE_TIMEOUT=60, TOUCHUP=True, NOISY_EXCEPTIONS=False,
    )  # fmt: skip
    app.error_handler.add(Exception, _told)
    return app


def _told(request: Request, error: Exception) -> HTTPResponse:
    """An error of our own: told on stderr, and the round that hears of it fails."""
    traceback.print_exception(error)
    return HTTPResponse(repr(error).encode(), 500)


async def _serve(app: Sanic[Any, Any], listener: socket.socket) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server: Any = await app.create_server(
        sock=listener, access_log=False, backlog=BACKLOG, asyncio_server_kwargs={"start_serving": False}
    )
    await server.startup()
    await server.before_start()
    await server.start_serving()
    await server.after_start()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await stopped.wait()
    await server.before_stop()
    closed = server.close()
    for connection in list(server.connections):
        connection.close()
    await server.after_stop()
    await closed


def serve(make: Callable[[argparse.Namespace], Sanic[Any, Any]], parser: argparse.ArgumentParser) -> None:
    """Serve on a free port of the loopback until SIGTERM; the address is the first line of stdout."""
    arguments = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    uvloop.run(_serve(make(arguments), listener))
