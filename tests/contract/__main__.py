"""``make contract``: the whole document tried against a server of its own, on engines of its own."""

import argparse
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from campaigns.runtime.engines import Engines
from campaigns.runtime.engines.clean import clean
from tests.contract.server import Target, serving
from tests.contract.trial import PHASES, Asked, Found, run
from tests.engines_fixture import engine_settings, scratch_directory

EXAMPLES = 200
SCENARIOS = 400
MOST_EXAMPLES = 10_000


def main(argv: list[str] | None = None) -> int:
    """Run, tell and answer the exit code: 1 if anything was found."""
    arguments = _arguments(argv)
    seed = secrets.randbelow(2**32) if arguments.seed is None else arguments.seed
    asked = Asked(
        seed, arguments.examples, tuple(arguments.phases), arguments.scenarios, arguments.only, arguments.slow_examples
    )  # fmt: skip
    print(
        f"seed {seed}, {asked.examples} examples per operation, phases {', '.join(asked.phases)}", flush=True
    )
    print("PHASE      OPERATION" + " " * 51 + "CASES  FOUND  ANSWERS", flush=True)
    scratch = scratch_directory()
    directory = Path(tempfile.mkdtemp(prefix="hongbao-contract-"))
    engines = Engines(engine_settings(scratch / "data"))
    try:
        with serving(engines, directory) as target:
            found = run(target, asked, lambda line: print(line, flush=True))
            _tell(found, target, asked)
    finally:
        engines.close(wait=True)
        clean(scratch / "data")
        shutil.rmtree(scratch)
        shutil.rmtree(directory)
    return 1 if found.findings else 0


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make contract ARGS=", description=__doc__)
    parser.add_argument(
        "--examples",
        type=int,
        choices=range(1, MOST_EXAMPLES),
        default=EXAMPLES,
        metavar="N",
        help=f"generated cases of each operation [{EXAMPLES}]",
    )
    parser.add_argument(
        "--scenarios",
        type=int,
        default=SCENARIOS,
        metavar="N",
        help=f"sequences of calls by links [{SCENARIOS}]",
    )
    parser.add_argument(
        "--slow-examples", type=int, metavar="N", help="examples of operations that take seconds each"
    )
    parser.add_argument("--seed", type=int, help="the seed of an earlier run [by chance, printed]")
    parser.add_argument(
        "--only", help="operations whose name, such as 'POST /v1/redemptions', has this pattern"
    )
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES, help="[all]")
    return parser.parse_args(argv)


def _tell(found: Found, target: Target, asked: Asked) -> None:
    print("\nOPERATION" + " " * 51 + "CASES  ANSWERS")
    for label, told in sorted(found.answers.items()):
        statuses = " ".join(f"{status}:{count}" for status, count in sorted(told.items()))
        print(f"{label:<58}  {sum(told.values()):>5}  {statuses}")
    for (check, label, title), text in sorted(found.findings.items()):
        print(f"\nFOUND  {check}  {label}  {title}\n{text}")
    for incident in target.incidents():
        print(f"\nINCIDENT  {incident}")
    phases = ", ".join(f"{phase} {count:,}" for phase, count in found.cases_by_phase.items())
    print(f"\nseed {asked.seed}: {len(found.answers)} operations, {found.cases:,} cases ({phases}),"
          f" {found.scenarios:,} sequences, {found.checks:,} checks, {len(found.findings)} findings", flush=True)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
