"""`make bench-pay`: one-call redemption over HTTP against bare Sanic, on engines of its own."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from loadtests import contestants, payments
from loadtests.contestants import Server
from loadtests.jobs import Result
from loadtests.places import Place
from loadtests.driving import drive
from loadtests.world import RESIDENTS, SECOND_CAPS, STORES, World, make_world

REQUESTS_PER_SECOND = {"echo": 40_000, "hongbao": 6_000}
SCRATCH = Path("var")


def arguments_of(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench-pay ARGS=...", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warmup", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, nargs="+", default=[16, 64, 256])
    parser.add_argument("--only", nargs="+", default=["echo", "hongbao"], choices=["echo", "hongbao"])
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--residents", type=int, default=RESIDENTS)
    parser.add_argument("--stores", type=int, default=STORES)
    parser.add_argument("--second-cap", choices=SECOND_CAPS, default="merchant")
    parser.add_argument("--profile", type=Path, help="run the server under cProfile and write this file")
    return parser.parse_args(argv)


def main() -> int:
    """Entry of ``python -m loadtests.bench``."""
    options = arguments_of()
    SCRATCH.mkdir(exist_ok=True)
    place = Place(Path(tempfile.mkdtemp(prefix="bench-", dir=SCRATCH)).absolute())
    servers: list[Server] = []
    try:
        if options.profile:
            servers.append(contestants.profiled(place, options.profile.absolute()))
        else:
            servers.append(contestants.hongbao(place, options.processes))
        if "echo" in options.only:
            servers.append(contestants.echo())
        world = asyncio.run(
            make_world(
                place.owner_url,
                residents=options.residents,
                stores=options.stores,
                second_cap=options.second_cap,
            )
        )
        _rounds(options, place, world, [one for one in servers if one.name in options.only])
    finally:
        for server in servers:
            server.close()
        place.close()
    return 0


def _rounds(options: argparse.Namespace, place: Place, world: World, servers: list[Server]) -> None:
    for number in range(options.rounds):
        for connections in options.connections:
            for server in servers:
                count = int(REQUESTS_PER_SECOND[server.name] * (options.seconds + options.warmup))
                requests = payments.redemptions(place.redis_url, world, count, number)
                if options.profile:
                    server.signal(signal.SIGUSR1)
                result = drive(
                    server, requests, connections=connections, seconds=options.seconds,
                    warmup_seconds=options.warmup, place=place,
                )  # fmt: skip
                if options.profile:
                    server.signal(signal.SIGUSR2)
                print(_line(server.name, connections, result), flush=True)


def _line(name: str, connections: int, result: Result) -> str:
    busy = " ".join(f"{group} {result.busy(group):.2f}/{result.cpu_us(group):.0f}us" for group in result.cpu)
    out = " (requests ran out)" if result.ran_out else ""
    return f"{name:8} {connections:4} connections {result.rate:7.0f}/s p99 {result.latency_ms['p99']:7.1f} ms {busy}{out}"


if __name__ == "__main__":
    sys.exit(main())
