"""`python -m lottery`: freeze, draw and verify a published draw, check a beacon, test the installation."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import click

from lottery.beacon import QUICKNET, BeaconError, read_round, verify_round
from lottery.bls import BackendName, choose_backend
from lottery.core.commitment import Commitment, parse_commitment
from lottery.core.errors import LotteryError
from lottery.core.files import parse_log, parse_struck, parse_winners, split_lines
from lottery.core.freeze import freeze
from lottery.core.rules import parse_rules
from lottery.core.sources import BEACON_KINDS, KINDS, MISSING, Kind, Source
from lottery.directory import read_round as read_round_files
from lottery.directory import round_folder, write_round
from lottery.publication import (
    beacon_source_due,
    build_commitment,
    check_beacon,
    commitment_files,
    committed_beacon,
    draw_files,
    unverified_beacon,
)
from lottery.rehearsal import REHEARSAL, rehearsal_round
from lottery.result import BeaconEvidence
from lottery.selftest import run_selftest
from lottery.verification import verify_directory

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_BACKEND = click.Choice(get_args(BackendName))


class _Time(click.ParamType[datetime]):
    """An aware time, as in 2026-02-08T12:00:00+08:00."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not like 2026-02-08T12:00:00+08:00", param, ctx)
        if moment.utcoffset() is None:
            self.fail(f"{value!r} has no offset, as +08:00", param, ctx)
        return moment


class _Group(click.Group):
    """Turns what is wrong with the caller's files into a sentence and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LotteryError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(2)


@click.group(cls=_Group)
def main() -> None:
    """The public draw: commit to a list, draw by hash, let anyone check it."""


@main.command("freeze")
@click.option(
    "--log", "log_path", type=_FILE, required=True, help="log.csv, the receipts in order of arrival"
)
@click.option("--struck", "struck_path", type=_FILE, required=True, help="struck.csv")
@click.option("--rules", "rules_path", type=_FILE, required=True, help="rules.json")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="folder of the draw"
)
@click.option("--campaign", required=True)
@click.option("--draw", "draw_id", required=True)
@click.option("--programme", required=True)
@click.option("--origin", required=True, help="name of the log of receipts")
@click.option("--committed-at", type=_Time(), required=True)
@click.option("--round", "round_number", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--source",
    "sources",
    type=(click.Choice(KINDS), _Time(), click.Choice(["wait", "missing"]), str),
    multiple=True,
    required=True,
    help="KIND DUE wait|missing SPEC, in order; an empty SPEC for a beacon takes the round at DUE",
)
@click.option("--office-secret-sha256", default="", help="sha256 of the office's 32 secret bytes")
def freeze_command(
    log_path: Path,
    struck_path: Path,
    rules_path: Path,
    out: Path,
    origin: str,
    sources: tuple[tuple[Kind, datetime, str, str], ...],
    **named: Any,
) -> None:
    """Close the list and write entries.csv and commit.json, to be published before the randomness exists."""
    rules = parse_rules(rules_path.read_bytes())
    log = parse_log(split_lines(log_path.read_bytes()))
    struck = parse_struck(split_lines(struck_path.read_bytes()), rules.skip_reasons)
    frozen = freeze(log, struck, origin, rules.skip_reasons)
    commitment = build_commitment(frozen, rules, sources=tuple(_source(*item) for item in sources), **named)
    folder = write_round(out, commitment.round, commitment_files(frozen, rules, commitment))
    click.echo(f"{folder}: {commitment.entries.count} entries, root {commitment.entries.merkle_root}")


@main.command("draw")
@click.argument("folder", type=_FOLDER)
@click.option("--beacon", "beacon_path", type=_FILE, help="the beacon's round as drand publishes it, JSON")
@click.option("--rehearsal", is_flag=True, help="demonstrations only: the beacon whose key is public")
@click.option("--unverified", metavar="RANDOMNESS", help="64 hex nobody checked; the result will say so")
@click.option("--office", help="the office's secret, 64 hex; missing when left out")
@click.option("--notary", help="the notary's numbers, as 31,07,22,18; missing when left out")
@click.option("--ssq", help="the state lottery, as 2025001:02,05,08,10,12,33+07; missing when left out")
def draw_command(
    folder: Path, beacon_path: Path | None, rehearsal: bool, unverified: str | None, **given: str | None
) -> None:
    """Draw what was committed to in FOLDER (.../r1) and write the result beside it."""
    files = read_round_files(folder)
    if "commit.json" not in files:
        raise LotteryError("missing_file", f"{folder} holds no commit.json")
    commitment = parse_commitment(files["commit.json"])
    if folder.resolve().name != f"r{commitment.round}":
        raise LotteryError(
            "folder_round", f"the folder of round {commitment.round} must be called r{commitment.round}"
        )
    evidence = _evidence(commitment, beacon_path, rehearsal, unverified)
    kinds = [source.kind for source in commitment.sources if source.kind not in BEACON_KINDS]
    values: dict[str, str] = {kind: given.get(kind) or MISSING for kind in kinds}
    for name, value in given.items():
        if value and name not in kinds:
            raise LotteryError("unknown_source", f"the commitment names no source {name!r}")
    base = folder.resolve().parent
    drawn = draw_files(files, values, evidence, _earlier_winners(base, commitment.round))
    write_round(base, commitment.round, drawn.files)
    click.echo(f"seed {drawn.seed}")
    click.echo(f"{len(drawn.result.winners)} winners, {sum(drawn.amounts_fen)} fen, beacon {evidence.status}")


@main.command("verify")
@click.argument("folder", type=_FOLDER)
@click.option("--rehearsal", is_flag=True, help="accept a draw by the rehearsal beacon")
@click.option("--backend", type=_BACKEND, help="BLS library; the fastest installed when left out")
def verify_command(folder: Path, rehearsal: bool, backend: BackendName | None) -> None:
    """Recompute the published draw in FOLDER (.../r1); exit code 1 when something does not hold."""
    problems = verify_directory(
        folder.resolve(), allow_rehearsal=rehearsal, backend=choose_backend(backend) if backend else None
    )
    for problem in problems:
        click.echo(f"{problem.file}: {problem.code}: {problem.message}")
    click.echo("every check holds" if not problems else f"{len(problems)} problems")
    sys.exit(1 if problems else 0)


@main.group("beacon")
def beacon_group() -> None:
    """Rounds of a randomness beacon."""


@beacon_group.command("verify")
@click.argument("path", type=_FILE)
@click.option("--chain", type=click.Choice(["quicknet", "rehearsal"]), default="quicknet", show_default=True)
@click.option("--backend", type=_BACKEND, help="BLS library; the fastest installed when left out")
def beacon_verify(path: Path, chain: str, backend: BackendName | None) -> None:
    """Check the signature of the round in the JSON file PATH; exit code 1 when it is not genuine."""
    beacon = read_round(path)
    chosen = choose_backend(backend)
    try:
        verify_round(QUICKNET if chain == "quicknet" else REHEARSAL, beacon, chosen)
    except BeaconError as error:
        click.echo(f"not genuine: {error}")
        sys.exit(1)
    click.echo(f"round {beacon.round} of {chain} is genuine ({chosen.name}): {beacon.randomness}")


@main.command("selftest")
def selftest_command() -> None:
    """Recompute the worked example of the description; exit code 1 when this installation differs."""
    outcomes = run_selftest()
    for name, passed in outcomes:
        click.echo(f"{'skip' if passed is None else 'ok' if passed else 'FAIL'}  {name}")
    sys.exit(1 if any(passed is False for _, passed in outcomes) else 0)


def _source(kind: Kind, due: datetime, missing: str, spec: str) -> Source:
    if kind in BEACON_KINDS and not spec:
        return beacon_source_due(kind, due)
    return Source(kind, due, "wait" if missing == "wait" else "missing", spec)


def _evidence(
    commitment: Commitment, beacon_path: Path | None, rehearsal: bool, unverified: str | None
) -> BeaconEvidence:
    if sum((beacon_path is not None, rehearsal, unverified is not None)) != 1:
        raise LotteryError("beacon", "give exactly one of --beacon, --rehearsal and --unverified")
    if beacon_path is not None:
        return check_beacon(commitment, read_round(beacon_path))
    if unverified is not None:
        return unverified_beacon(commitment, unverified)
    kind, _, round_number = committed_beacon(commitment)
    if kind != "rehearsal":
        raise LotteryError("beacon", "the commitment names drand, not the rehearsal beacon")
    return check_beacon(commitment, rehearsal_round(round_number), allow_rehearsal=True)


def _earlier_winners(base: Path, round_number: int) -> frozenset[str]:
    ids: set[str] = set()
    for earlier in range(1, round_number):
        files = read_round_files(round_folder(base, earlier))
        if "winners.csv" not in files:
            raise LotteryError("missing_file", f"round {earlier} has no winners.csv")
        ids.update(winner.entry_id for winner in parse_winners(split_lines(files["winners.csv"])))
    return frozenset(ids)


if __name__ == "__main__":
    main()
