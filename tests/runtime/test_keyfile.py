"""The HMAC key: made once, closed to others, never made anew beside old data."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from campaigns.runtime.engines.errors import DirectoryNotWritable, KeyMissing, KeyUnsafe
from campaigns.runtime.keyfile import KEY_FILE_NAME, hmac_key
from campaigns.runtime.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", secrets_dir=tmp_path / "data" / "secrets")


def test_it_is_made_on_first_use_and_kept(settings: Settings) -> None:
    key = hmac_key(settings)
    assert len(key) == 32
    assert hmac_key(settings) == key
    path = settings.secrets_dir / KEY_FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.secrets_dir.stat().st_mode) == 0o700
    assert [entry.name for entry in settings.secrets_dir.iterdir()] == [KEY_FILE_NAME]


def test_at_the_same_time_all_get_the_same_key(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: hmac_key(settings), range(32)))
    assert len(keys) == 1


def test_another_process_that_makes_it_just_now_is_no_lost_key(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, others = Path.exists, []

    def look_and_be_overtaken(path: Path) -> bool:
        found = look(path)
        if path.name == KEY_FILE_NAME and not others:
            others.append(b"")
            others.append(hmac_key(settings))
        return found

    monkeypatch.setattr(Path, "exists", look_and_be_overtaken)
    assert hmac_key(settings) == others[-1]


def test_a_lost_key_is_told_and_not_made_anew(settings: Settings) -> None:
    hmac_key(settings)
    (settings.secrets_dir / KEY_FILE_NAME).unlink()
    with pytest.raises(KeyMissing):
        hmac_key(settings)


def test_beside_a_server_of_the_operators_own_it_is_never_made(tmp_path: Path) -> None:
    own = Settings(secrets_dir=tmp_path, database_url="postgresql://db/x", redis_url="redis://c")
    with pytest.raises(KeyMissing):
        hmac_key(own)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "text"), [(0o640, "0" * 64), (0o600, "0" * 63), (0o600, "x" * 64), (0o600, "")]
)
def test_an_unsafe_key_file_is_refused(settings: Settings, mode: int, text: str) -> None:
    settings.secrets_dir.mkdir(parents=True)
    path = settings.secrets_dir / KEY_FILE_NAME
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(KeyUnsafe):
        hmac_key(settings)
    assert path.read_text() == text


def test_a_directory_in_its_place_is_refused(settings: Settings) -> None:
    (settings.secrets_dir / KEY_FILE_NAME).mkdir(parents=True)
    with pytest.raises(KeyUnsafe):
        hmac_key(settings)


def test_a_secrets_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DirectoryNotWritable):
        hmac_key(Settings(data_dir=tmp_path, secrets_dir=tmp_path / "file" / "secrets"))


@pytest.mark.root
def test_another_users_key_is_refused(settings: Settings) -> None:
    hmac_key(settings)
    os.chown(settings.secrets_dir / KEY_FILE_NAME, 12345, 12345)
    with pytest.raises(KeyUnsafe) as caught:
        hmac_key(settings)
    assert "12345" in str(caught.value)
