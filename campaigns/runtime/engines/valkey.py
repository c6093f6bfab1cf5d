"""Valkey as a child: its configuration and its state."""

from __future__ import annotations

import signal
import socket

from campaigns.runtime.engines.binaries import VALKEY_PROGRAM, Binaries
from campaigns.runtime.engines.credentials import VALKEY_ACCOUNT, Credentials
from campaigns.runtime.engines.layout import VALKEY_SOCKET, Layout, write_private
from campaigns.runtime.engines.processes import end_engine_processes

LEFTOVER_SIGNALS = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
DEATH_SIGNAL = signal.SIGTERM
STOP_SIGNALS = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))
PING_TIMEOUT_SECONDS = 1.0

_CONFIGURATION = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{directory}"
requirepass {secret}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
"""


def write_configuration(layout: Layout, credentials: Credentials) -> None:
    """Write what Valkey reads at its start: append-only file, password, no TCP."""
    text = _CONFIGURATION.format(
        socket=_quoted(str(layout.sockets / VALKEY_SOCKET)),
        directory=_quoted(str(layout.valkey)),
        secret=credentials.password(VALKEY_ACCOUNT),
    )
    write_private(layout.conf / "valkey.conf", text, identity=layout.identity)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def command(layout: Layout, binaries: Binaries) -> list[str]:
    """The foreground server."""
    return [str(binaries.valkey_server), str(layout.conf / "valkey.conf")]


def is_ready(layout: Layout, credentials: Credentials) -> bool:
    """True when it answers PING (it does not while it loads its data)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as conn:
        conn.settimeout(PING_TIMEOUT_SECONDS)
        try:
            conn.connect(str(layout.sockets / VALKEY_SOCKET))
            conn.sendall(f"AUTH {credentials.password(VALKEY_ACCOUNT)}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                part = conn.recv(256)
                if not part:
                    return False
                answer += part
        except OSError:
            return False
    return answer == b"+OK\r\n+PONG\r\n"


def end_leftovers(layout: Layout) -> int:
    """End a server that outlived its supervisor in this data directory."""
    return end_engine_processes(layout.valkey, VALKEY_PROGRAM, LEFTOVER_SIGNALS)
