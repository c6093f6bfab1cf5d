"""What docs/reliability.md says of clocks: the product reads the machine's for the time in new ids and in log lines alone."""

import ast
from collections.abc import Iterator

from tests.crash.deployment import ROOT

READERS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
ALLOWED = {("campaigns/domain/ids.py", "time.time_ns"), ("api/logs.py", "datetime.now")}


def readings(source: str) -> Iterator[str]:
    """Names of the calls in a file that read the machine's clock."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ".".join(ast.unparse(node.func).split(".")[-2:])
            if name in READERS:
                yield name


def test_the_machines_clock_is_read_for_ids_and_logs_alone() -> None:
    found = {
        (str(file.relative_to(ROOT)), name)
        for room in ("campaigns", "api", "bot")
        for file in (ROOT / room).rglob("*.py")
        for name in readings(file.read_text(encoding="utf-8"))
    }
    assert found == ALLOWED


def test_a_reading_is_found() -> None:
    assert list(readings("import datetime\nx = datetime.datetime.now(tz)")) == ["datetime.now"]
    assert list(readings("time.monotonic()")) == []
