"""Settings are read from the environment once; what is wrong is named with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.runtime.settings import Mode, Settings, SettingsError

EMBEDDED_ONLY = {"DATABASE_URL": "postgresql://app:x@db/hongbao", "REDIS_URL": "redis://cache:6379/0"}


def test_the_defaults_are_embedded_production_on_the_loopback() -> None:
    settings = Settings.from_env({})
    assert settings.mode is Mode.PRODUCTION
    assert settings.embedded
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.data_dir == Path.cwd() / "var" / "hongbao"
    assert settings.secrets_dir == settings.data_dir / "secrets"


def test_every_variable_is_read_and_documented() -> None:
    assert Settings.__doc__ is not None
    for name, spec in Settings.__dataclass_fields__.items():
        assert f"`{name}`" in Settings.__doc__, name
        assert f"({spec.metadata['env']}," in Settings.__doc__, name
    changed = Settings.from_env(
        EMBEDDED_ONLY
        | {
            "HONGBAO_MODE": "demo",
            "HONGBAO_DATA_DIR": "/d",
            "HONGBAO_SECRETS_DIR": "/s",
            "DATABASE_OWNER_URL": "postgres://owner@db/hongbao",
            "DATABASE_SWEEPER_URL": "postgres://sweeper@db/hongbao",
            "HONGBAO_HOST": "::1",
            "HONGBAO_LANGUAGE": "en",
            "HONGBAO_LOG_LEVEL": "debug",
        }
        | {
            spec.metadata["env"]: str(spec.metadata["range"][1])
            for spec in Settings.__dataclass_fields__.values()
            if "range" in spec.metadata
        }
    )
    default = Settings()
    for name in Settings.__dataclass_fields__:
        assert getattr(changed, name) != getattr(default, name), name


def test_an_empty_variable_counts_as_not_set() -> None:
    assert Settings.from_env({"HONGBAO_PORT": "", "DATABASE_URL": " "}) == Settings.from_env({})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HONGBAO_PORT", "65536"),
        ("HONGBAO_PORT", "-1"),
        ("HONGBAO_PORT", "80.0"),
        ("HONGBAO_PORT", "八千"),
        ("HONGBAO_PORT", "８０００"),
        ("HONGBAO_PORT", "1" * 5_000),
        ("HONGBAO_SERVER_PROCESSES", "0"),
        ("HONGBAO_MODE", "prod"),
        ("HONGBAO_LANGUAGE", "fr"),
        ("HONGBAO_LOG_LEVEL", "DEBUG"),
        ("HONGBAO_DATA_DIR", "a\0b"),
        ("HONGBAO_POOL_MIN_CONNECTIONS", "17"),
        ("DATABASE_OWNER_URL", "postgresql://owner@db/hongbao"),
    ],
)
def test_a_wrong_value_names_its_variable_in_both_languages(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({variable: value})
    assert caught.value.code == "bad_setting"
    assert caught.value.variable == variable
    for language in ("zh", "en"):
        assert variable in caught.value.text(language)


@pytest.mark.parametrize("only", ["DATABASE_URL", "REDIS_URL"])
def test_one_server_of_the_operators_own_asks_for_the_other(only: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({only: EMBEDDED_ONLY[only]})
    assert caught.value.variable == ({"DATABASE_URL", "REDIS_URL"} - {only}).pop()


def test_a_wrong_address_is_told_without_its_password() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"DATABASE_URL": "mysql://app:very-secret@db/x", "REDIS_URL": "redis://c"})
    assert caught.value.variable == "DATABASE_URL"
    assert "very-secret" not in str(caught.value)
    assert "very-secret" not in repr(Settings(database_url="postgresql://a:very-secret@db/x"))
