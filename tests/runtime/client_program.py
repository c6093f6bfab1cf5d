"""A process that uses the engines: says the process ids and addresses, again for each line it reads.

With the environment's HONGBAO_DATA_DIR. It needs the standard library alone, so that any Python can run it.
"""

import json
import os
import sys

from campaigns.runtime.engines import EngineError, Engines
from campaigns.runtime.settings import Settings


def _say(pair: Engines) -> None:
    pids = pair.ensure()
    facts = {
        "me": os.getpid(),
        "uid": os.geteuid(),
        "home": str(pair.home),
        "supervisor": pids.supervisor,
        "postgres": pids.postgres,
        "valkey": pids.valkey,
        "owner_dsn": pair.owner_dsn,
        "redis_url": pair.redis_url,
    }
    print(json.dumps(facts), flush=True)


def main() -> None:
    """Join, then answer until stdin closes."""
    try:
        with Engines(Settings.from_env()) as pair:
            _say(pair)
            for _ in sys.stdin:
                _say(pair)
    except EngineError as error:
        print(json.dumps({"code": error.code, "facts": error.facts}), flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
