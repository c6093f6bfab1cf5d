"""`make bench-pay`: one-call redemption over HTTP against bare Sanic and the textbook's payments."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence

import msgspec
from rich.console import Console

from loadtests.driving import RoundFailed
from loadtests.figures import figures_of, show
from loadtests.options import Options, options_of
from loadtests.procedure import Procedure
from loadtests.stage import Stage

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
EXIT_VIOLATED = 1
EXIT_INTERRUPTED = 130
WIDTH = 120  # where there is no terminal to ask


def run(options: Options) -> int:
    """The whole benchmark; the exit code is 1 when a payment failed or an audit found something."""
    stage = Stage(options)
    try:
        stage.open()
        stage.say(f"a town of {options.residents} residents and {options.stores} stores stands")
        if options.profile:
            return _profile(stage)
        seen = Procedure(stage).run()
        figures = figures_of(seen, options, time.monotonic() - stage.began)
        if options.json_file is not None:
            options.json_file.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    except RoundFailed as error:
        stage.say(f"failed: {error}")
        return EXIT_VIOLATED
    except KeyboardInterrupt:
        stage.say("interrupted")
        return EXIT_INTERRUPTED
    finally:
        for number in STOP_SIGNALS:  # what is left takes a few seconds
            signal.signal(number, signal.SIG_IGN)
        stage.close()
    show(figures, Console(width=None if sys.stdout.isatty() else WIDTH))
    return EXIT_VIOLATED if figures["violations"] else 0


def _profile(stage: Stage) -> int:
    """Rounds of one server process under cProfile, at each number of connections."""
    options, server = stage.options, stage.servers["hongbao"]
    for _ in range(options.rounds):
        for connections in options.connections:
            server.signal(signal.SIGUSR1)
            result = stage.play("hongbao", connections, options.seconds, options.warmup_seconds)
            server.signal(signal.SIGUSR2)
            cpu = ", ".join(f"{name} {result.cpu_us(name):.0f} us" for name in result.cpu)
            stage.say(f"{connections} connections, {result.rate:.0f}/s; CPU for each: {cpu}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``python -m loadtests.bench``. SIGTERM ends it as Ctrl-C does."""
    options = options_of(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
