"""The embedded pair starts, is shared, survives kill -9 of every part, and leaves nothing running."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis

from campaigns.runtime.engines import Engines, children, connect_engines
from campaigns.runtime.engines.binaries import POSTGRES_PROGRAM, VALKEY_PROGRAM
from campaigns.runtime.engines.clean import clean
from campaigns.runtime.engines.errors import EnginesInUse, StartFailed
from campaigns.runtime.engines.join import try_lock, wait_until_stopped
from campaigns.runtime.engines.layout import Layout
from campaigns.runtime.engines.processes import engine_processes, is_alive
from campaigns.runtime.engines.supervisor import GRACE_SECONDS, RESTARTS_MAX
from tests.engines_fixture import engine_settings
from tests.runtime.conftest import Program, exists, wait_for, wait_for_end

Start = Callable[..., Program]


def _engine_pids(seen: dict[str, Any]) -> tuple[int, int, int]:
    return seen["supervisor"], seen["postgres"], seen["valkey"]


async def _write(seen: dict[str, Any], value: int) -> None:
    connection = await asyncpg.connect(seen["owner_dsn"])
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
    await connection.execute("INSERT INTO kept VALUES ($1)", value)
    await connection.close()
    with redis.Redis.from_url(seen["redis_url"]) as client:
        client.rpush("kept", value)


async def _read(seen: dict[str, Any]) -> tuple[list[int], list[int]]:
    connection = await asyncpg.connect(seen["owner_dsn"])
    rows = [row["value"] for row in await connection.fetch("SELECT value FROM kept ORDER BY value")]
    await connection.close()
    with redis.Redis.from_url(seen["redis_url"]) as client:
        return rows, [int(value) for value in client.lrange("kept", 0, -1)]


async def test_the_end_of_the_only_user_stops_everything_and_a_restart_finds_the_data(
    start: Start, data_dir: Path
) -> None:
    first = start()
    seen = first.hear()
    await _write(seen, 1)
    assert all(is_alive(pid) for pid in _engine_pids(seen))
    first.leave()
    wait_for_end(*_engine_pids(seen))
    assert wait_until_stopped(data_dir)
    assert not exists(Path(seen["home"], "run")), "the sockets are removed"

    again = start()
    later = again.hear()
    assert set(_engine_pids(later)).isdisjoint(_engine_pids(seen))
    assert await _read(later) == ([1], [1])


async def test_processes_share_one_pair_whichever_is_killed_first(start: Start) -> None:
    programs = [start() for _ in range(3)]  # at once: one of them starts the supervisor
    seen = [program.hear() for program in programs]
    assert len({_engine_pids(one) for one in seen}) == 1
    for program in programs[:2]:
        program.kill()
    assert _engine_pids(programs[2].ask()) == _engine_pids(seen[2])
    await _write(seen[2], 1)
    programs[2].kill()
    wait_for_end(*_engine_pids(seen[2]))


async def test_a_killed_postgres_comes_back_with_its_data_at_the_same_address(start: Start) -> None:
    program = start()
    seen = program.hear()
    await _write(seen, 1)
    os.kill(seen["postgres"], signal.SIGKILL)
    wait_for_end(seen["postgres"])
    later = wait_for(lambda: (now := program.ask())["postgres"] != seen["postgres"] and now, "a new one")
    assert (later["supervisor"], later["valkey"]) == (seen["supervisor"], seen["valkey"])
    assert later["owner_dsn"] == seen["owner_dsn"]
    assert await _read(later) == ([1], [1])


async def test_a_killed_valkey_comes_back_with_its_data_at_the_same_address(start: Start) -> None:
    program = start()
    seen = program.hear()
    await _write(seen, 1)
    with redis.Redis.from_url(seen["redis_url"]) as client:
        # What appendfsync everysec has written to the file is kept by a kill of the process.
        client.set("marker", "x")
    os.kill(seen["valkey"], signal.SIGKILL)
    wait_for_end(seen["valkey"])
    later = wait_for(lambda: (now := program.ask())["valkey"] != seen["valkey"] and now, "a new one")
    assert (later["supervisor"], later["postgres"]) == (seen["supervisor"], seen["postgres"])
    assert later["redis_url"] == seen["redis_url"]
    assert await _read(later) == ([1], [1])


async def test_a_killed_supervisor_takes_the_engines_along_and_a_user_gets_a_new_pair(start: Start) -> None:
    program = start()
    seen = program.hear()
    await _write(seen, 1)
    os.kill(seen["supervisor"], signal.SIGKILL)
    wait_for_end(*_engine_pids(seen))  # before anybody asks: the kernel told them
    later = program.ask()
    assert set(_engine_pids(later)).isdisjoint(_engine_pids(seen))
    assert (later["owner_dsn"], later["redis_url"]) == (seen["owner_dsn"], seen["redis_url"])
    assert await _read(later) == ([1], [1])


async def test_everything_killed_at_once_and_a_new_process_resumes(start: Start) -> None:
    program = start()
    seen = program.hear()
    await _write(seen, 1)
    for pid in _engine_pids(seen):
        os.kill(pid, signal.SIGKILL)
    program.kill()
    wait_for_end(*_engine_pids(seen))
    later = start().hear()
    assert await _read(later) == ([1], [1])


async def test_backends_that_outlive_the_postmaster_are_ended_before_the_restart(start: Start) -> None:
    program = start()
    seen = program.hear()
    connection = await asyncpg.connect(seen["owner_dsn"])
    backend = await connection.fetchval("SELECT pg_backend_pid()")
    os.kill(backend, signal.SIGSTOP)  # it cannot notice the end of its postmaster
    os.kill(seen["postgres"], signal.SIGKILL)
    wait_for_end(seen["postgres"])
    later = wait_for(lambda: (now := program.ask())["postgres"] != seen["postgres"] and now, "a new one")
    assert not is_alive(backend)
    await _write(later, 1)
    connection.terminate()


def test_another_program_in_the_data_directory_is_never_ended(start: Start, data_dir: Path) -> None:
    program = start()
    seen = program.hear()
    stranger = subprocess.Popen(["/bin/sleep", "60"], cwd=Path(seen["home"], "postgres"))
    try:
        os.kill(seen["postgres"], signal.SIGKILL)
        wait_for(lambda: program.ask()["postgres"] != seen["postgres"], "a new one")
        program.leave()
        assert wait_until_stopped(data_dir)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sigterm_to_a_user_or_to_the_supervisor_leaves_nothing(
    start: Start, data_dir: Path, number: int
) -> None:
    program = start()
    seen = program.hear()
    if number == signal.SIGTERM:
        program.process.send_signal(signal.SIGTERM)  # a user without a handler just dies
        program.leave()
    else:
        os.kill(seen["supervisor"], number)
    wait_for_end(*_engine_pids(seen))
    assert wait_until_stopped(data_dir)
    for name, binary in (("postgres", POSTGRES_PROGRAM), ("valkey", VALKEY_PROGRAM)):
        assert engine_processes(Path(seen["home"], name), binary) == []
    assert not Path(seen["home"], "postgres", "postmaster.pid").exists(), "an orderly stop"


def test_an_engine_that_dies_again_and_again_is_given_up(start: Start, data_dir: Path) -> None:
    program = start()
    seen = program.hear()
    valkey = Path(seen["home"], "valkey")
    for _ in range(RESTARTS_MAX + 1):
        now = wait_for(
            lambda: engine_processes(valkey, VALKEY_PROGRAM) or not is_alive(seen["supervisor"]), "one"
        )
        if now is True:
            break
        os.kill(now[0], signal.SIGKILL)
        wait_for_end(now[0])
    wait_for_end(*_engine_pids(seen))
    lock_fd = try_lock(data_dir)
    assert lock_fd is not None, "the supervisor has gone"
    os.close(lock_fd)
    assert "not started again" in (data_dir / "supervisor.log").read_text()


def test_clean_after_kills_of_everything_leaves_no_process_and_no_shared_memory(
    start: Start, data_dir: Path
) -> None:
    program = start()
    seen = program.hear()
    lines = Path(seen["home"], "postgres", "postmaster.pid").read_text().splitlines()
    segment_id = lines[6].split()[1]

    def segments() -> list[str]:
        return [line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]

    assert segment_id in segments()
    for pid in _engine_pids(seen):
        os.kill(pid, signal.SIGKILL)
    program.kill()
    wait_for_end(*_engine_pids(seen))
    clean(data_dir)
    assert segment_id not in segments()
    assert not Path(seen["home"]).exists()


@pytest.fixture
async def pair(data_dir: Path) -> AsyncIterator[Engines]:
    joined = await connect_engines(engine_settings(data_dir))
    yield joined
    joined.close()


async def test_a_watching_process_is_back_on_a_new_pair_without_asking(
    pair: Engines, start: Start, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = pair.pids
    monkeypatch.setattr(f"{clean.__module__}.WAIT_SECONDS", 2 * GRACE_SECONDS)
    watcher = asyncio.create_task(pair.watch())
    await asyncio.sleep(0)
    os.kill(old.supervisor, signal.SIGKILL)
    await asyncio.to_thread(wait_for_end, old.supervisor, old.postgres, old.valkey)
    program = start(data_dir)
    other = await asyncio.to_thread(program.hear)
    await asyncio.to_thread(program.leave)
    assert other["supervisor"] != old.supervisor
    with pytest.raises(EnginesInUse):
        # Only the watch has joined for us: the other one has left.
        await asyncio.to_thread(clean, data_dir)
    assert pair.pids.supervisor == other["supervisor"]
    watcher.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watcher


async def test_databases_are_made_as_copies_and_dropped_with_their_connections(pair: Engines) -> None:
    first = await pair.create_database("first")
    connection = await asyncpg.connect(**first.owner.credentials)
    await connection.execute("CREATE TABLE kept AS SELECT 7 AS value; GRANT SELECT ON kept TO app")
    await connection.close()
    copy = await pair.create_database("copy_of_first", template="first")
    connection = await asyncpg.connect(copy.app.dsn)
    assert await connection.fetchval("SELECT value FROM kept") == 7
    await pair.drop_database("copy_of_first")
    with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
        await connection.execute("SELECT 1")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(copy.app.dsn)
    await pair.drop_database("copy_of_first")  # absent is fine
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(**first.app.credentials | {"password": "wrong"})


def test_a_log_stays_bounded_while_the_engine_writes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_bytes = 100_000
    monkeypatch.setattr(children, "LOG_MAX_BYTES", limit_bytes)
    layout = Layout(data_dir=tmp_path, home=tmp_path, run=tmp_path, identity=None)
    engine = children.Engine(
        name="writer",
        title="Writer",
        log=tmp_path / "writer.log",
        cwd=tmp_path,
        layout=layout,
        argv=["/bin/sh", "-c", "while :; do echo a line of a log; done"],
        death_signal=signal.SIGKILL,
        stop_signals=((signal.SIGKILL, 5.0),),
        is_ready=lambda _: True,
        end_leftovers=lambda: 0,
        make_start_error=lambda status, lines: StartFailed(engine="", reason=status, log="", lines=lines),
    )
    engine.start()

    def bounded() -> bool:
        engine.look()
        return (tmp_path / "writer.log.1").exists() and (tmp_path / "writer.log").stat().st_size > 0

    wait_for(bounded, "the log is moved on and written again")
    assert (tmp_path / "writer.log").read_bytes().startswith((b"a line", b" line", b"line", b"of")), (
        "no hole of zeros"
    )
    engine.signal_first()
    engine.stop()
    assert engine.pid == 0
