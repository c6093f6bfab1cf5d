"""`python -m campaigns.runtime.engines status | run -- COMMAND | psql-url [ROLE] | clean`.

The data directory is HONGBAO_DATA_DIR's. `run` becomes the command, which
keeps the engines up for its life and finds their addresses in DATABASE_URL, DATABASE_OWNER_URL, DATABASE_SWEEPER_URL and REDIS_URL.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from campaigns.runtime.engines.clean import clean, clean_orphans
from campaigns.runtime.engines.client import Engines, engines
from campaigns.runtime.engines.credentials import APP_ROLE, OWNER_ROLE, SWEEPER_ROLE
from campaigns.runtime.engines.errors import EngineError, EnginesNotRunning
from campaigns.runtime.engines.join import try_lock
from campaigns.runtime.settings import Settings, SettingsError

COMMAND_NOT_FOUND = 127


def _is_running(settings: Settings) -> bool:
    if not settings.data_dir.is_dir():
        return False
    lock_fd = try_lock(settings.data_dir)
    if lock_fd is not None:
        os.close(lock_fd)
    return lock_fd is None


def _join_running(settings: Settings) -> Engines:
    if settings.embedded and not _is_running(settings):
        raise EnginesNotRunning(path=str(settings.data_dir))
    return Engines(settings)


def _status(settings: Settings) -> int:
    if not settings.embedded:
        state: dict[str, object] = {"embedded": False, "running": None}
    elif not _is_running(settings):
        state = {"embedded": True, "running": False, "data_dir": str(settings.data_dir)}
    else:
        with Engines(settings) as pair:
            pids = pair.pids
            state = {
                "embedded": True,
                "running": True,
                "data_dir": str(settings.data_dir),
                "home": str(pair.home),
                "supervisor": pids.supervisor,
                "postgres": pids.postgres,
                "valkey": pids.valkey,
            }
    print(json.dumps(state, ensure_ascii=False))
    return 0


def _psql_url(settings: Settings, role: str) -> int:
    with _join_running(settings) as pair:
        addresses = {OWNER_ROLE: pair.owner_dsn, APP_ROLE: pair.app_dsn, SWEEPER_ROLE: pair.sweeper_dsn}
    print(addresses[role])
    return 0


def _run(settings: Settings, command: Sequence[str]) -> int:
    sys.stdout.flush()
    with engines(settings, lambda message: print(message, file=sys.stderr)) as pair:
        addresses = {
            "DATABASE_URL": pair.app_dsn,
            "DATABASE_OWNER_URL": pair.owner_dsn,
            "DATABASE_SWEEPER_URL": pair.sweeper_dsn,
            "REDIS_URL": pair.redis_url,
        }
        if settings.embedded:
            pair.share_with_exec()
        try:
            os.execvpe(command[0], list(command), os.environ | addresses)
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr)
            return COMMAND_NOT_FOUND


def _clean(settings: Settings) -> int:
    for place in [*clean(settings.data_dir), *clean_orphans()]:
        print(f"removed {place}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m campaigns.runtime.engines", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("status", help="what runs, as JSON")
    run = verbs.add_parser("run", help="run a command with the engines up")
    run.add_argument("command", nargs="+", metavar="COMMAND")
    url = verbs.add_parser("psql-url", help="address of the running database")
    url.add_argument("role", nargs="?", default=OWNER_ROLE, choices=(OWNER_ROLE, APP_ROLE, SWEEPER_ROLE))
    verbs.add_parser("clean", help="remove the embedded engines and their data")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code is 0, the command's own, or 1 after an error told on stderr."""
    arguments = _parser().parse_args(argv)
    language = os.environ.get("HONGBAO_LANGUAGE", "en")
    try:
        settings = Settings.from_env()
        if arguments.verb == "run":
            return _run(settings, arguments.command)
        if arguments.verb == "psql-url":
            return _psql_url(settings, arguments.role)
        return _clean(settings) if arguments.verb == "clean" else _status(settings)
    except (EngineError, SettingsError) as error:
        print(error.text("zh" if language == "zh" else "en"), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
