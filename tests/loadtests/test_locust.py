"""Locust's scenarios against a real server; and the town they are tried on goes when it is told to."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.loadtests.conftest import ROOT, Command


@pytest.mark.timeout(300)
def test_scenarios_pay_hold_refund_and_look_up(command: Command, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    with command.start("loadtests.town", "--keys", keys, "--residents", 100, "--stores", 10) as town:
        try:
            assert town.stdout is not None
            address = next(line.strip() for line in town.stdout if line.startswith("http"))
            assert keys.stat().st_mode & 0o077 == 0
            stats = _drive(command, address, keys, users=20, seconds=4)
            refused = _drive(command, address, keys, users=501, seconds=1)
        finally:
            town.send_signal(signal.SIGTERM)
            town.communicate(timeout=60)
    assert refused == [] and town.returncode == 0 and command.left() == [] and not keys.exists()
    by_name = {one["name"]: one for one in stats}
    assert sum(one["num_failures"] for one in stats) == 0, stats
    assert by_name.keys() >= {"/v1/payment-codes", "/v1/redemptions", "/v1/authorizations", "/v1/payments/ID"}
    assert by_name["/v1/redemptions"]["num_requests"] > 5


def _drive(command: Command, host: str, keys: Path, users: int, seconds: int) -> list[dict[str, int]]:
    """What locust counted by address; nothing where it refuses to begin."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("locust")), "-f", str(ROOT / "loadtests" / "locustfile.py"),
            "--host", host, "--keys", str(keys), "--headless", "-u", str(users), "-r", "50", "-t", f"{seconds}s",
            "--json", "--loglevel", "ERROR",
        ],
        cwd=command.directory, env=command.environ | {"NO_PROXY": "127.0.0.1", "HOME": os.environ.get("HOME", "/")},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode:
        assert "at most 500 users" in done.stderr, done.stderr
        return []
    found: list[dict[str, int]] = json.loads(done.stdout)
    return found
