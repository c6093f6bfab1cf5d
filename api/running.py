"""A Sanic application on a listening socket in the running event loop: start, address, drain."""

import socket
from typing import Any

from sanic import Sanic

from api.http1 import ApiProtocol
from api.service import Service
from campaigns.runtime.servers import LISTEN_BACKLOG


class Running:
    """An application that serves. `start` it, and `stop` it once."""

    def __init__(self, app: Sanic[Any, Any], server: Any, listener: socket.socket) -> None:
        self._app = app
        self._server = server
        self.port: int = listener.getsockname()[1]

    @property
    def service(self) -> Service:
        service = self._app.ctx.service
        assert isinstance(service, Service)
        return service

    @classmethod
    async def start(cls, app: Sanic[Any, Any], listener: socket.socket) -> "Running":
        """Open the application's context and serve on ``listener``, which is taken over.

        Raises what the context raises; nothing is left open then.
        """
        server: Any = await app.create_server(
            sock=listener,
            protocol=ApiProtocol,
            access_log=False,
            backlog=LISTEN_BACKLOG,
            asyncio_server_kwargs={"start_serving": False},
        )
        assert server is not None, "asked for a server object"
        try:
            await server.startup()
            await server.before_start()
            running = cls(app, server, listener)
            await server.start_serving()
            await server.after_start()
        except BaseException:
            server.close()
            Sanic.unregister_app(app)
            raise
        return running

    async def stop(self) -> None:
        """Take no more connections, finish what was begun, close the context."""
        self.service.draining = True
        await self._server.before_stop()
        closed = self._server.close()
        for connection in list(self._server.connections):
            connection.close_if_idle()
        await self._server.after_stop()
        for connection in list(self._server.connections):
            connection.close()
        if closed is not None:
            await closed
        Sanic.unregister_app(self._app)
