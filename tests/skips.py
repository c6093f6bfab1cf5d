"""Say at the end how many tests were skipped and why; with HONGBAO_REQUIRE_ALL=1 a skip fails the run.

A test marked ``browser`` or ``root`` runs where its tool is there and is skipped elsewhere.
"""

import os
import shutil
from collections import Counter

import pytest

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """The path of a Chromium, or None."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and chromium() is None:
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("runs as root only")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        terminalreporter.write_line("No test was skipped.")
        return
    terminalreporter.write_line(f"Skipped: {len(skipped)}")
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    for reason, times in reasons.most_common():
        terminalreporter.write_line(f"  {times} x {reason}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if (
        os.environ.get("HONGBAO_REQUIRE_ALL") == "1"
        and reporter is not None
        and reporter.stats.get("skipped")
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
