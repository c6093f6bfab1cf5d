"""`hongbao serve` as an operator runs it: processes on one socket, replaced when killed, nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import server
from api.cli.serve import METRICS_DIRECTORY, metrics_directory
from campaigns.runtime.engines import DatabaseAccess, Engines
from campaigns.runtime.servers import bind
from campaigns.runtime.settings import Settings
from campaigns.runtime.wiring import prepare
from campaigns.runtime.workers import Loop
from campaigns.services.context import Context

WAIT_SECONDS = 30


@contextmanager
def _serving(engines: Engines, log: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    environ = {
        **os.environ,
        "HONGBAO_MODE": "test",
        "HONGBAO_DATA_DIR": str(engines.settings.data_dir),
        "HONGBAO_SECRETS_DIR": str(engines.settings.secrets_dir),
    }
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve", *arguments]
    with log.open("w") as errors:
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS)
            assert process.stdout is not None
            process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().removesuffix("/v1/docs\n")


def _ready(address: str) -> None:
    transport = httpx.HTTPTransport(
        retries=5
    )  # connections wait on the shared socket until a process takes them
    with httpx.Client(base_url=address, transport=transport, timeout=WAIT_SECONDS) as client:
        response = client.get("/readyz")
        assert response.status_code == 200, response.text


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _servers(pid: int) -> list[int]:
    return [child for child in _children(pid) if b"api.server" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_it_serves_replaces_the_killed_and_stops_clean(engines: Engines, tmp_path: Path) -> None:
    with _serving(engines, tmp_path / "log", "--port", "0", "--processes", "2") as process:
        address = _address(process)
        _ready(address)
        servers = _servers(process.pid)
        assert len(servers) == 2
        os.kill(servers[0], signal.SIGKILL)
        for _ in range(20):
            _ready(address)
        metrics = httpx.get(f"{address}/metrics", trust_env=False, timeout=WAIT_SECONDS).text
        (counted,) = [
            line
            for line in metrics.splitlines()
            if line.startswith('hongbao_requests_total{route="GET /readyz"')
        ]
        assert float(counted.split()[-1]) == 21  # one sum over all processes, the killed one included
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 0, (tmp_path / "log").read_text()
        assert not any(Path(f"/proc/{pid}").exists() for pid in servers)
    assert list((engines.settings.data_dir / METRICS_DIRECTORY).iterdir()) == []


def test_a_port_in_use_is_one_sentence(engines: Engines, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with _serving(engines, tmp_path / "log", "--port", port) as process:
            assert process.wait(WAIT_SECONDS) == 1
    text = (tmp_path / "log").read_text()
    assert port in text and "Traceback" not in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"directory": "127.0.0.1", "port": 1}, "does not answer"),
        ({"user": "nobody"}, "does not let us in"),
        ({"database": "gone"}, "does not let us in"),
    ],
    ids=str,
)
def test_a_database_that_cannot_be_used_is_one_sentence(
    engines: Engines, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    app = engines.app
    good = {"directory": app.host, "port": app.port, "user": app.user, "password": app.password}
    address = DatabaseAccess.on_socket(**{**good, "database": app.database, **change}).dsn
    environ = {
        **os.environ,
        "HONGBAO_MODE": "test",
        "HONGBAO_DATA_DIR": str(tmp_path),
        "REDIS_URL": engines.redis_url,
    }
    environ |= {"DATABASE_URL": address, "HONGBAO_SECRETS_DIR": str(engines.settings.secrets_dir)}
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", "0"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_meters_of_dead_servers_are_removed(tmp_path: Path) -> None:
    dead = tmp_path / METRICS_DIRECTORY / "999999999"
    dead.mkdir(parents=True)
    assert metrics_directory(tmp_path).name == str(os.getpid())
    assert not dead.exists()


async def test_a_loop_that_dies_ends_the_process(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(ctx: Context) -> None:
        raise ValueError("bug")

    settings: Settings = engines.settings
    await prepare(engines, settings)
    monkeypatch.setattr(server, "service_loops", lambda settings: (Loop("sweep", 1.0, die),))
    assert await server.serve(bind("127.0.0.1", 0), settings) == server.EXIT_LOOP_DIED
