"""The figures of a run: as members of a JSON object, and as a table to read."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtests.driving import PROCESS
from loadtests.jobs import Result
from loadtests.options import Options
from loadtests.procedure import DRIVER_BUSY_MOST, ECHO_BUSY_LEAST, OPEN_LOOP_SHARE, Seen
from loadtests.stage import OURS, THEIRS

NAMES = {"echo": "bare Sanic echo", "hongbao": "hongbao", "bsql": "B-sql", "borm": "B-orm"}
SHOWN = ("p50", "p99")
Figure = Callable[[Result], float]
GROUPS = ("server", "postgres", "valkey", "driver")


def figures_of(seen: Seen, options: Options, seconds: float) -> dict[str, Any]:
    """Everything for the file. A contestant that did not take part is null."""
    rates = {name: _rounded(seen.median(name, lambda one: one.rate)) for name in NAMES}
    one, two = (
        [statistics.median(pair[place].rate for pair in seen.pairs)] if seen.pairs else [None]
        for place in (0, 1)
    )
    latency = seen.open_loop.latency_ms if seen.open_loop else {}
    return {
        **{f"{'redeem' if name == 'hongbao' else name}_rps": rate for name, rate in rates.items()},
        "of_echo": _ratio(rates["hongbao"], rates["echo"]),
        "times_bsql": _ratio(rates["hongbao"], rates["bsql"]),
        "times_borm": _ratio(rates["hongbao"], rates["borm"]),
        "connections": seen.connections,
        "pools": seen.pool,
        "equal_connections": _equal(seen),
        "p99_ms_at_70pct": latency.get("p99"),
        "latency_ms_at_70pct": latency,
        "connections_at_70pct": seen.open_loop_connections or None,
        "rate_at_70pct": _rounded(seen.open_loop.rate if seen.open_loop else None),
        "one_process_rps": _rounded(one[0]),
        "two_processes_rps": _rounded(two[0]),
        "two_processes_cpu": _shares(seen),
        "two_of_one": _ratio(two[0], one[0]),
        "rows_per_payment": seen.rows.get(OURS),
        "rows_per_payment_baselines": seen.rows.get(THEIRS, seen.rows.get(OURS) if seen.pool else None),
        "fsync_us": seen.fsync_us,
        "server_cpu": _rounded(seen.median("hongbao", lambda one: one.busy("server")), 3),
        "driver_cpu": _rounded(seen.median("hongbao", lambda one: one.busy("driver")), 3),
        "cpu": {name: _cpu(seen, name) for name in seen.connections},
        "by_cpu": _by_cpu(seen),
        "latency_ms": {
            name: {key: _rounded(seen.median(name, _latency(key)), 3) for key in SHOWN}
            for name in seen.connections
        },
        "rounds": len(seen.counting()),
        "rounds_that_do_not_count": [one.why_not for one in seen.rounds if one.why_not],
        "rounds_count": any(not one.why_not for one in seen.rounds),
        "rates_of_rounds": {
            name: [_rounded(one.results[name].rate) for one in seen.rounds] for name in seen.connections
        },
        "pool_search": seen.pools,
        "violations": sum(one.violations for one in seen.audits),
        "audits": len(seen.audits),
        "seconds_per_round": options.seconds,
        "residents": options.residents,
        "stores": options.stores,
        "second_cap": options.second_cap,
        "cores": os.cpu_count(),
        "seconds_total": round(seconds, 1),
    }


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)


def _ratio(above: float | None, below: float | None) -> float | None:
    return round(above / below, 3) if above and below else None


def _shares(seen: Seen) -> dict[str, float | None]:
    """Cores that each of the two processes kept busy: connections may fall unevenly to them."""
    if not seen.pairs:
        return {}
    names = [name for name in seen.pairs[0][1].cpu if name.startswith(PROCESS)]
    return {name: _rounded(statistics.median(two.busy(name) for _, two in seen.pairs), 3) for name in names}


def _equal(seen: Seen) -> dict[str, dict[str, float | None]]:
    """Rates and ratios by number of connections, from the short rounds of the search."""
    ours = seen.search.get("hongbao", {})
    found: dict[str, dict[str, float | None]] = {}
    for connections in sorted({one for rates in seen.search.values() for one in rates}):
        rates = {name: of.get(connections) for name, of in seen.search.items()}
        found[str(connections)] = {
            **{f"{name}_rps": _rounded(rate) for name, rate in rates.items()},
            **{
                f"to_{name}": _ratio(ours.get(connections), rates[name])
                for name in rates
                if name != "hongbao"
            },
        }
    return found


def _cpu(seen: Seen, name: str) -> dict[str, float | None]:
    """Cores kept busy by each group, the server's user and system part, and microseconds for each answer."""
    split: dict[str, float | None] = {}
    for group in GROUPS:
        split[group] = _rounded(seen.median(name, _busy(group)), 3)
        split[f"{group}_us"] = _rounded(seen.median(name, _cpu_us(group)))
    for part, title in enumerate(("server_user", "server_system")):
        split[title] = _rounded(seen.median(name, _server_part(part)), 3)
    return split


def _by_cpu(seen: Seen) -> dict[str, float | None]:
    """The ratios if CPU alone were the limit: to echo by that of the server, to the baselines by that of all parts
    but the driver. On a machine that does something else they move less than the rates."""
    server = {name: seen.median(name, _cpu_us("server")) for name in seen.connections}
    whole = {
        name: seen.median(name, lambda one: sum(map(one.cpu_us, GROUPS[:-1]))) for name in seen.connections
    }
    ours = whole.get("hongbao")
    return {
        "of_echo": _ratio(server.get("echo"), server.get("hongbao")),
        **{f"times_{name}": _ratio(whole.get(name), ours) for name in ("bsql", "borm")},
    }


def _busy(group: str) -> Figure:
    return lambda one: one.busy(group)


def _cpu_us(group: str) -> Figure:
    return lambda one: one.cpu_us(group)


def _server_part(part: int) -> Figure:
    return lambda one: one.cpu["server"][part] / one.seconds


def _latency(key: str) -> Figure:
    return lambda one: one.latency_ms.get(key, math.inf)  # no answer in time: null in JSON


def show(figures: dict[str, Any], console: Console) -> None:
    """Print what a reader wants to know."""
    table = Table(title="Payments over HTTP, one server process each, medians", title_justify="left")
    for title in ("", "a second", "hongbao to it", "connections", "pool", "p50 ms", "p99 ms"):
        table.add_column(title, justify="left" if not title else "right")
    for name in figures["connections"]:
        rate = figures["redeem_rps" if name == "hongbao" else f"{name}_rps"]
        ratio = _ratio(figures["redeem_rps"], rate)
        latency = figures["latency_ms"][name]
        table.add_row(
            NAMES[name], _text(rate, ",.0f"), "" if name == "hongbao" else _text(ratio, ".2f"),
            str(figures["connections"][name]), str(figures["pools"].get(name, "")), _text(latency["p50"], ".1f"),
            _text(latency["p99"], ".1f"),
        )  # fmt: skip
    console.print(table)
    _show_cpu(figures, console)
    _show_by_cpu(figures, console)
    _show_equal(figures, console)
    _show_rest(figures, console)


def _show_cpu(figures: dict[str, Any], console: Console) -> None:
    table = Table(title="CPU: cores kept busy, and microseconds for each answer", title_justify="left")
    for title in (
        "",
        "server user",
        "server system",
        "PostgreSQL",
        "Valkey",
        "driver",
        "server us",
        "PostgreSQL us",
    ):
        table.add_column(title, justify="left" if not title else "right")
    for name, cpu in figures["cpu"].items():
        cores = (cpu[one] for one in ("server_user", "server_system", "postgres", "valkey", "driver"))
        table.add_row(
            NAMES[name], *(_text(one, ".2f") for one in cores), _text(cpu["server_us"], ".0f"),
            _text(cpu["postgres_us"], ".0f"),
        )  # fmt: skip
    console.print(table)


def _show_by_cpu(figures: dict[str, Any], console: Console) -> None:
    by_cpu = figures["by_cpu"]
    console.print(
        f"If CPU were the only limit: {_text(by_cpu['of_echo'], '.2f')} of echo, {_text(by_cpu['times_bsql'], '.1f')} times"
        f" B-sql, {_text(by_cpu['times_borm'], '.1f')} times B-orm\n"
    )


def _show_equal(figures: dict[str, Any], console: Console) -> None:
    table = Table(title="At equal connections (short rounds of the search)", title_justify="left")
    names = list(figures["connections"])
    for title in (
        "connections",
        *(NAMES[one] for one in names),
        *(f"to {NAMES[one]}" for one in names if one != "hongbao"),
    ):
        table.add_column(title, justify="right")
    for connections, row in figures["equal_connections"].items():
        table.add_row(
            connections, *(_text(row[f"{one}_rps"], ",.0f") for one in names),
            *(_text(row[f"to_{one}"], ".2f") for one in names if one != "hongbao"),
        )  # fmt: skip
    console.print(table)


def _show_rest(figures: dict[str, Any], console: Console) -> None:
    if figures["latency_ms_at_70pct"]:
        spread = ", ".join(f"{name} {ms:.1f} ms" for name, ms in figures["latency_ms_at_70pct"].items())
        console.print(
            f"Open loop at {OPEN_LOOP_SHARE:.0%} of the peak ({figures['rate_at_70pct']:,.0f}/s): {spread}"
        )
    if figures["two_of_one"]:
        console.print(
            f"Two server processes: {figures['two_processes_rps']:,.0f}/s, {figures['two_of_one']:.2f} of one"
            f" ({figures['one_process_rps']:,.0f}/s); cores of each "
            + ", ".join(_text(busy, ".2f") for busy in figures["two_processes_cpu"].values())
        )
    console.print(
        f"Rows written per payment: hongbao {_text(figures['rows_per_payment'], '.2f')}, baselines"
        f" {_text(figures['rows_per_payment_baselines'], '.2f')}; a flush of the disk {figures['fsync_us']:.0f} us"
    )
    console.print(
        f"{figures['audits']} audits, {figures['violations']} violations; {figures['seconds_total']:.0f} s in all"
    )
    for reason in figures["rounds_that_do_not_count"]:
        console.print(f"[yellow]A round does not count: {reason}.[/]")
    if not figures["rounds_count"]:
        console.print(
            f"[red]No round counts (echo's server at least {ECHO_BUSY_LEAST:.0%} of a core, driver under"
            f" {DRIVER_BUSY_MOST:.0%}): the figures are of a busy machine.[/]"
        )


def _text(value: float | None, form: str) -> str:
    return "-" if value is None or value == math.inf else format(value, form)
