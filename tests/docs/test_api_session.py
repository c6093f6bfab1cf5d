"""docs/api.md: its tables are those of the code, and its session works, line by line, on a real server process."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.routes import all_routes
from campaigns.domain.roles import KIND_SCOPES, ROLE_SCOPES
from campaigns.runtime.engines import Databases, Engines
from tests.docs.tables import DOCS, rows

WAIT_SECONDS = 60
DATABASE = "hongbao_api_session"
TOOLS = ("bash", "curl", "date")


def _scopes(cell: str) -> set[str]:
    return set(cell.split(", "))


def test_kinds_and_roles_hold_the_scopes_of_the_table() -> None:
    assert {row[0]: _scopes(row[2]) for row in rows("api.md", "kind", "who")} == {
        kind: set(scopes) for kind, scopes in KIND_SCOPES.items()
    }
    assert {row[0]: _scopes(row[1]) for row in rows("api.md", "role of staff")} == {
        role: set(scopes) for role, scopes in ROLE_SCOPES.items()
    }


def test_every_scope_a_route_asks_for_is_explained() -> None:
    asked = {route.scope for route in all_routes() if route.scope is not None}
    assert {row[0] for row in rows("api.md", "scope", "opens")} == asked
    assert set().union(*KIND_SCOPES.values()) == asked, "a scope is given out that opens nothing"


@contextmanager
def _serving(environ: dict[str, str], log: Path) -> Iterator[str]:
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", "0"]
    with log.open("w") as errors:
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removesuffix("/v1/docs\n")
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS)
            process.stdout.close()


def _environ(engines: Engines, databases: Databases, tmp_path: Path) -> dict[str, str]:
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    key = secrets / "hmac.key"
    key.write_text("0f" * 32 + "\n")
    key.chmod(0o600)
    programs = tmp_path / "bin"
    programs.mkdir()
    hongbao = programs / "hongbao"
    hongbao.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from api.cli import main; main()" "$@"\n')
    hongbao.chmod(0o755)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(DOCS.parent),
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "HONGBAO_MODE": "test",
        "HONGBAO_LANGUAGE": "en",
        "HONGBAO_DATA_DIR": str(tmp_path / "data"),
        "HONGBAO_SECRETS_DIR": str(secrets),
        "HONGBAO_SERVER_PROCESSES": "1",
        "DATABASE_URL": databases.app.dsn,
        "DATABASE_OWNER_URL": databases.owner.dsn,
        "DATABASE_SWEEPER_URL": databases.sweeper.dsn,
        "REDIS_URL": engines.redis_url,
    }


def _run(script: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-x", str(script)]
    return subprocess.run(
        command, env=environ, cwd=script.parent, capture_output=True, text=True, timeout=WAIT_SECONDS
    )


@pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)}")
async def test_the_session_works(engines: Engines, tmp_path: Path) -> None:
    blocks = re.findall(
        r"^```sh session\n(.*?)^```", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) > 5
    script = tmp_path / "session.sh"
    script.write_text("set -euo pipefail\n" + "".join(blocks))
    environ = _environ(engines, await engines.create_database(DATABASE), tmp_path)
    try:
        with _serving(environ, tmp_path / "log") as address:
            done = await asyncio.to_thread(_run, script, environ | {"API": address})
        assert done.returncode == 0, (
            done.stdout[-2_000:] + done.stderr[-3_000:] + (tmp_path / "log").read_text(encoding="utf-8")
        )
    finally:
        await engines.drop_database(DATABASE)
