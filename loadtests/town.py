"""A town to try scenarios on: engines, a server and a keys file, until Ctrl-C.

python -m loadtests.town --keys keys.json
"""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from loadtests.bench import STOP_SIGNALS
from loadtests.contestants import HOST
from loadtests.keys import Keys, write_keys
from loadtests.options import Options
from loadtests.stage import OURS, Stage

RESIDENTS, STORES = 2_000, 100
HEADLESS = "--headless -u 20 -r 20 -t 30s"


def main() -> int:
    """Entry of ``python -m loadtests.town``."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.town", description=__doc__)
    parser.add_argument("--keys", type=Path, default=Path("keys.json"), help="file to write [keys.json]")
    parser.add_argument("--residents", type=int, default=RESIDENTS, help="how many [2000]")
    parser.add_argument("--stores", type=int, default=STORES, help="how many [100]")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stage = Stage(Options(only=("hongbao",), residents=arguments.residents, stores=arguments.stores))
    try:
        stage.open()
        world = stage.worlds[OURS]
        write_keys(
            arguments.keys, Keys(world.channel_key, world.till_keys, [str(one) for one in world.people])
        )
        address = f"http://{HOST}:{stage.servers['hongbao'].port}"
        print(address)
        print("Ctrl-C ends it and removes everything, the keys file too. In another shell:")
        print(
            f"locust -f loadtests/locustfile.py --host {address} --keys {arguments.keys} {HEADLESS}",
            flush=True,
        )
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        arguments.keys.unlink(missing_ok=True)
        stage.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
