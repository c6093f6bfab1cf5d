"""Run a module under cProfile between two signals: SIGUSR1 begins, SIGUSR2 writes what was seen so far.

`python -m loadtests.profiled FILE MODULE ARGUMENTS...`; start-up is left out that way.
"""

import cProfile
import runpy
import signal
import sys


def main() -> None:
    """Entry of ``python -m loadtests.profiled``."""
    file, module, *arguments = sys.argv[1:]
    profile = cProfile.Profile()

    def write(*_: object) -> None:
        profile.disable()
        profile.dump_stats(file)

    signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
    signal.signal(signal.SIGUSR2, write)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
