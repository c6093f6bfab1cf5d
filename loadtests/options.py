"""What `make bench-pay` may be asked for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from loadtests.world import RESIDENTS, SECOND_CAPS, STORES

CONTESTANTS = ("echo", "bsql", "borm", "hongbao")
CONNECTIONS = (16, 64, 256)
POOLS = (4, 8, 16, 32)
ROUNDS = 5
SECONDS = 5.0
WARMUP_SECONDS = 1.5
SEARCH_SECONDS = 2.0


class Options(Struct, frozen=True, kw_only=True):
    """The choices of one run. Seconds are of a measured window; a warm-up comes before each."""

    only: tuple[str, ...] = CONTESTANTS
    connections: tuple[int, ...] = CONNECTIONS
    pools: tuple[int, ...] = POOLS
    rounds: int = ROUNDS
    seconds: float = SECONDS
    warmup_seconds: float = WARMUP_SECONDS
    search_seconds: float = SEARCH_SECONDS
    residents: int = RESIDENTS
    stores: int = STORES
    second_cap: str = "merchant"
    log_level: str = "info"
    quick: bool = False
    json_file: Path | None = None
    profile: Path | None = None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench-pay ARGS=...",
        description="One-call redemption over HTTP against bare Sanic and the textbook's payments, on engines of its"
        " own: about ten minutes on a quiet machine with two cores.",
    )
    parser.add_argument("--json", type=Path, dest="json_file", metavar="FILE", help="write the figures here")
    parser.add_argument(
        "--quick", action="store_true", help="a tiny town and rounds of a second: does it work at all"
    )
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, help="these contestants alone")
    parser.add_argument("--rounds", type=int, help=f"interleaved rounds [{ROUNDS}]")
    parser.add_argument("--seconds", type=float, help=f"of a round [{SECONDS:g}]")
    parser.add_argument(
        "--warmup", type=float, dest="warmup_seconds", help=f"seconds before each [{WARMUP_SECONDS:g}]"
    )
    parser.add_argument(
        "--search", type=float, dest="search_seconds", help=f"of a search round [{SEARCH_SECONDS:g}]"
    )
    parser.add_argument(
        "--connections", type=int, nargs="+", help="numbers of connections to choose from [16 64 256]"
    )
    parser.add_argument(
        "--pools", type=int, nargs="+", help="pool sizes the baselines choose from [4 8 16 32]"
    )
    parser.add_argument("--residents", type=int, help=f"[{RESIDENTS}]")
    parser.add_argument("--stores", type=int, help=f"[{STORES}]")
    parser.add_argument(
        "--second-cap",
        choices=SECOND_CAPS,
        help="beside the cap per person and day, one per merchant or pair [merchant]",
    )
    parser.add_argument("--log-level", choices=("info", "warning"), help="of the product's server [info]")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="only hongbao, under cProfile")
    return parser


def options_of(argv: Sequence[str] | None = None) -> Options:
    """The command line as Options."""
    parser = _parser()
    given = {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}
    if "json_file" in given and not given["json_file"].absolute().parent.is_dir():
        parser.error(f"there is no directory {given['json_file'].parent}")
    if given["quick"]:
        quick = {
            "connections": [16], "pools": [8], "rounds": 1, "seconds": 1.0, "warmup_seconds": 0.3,
            "search_seconds": 0.5, "residents": 200, "stores": 20,
        }  # fmt: skip
        given = quick | given
    for name in ("only", "connections", "pools"):
        if name in given:
            given[name] = tuple(given[name])
    if "only" in given:  # the product comes last, so that what it does afterwards falls into the audits
        given["only"] = tuple(one for one in CONTESTANTS if one in given["only"])
    if given.get("profile"):
        given["only"] = ("hongbao",)
        given["profile"] = given["profile"].absolute()
    return Options(**given)
