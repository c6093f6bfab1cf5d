"""One round: the driver in its own process against one server."""

from __future__ import annotations

import os
import subprocess

from loadtests.contestants import HOST, Server
from loadtests.jobs import Job, Result, encode, read_result
from loadtests.places import Place
from loadtests.processes import module

DRIVER_SECONDS_MAX = 180.0
PROCESS = "process "


class RoundFailed(Exception):
    """The driver gave up, or a server refused payments; the text says what was heard."""


def drive(
    server: Server, requests: list[bytes], *, connections: int, seconds: float, warmup_seconds: float,
    place: Place | None = None, rate: float = 0.0, seed: int = 1, repeat: bool = False,
) -> Result:  # fmt: skip
    """Send the requests. Raises RoundFailed when one was refused."""
    groups = {"server": server.pids}
    if len(server.pids) > 1:  # whether they share the work
        groups |= {f"{PROCESS}{number}": [pid] for number, pid in enumerate(server.pids, start=1)}
    if place is not None:
        groups |= {"postgres": [place.postgres_pid], "valkey": [place.valkey_pid]}
    job = Job(
        host=HOST, port=server.port, requests=requests, connections=connections, seconds=seconds,
        warmup_seconds=warmup_seconds, rate=rate, seed=seed, repeat=repeat, groups=groups,
    )  # fmt: skip
    done = subprocess.run(
        module("loadtests.driver"), input=encode(job), capture_output=True,
        timeout=DRIVER_SECONDS_MAX, check=False, env=dict(os.environ), process_group=0,
    )  # fmt: skip
    if done.returncode:
        raise RoundFailed(f"{server.name}: {done.stderr.decode(errors='replace').strip()}")
    result = read_result(done.stdout)
    if result.refused:
        raise RoundFailed(f"{server.name} answered {result.refused}: {result.samples}")
    return result
