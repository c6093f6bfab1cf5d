"""Run the listed mutants: each in a copy of the sources, against the tests that must notice it.

``python -m tests.mutants [NAME ...]`` runs all, or those whose name holds one of the words. Ends with 1 if a mutant
survives or no longer applies, with the seconds each took.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from tests.mutants.listed import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("api", "bot", "campaigns", "lottery", "loadtests", "tests", "docs", "pyproject.toml", "README.md")
TIMEOUT_SECONDS = 300
TESTS_FAILED = 1


def copy_sources(target: Path) -> None:
    """Copy what the tests import into ``target``."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, target / name)


def apply(mutant: Mutant, root: Path) -> str:
    """Change the file below ``root``; answer its former text. Raises SystemExit when the change does not apply once."""
    file = root / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise SystemExit(
            f"{mutant.name}: its text stands {text.count(mutant.old)} times in {mutant.file}, not once"
        )
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return text


def killed(mutant: Mutant, root: Path) -> bool:
    """Run the mutant's tests below ``root``; say whether one failed."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.tests]
    ended = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, timeout=TIMEOUT_SECONDS, check=False
    )
    if ended.returncode not in (0, TESTS_FAILED):
        raise SystemExit(
            f"{mutant.name}: pytest ended with {ended.returncode}\n{ended.stdout.decode()[-2000:]}"
        )
    return ended.returncode == TESTS_FAILED


def main(words: list[str]) -> int:
    """Run the mutants that the words choose; answer the exit status."""
    console = Console()
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.name for word in words)]
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="hongbao-mutants-") as directory:
        root = Path(directory)
        copy_sources(root)
        for number, mutant in enumerate(chosen, 1):
            began = time.monotonic()
            former = apply(mutant, root)
            red = killed(mutant, root)
            (root / mutant.file).write_text(former, encoding="utf-8")
            survivors += not red
            outcome = "[green]red[/]" if red else "[bold red]survived[/]"
            console.print(
                f"{number:2}/{len(chosen)} {outcome} {mutant.name} ({time.monotonic() - began:.1f} s)"
            )
    console.print(f"{len(chosen) - survivors} of {len(chosen)} turned a test red")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
