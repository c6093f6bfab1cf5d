"""`hongbao serve`: engines, schema, and server processes on one socket, until told to stop."""

import asyncio
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from api.metrics import DIRECTORY_VARIABLE
from campaigns.runtime.engines import engines
from campaigns.runtime.servers import ServerSupervisor
from campaigns.runtime.settings import PORT_MAX, Settings
from campaigns.runtime.wiring import prepare_service

SERVER_COMMAND = (sys.executable, "-m", "api.server")
METRICS_DIRECTORY = "metrics"


@click.command()
@click.option("--host", help="Address to listen on (HONGBAO_HOST). 监听地址。")
@click.option(
    "--port", type=click.IntRange(0, PORT_MAX), help="Port; 0 takes any free one (HONGBAO_PORT). 端口。"
)
@click.option(
    "--processes", type=click.IntRange(1, 64), help="Server processes (HONGBAO_SERVER_PROCESSES). 进程数。"
)
def serve(host: str | None, port: int | None, processes: int | None) -> None:
    """Serve the HTTP API, with the engines it needs. 启动 HTTP 服务及所需的数据库与缓存。"""
    settings = Settings.from_env()
    settings = replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        server_processes=settings.server_processes if processes is None else processes,
    )
    with engines(settings, progress=lambda message: click.echo(message, err=True)) as pair:
        asyncio.run(prepare_service(pair, settings))
        directory = metrics_directory(settings.data_dir)
        os.environ[DIRECTORY_VARIABLE] = str(directory)
        try:
            ServerSupervisor(
                SERVER_COMMAND, settings.host, settings.port, settings.server_processes, _report
            ).run()
        finally:
            shutil.rmtree(directory)


def metrics_directory(data_dir: Path) -> Path:
    """A fresh directory where our server processes add up their meters; those of dead ones go."""
    parent = data_dir / METRICS_DIRECTORY
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.iterdir():
        if not Path(f"/proc/{old.name}").exists():
            shutil.rmtree(old, ignore_errors=True)
    directory = parent / str(os.getpid())
    directory.mkdir(exist_ok=True)
    return directory


def _report(event: dict[str, Any]) -> None:
    if event["event"] == "listening":
        address = f"[{event['host']}]" if ":" in event["host"] else event["host"]
        click.echo(f"http://{address}:{event['port']}/v1/docs")
    elif event["event"] == "replaced":
        click.echo(f"server process {event['old']} ended ({event['exit_code']}), replaced", err=True)


commands = (serve,)
