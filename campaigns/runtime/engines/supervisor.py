"""The supervisor: one small process per data directory that holds both engines as its children.

Started by the first client (`client.py`), which hands over the lock: `python -m
campaigns.runtime.engines.supervisor CONFIG LOCK_FD REPORT_FD`. It serves one Unix socket. Each client keeps a
connection for its life, so the kernel tells of every end, kill -9 included. A moment after the last one
has left it stops the engines and ends. An engine that dies is started again on the same sockets and data.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from campaigns.runtime.engines import postgres, valkey
from campaigns.runtime.engines.binaries import Binaries, locate
from campaigns.runtime.engines.children import Engine, postgres_engine, valkey_engine
from campaigns.runtime.engines.config import START_TIMEOUT_SECONDS, Config
from campaigns.runtime.engines.credentials import Credentials, load_or_make
from campaigns.runtime.engines.errors import EngineError, RestartsExhausted, StartTimeout
from campaigns.runtime.engines.layout import Layout, cannot_write, prepare, reachable_binaries, write_pointer
from campaigns.runtime.engines.layout import remove_run as remove_run_directory
from campaigns.runtime.engines.processes import adopt_orphans, tail

GRACE_SECONDS = 1.0
FIRST_CLIENT_SECONDS = 10.0
RESTARTS_MAX = 20
RESTARTS_WINDOW_SECONDS = 300
CLIENTS_MAX = 1_000
REQUEST_BYTES_MAX = 4_096
STARTING_TICK_SECONDS = 0.01
IDLE_TICK_SECONDS = 1.0


class Supervisor:
    """State: the engines, the clients, and whether everything is ready, starting or stopping."""

    def __init__(self, config: Config, layout: Layout, binaries: Binaries, credentials: Credentials) -> None:
        self._layout = layout
        self._engines = [
            postgres_engine(layout, binaries, config.tcp_port),
            valkey_engine(layout, binaries, credentials),
        ]
        self._clients: set[socket.socket] = set()
        self._waiting: set[socket.socket] = set()
        self._restarts: deque[float] = deque()
        self._selector = selectors.DefaultSelector()
        self._asked_to_stop = False
        self._empty_since = time.monotonic() + FIRST_CLIENT_SECONDS
        self._ready_before = time.monotonic() + START_TIMEOUT_SECONDS

    def listen(self) -> None:
        """Open the socket of the clients and listen to signals."""
        path = self._layout.supervisor_socket
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(CLIENTS_MAX)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        wake_read, wake_write = os.pipe()
        for fd in (wake_read, wake_write):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self._wake_fd = wake_read
        self._selector.register(wake_read, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _on_stop(self, *_: object) -> None:
        self._asked_to_stop = True

    def serve(self) -> None:
        """Run until the last client has left or a signal asks to stop. Raises `EngineError`."""
        for engine in self._engines:
            engine.start()
        while not self._asked_to_stop and not self._deserted():
            for key, _ in self._selector.select(self._tick_seconds()):
                self._on_event(key.fileobj)
            self._look_after_engines()

    def _tick_seconds(self) -> float:
        if not all(engine.ready for engine in self._engines):
            return STARTING_TICK_SECONDS
        if self._clients:
            return IDLE_TICK_SECONDS
        left = self._empty_since + GRACE_SECONDS - time.monotonic()
        return min(max(left, 0.0) + STARTING_TICK_SECONDS, IDLE_TICK_SECONDS)

    def _deserted(self) -> bool:
        return not self._clients and time.monotonic() > self._empty_since + GRACE_SECONDS

    # -- clients

    def _on_event(self, source: object) -> None:
        if source is self._listener:
            self._accept()
        elif isinstance(source, socket.socket):
            self._on_client(source)
        else:
            with suppress(BlockingIOError):
                os.read(self._wake_fd, REQUEST_BYTES_MAX)

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            client, _ = self._listener.accept()
            if len(self._clients) >= CLIENTS_MAX:
                client.close()
                return
            client.setblocking(False)
            self._clients.add(client)
            self._waiting.add(client)
            self._selector.register(client, selectors.EVENT_READ)
            self._tell_waiting()

    def _on_client(self, client: socket.socket) -> None:
        try:
            request = client.recv(REQUEST_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError:
            request = b""
        if not request:
            self._drop(client)
        else:  # every request asks for the state, once all is ready
            self._waiting.add(client)
            self._tell_waiting()

    def _drop(self, client: socket.socket) -> None:
        self._clients.discard(client)
        self._waiting.discard(client)
        self._selector.unregister(client)
        client.close()
        if not self._clients:
            self._empty_since = time.monotonic()

    def _tell_waiting(self) -> None:
        if not all(engine.ready for engine in self._engines):
            return
        pids = {engine.name: engine.pid for engine in self._engines}
        self._send_to(self._waiting, {"event": "ready", "supervisor": os.getpid(), **pids})
        self._waiting.clear()

    def _send_to(self, clients: set[socket.socket], message: dict[str, object]) -> None:
        line = json.dumps(message).encode() + b"\n"
        for client in list(clients):
            try:
                client.sendall(line)
            except OSError:  # left, or does not read: either way it is not served any more
                self._drop(client)

    # -- engines

    def _reap(self) -> dict[int, int]:
        ended: dict[int, int] = {}
        with suppress(ChildProcessError):
            while (reaped := os.waitpid(-1, os.WNOHANG))[0]:
                ended[reaped[0]] = reaped[1]
        return ended

    def _look_after_engines(self) -> None:
        ended = self._reap()
        for engine in self._engines:
            if engine.pid in ended:
                self._on_engine_end(engine, ended[engine.pid])
            engine.look()
        if all(engine.ready for engine in self._engines):
            self._ready_before = time.monotonic() + START_TIMEOUT_SECONDS
            self._tell_waiting()
        elif time.monotonic() > self._ready_before:
            late = next(engine for engine in self._engines if not engine.ready)
            raise StartTimeout(
                engine=late.title, seconds=START_TIMEOUT_SECONDS, log=str(late.log), lines=tail(late.log)
            )

    def _on_engine_end(self, engine: Engine, status: int) -> None:
        was_ready = engine.ready
        engine.ended(status)
        if not was_ready and os.WIFEXITED(status):
            raise engine.start_error(f"exit code {os.WEXITSTATUS(status)}")
        now = time.monotonic()
        self._restarts.append(now)
        while self._restarts[0] < now - RESTARTS_WINDOW_SECONDS:
            self._restarts.popleft()
        if len(self._restarts) > RESTARTS_MAX:
            raise RestartsExhausted(
                engine=engine.title,
                count=len(self._restarts),
                seconds=RESTARTS_WINDOW_SECONDS,
                log=str(engine.log),
                lines=tail(engine.log),
            )
        self._ready_before = now + START_TIMEOUT_SECONDS
        engine.start()

    def fail(self, error: EngineError) -> None:
        """Tell the log and every client why there will be no engines."""
        print(error, file=sys.stderr, flush=True)
        for _ in range(CLIENTS_MAX):
            known = len(self._clients)
            self._accept()
            if len(self._clients) == known:
                break
        self._send_to(self._clients, {"event": "failed", **error.to_wire()})

    def stop(self) -> None:
        """Stop the engines in order and leave no process and no socket."""
        self._listener.close()
        self._layout.supervisor_socket.unlink(missing_ok=True)
        for engine in self._engines:
            engine.signal_first()
        for engine in self._engines:
            engine.stop()
        self._reap()
        for client in self._clients:
            client.close()
        remove_run_directory(self._layout)
        with suppress(OSError):  # a full disk: the old one names a directory that is gone, which is as good
            write_pointer(self._layout, running=False)


def _report(report_fd: int, message: dict[str, object]) -> None:
    with suppress(BrokenPipeError):  # the client that started us has gone; others may come
        os.write(report_fd, json.dumps(message).encode() + b"\n")
    os.close(report_fd)


def run(config: Config, report_fd: int) -> int:
    """Prepare, listen, serve, stop. The exit code is 1 after an error."""
    adopt_orphans()
    try:
        layout = prepare(Path(config.data_dir))
        binaries = reachable_binaries(locate(), layout)
        credentials = load_or_make(layout.home)
        supervisor = Supervisor(config, layout, binaries, credentials)
        supervisor.listen()
    except EngineError as error:
        _report(report_fd, error.to_wire())
        return 1
    _report(report_fd, {"ok": True})
    try:
        postgres.end_leftovers(layout)
        valkey.end_leftovers(layout)
        postgres.make_cluster(layout, binaries, credentials)
        postgres.write_configuration(
            layout,
            buffers_mb=config.shared_buffers_mb,
            wal_mb=config.max_wal_mb,
            connections=config.max_connections,
            tcp_port=config.tcp_port,
        )
        valkey.write_configuration(layout, credentials)
        supervisor.serve()
    except EngineError as error:
        supervisor.fail(error)
        return 1
    except OSError as error:
        supervisor.fail(cannot_write(layout.home, error))
        return 1
    finally:
        supervisor.stop()
    return 0


def main() -> None:
    """Detach from the starting client, so that its end is not ours, and run."""
    config = Config(**json.loads(sys.argv[1]))
    report_fd = int(sys.argv[3])
    if os.fork() != 0:
        os._exit(0)  # the client reaps this one at once; the lock and the pipe live on in the child
    os.chdir("/")
    os.umask(0o077)
    sys.exit(run(config, report_fd))


if __name__ == "__main__":
    main()
