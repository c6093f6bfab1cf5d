"""What an operator may choose: every setting of hongbao, read once from the environment.

A setting is read here and nowhere else. Wrong values are refused at start with the name of the
variable and what to write instead; nothing is guessed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

PORT_MAX = 65_535
_POSTGRES_SCHEMES = ("postgresql", "postgres")
_REDIS_SCHEMES = ("redis", "rediss", "unix")


class Mode(StrEnum):
    """What the installation is for. Only `demo` and `test` may use the rehearsal beacon."""

    PRODUCTION = "production"
    DEMO = "demo"
    TEST = "test"


class SettingsError(ValueError):
    """A variable of the environment holds something hongbao cannot use.

    Attributes: `code` (stable, always `bad_setting`), `variable` (its name), `value` (what it holds,
    never shown for addresses with passwords), `wanted_en` and `wanted_zh` (what to write instead).
    """

    code = "bad_setting"

    def __init__(self, variable: str, value: str, wanted_en: str, wanted_zh: str) -> None:
        self.variable = variable
        self.value = value
        self.wanted_en = wanted_en
        self.wanted_zh = wanted_zh
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """The sentence for people, `en` or `zh`."""
        if language == "zh":
            return f"环境变量 {self.variable} 的值 {self.value!r} 不能用：请写成{self.wanted_zh}。"
        return f"{self.variable}={self.value!r} cannot be used: write {self.wanted_en}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, with its variable, unit and default.

    Where things are:

    - `mode` (HONGBAO_MODE, default production): production, demo or test.
    - `data_dir` (HONGBAO_DATA_DIR, default ./var/hongbao): directory of the embedded engines, made if missing.
    - `secrets_dir` (HONGBAO_SECRETS_DIR, default `secrets` in the data directory): where the HMAC key
      file lies, outside the database.
    - `database_url` (DATABASE_URL, default none): PostgreSQL 18 as role `app`. Not set: the embedded one.
    - `database_owner_url` (DATABASE_OWNER_URL, default DATABASE_URL): the role that migrates.
    - `database_sweeper_url` (DATABASE_SWEEPER_URL, default DATABASE_URL): the role that deletes expired
      idempotency rows.
    - `redis_url` (REDIS_URL, default none): Valkey 9; set together with DATABASE_URL or not at all.

    The HTTP server:

    - `host` (HONGBAO_HOST, default 127.0.0.1) and `port` (HONGBAO_PORT, default 8000; 0 = any free one).
    - `server_processes` (HONGBAO_SERVER_PROCESSES, default 2): processes sharing the listening socket.

    Connections and time limits:

    - `pool_min_connections` (HONGBAO_POOL_MIN_CONNECTIONS, default 2) and `pool_max_connections`
      (HONGBAO_POOL_MAX_CONNECTIONS, default 16): PostgreSQL connections per process.
    - `acquire_timeout_ms` (HONGBAO_ACQUIRE_TIMEOUT_MS, default 5000): longest wait for one of them.
    - `lock_timeout_ms` (HONGBAO_LOCK_TIMEOUT_MS, default 5000): longest wait for a row lock.
    - `statement_timeout_ms` (HONGBAO_STATEMENT_TIMEOUT_MS, default 30000): longest statement of a request.
    - `redis_max_connections` (HONGBAO_REDIS_MAX_CONNECTIONS, default 32): Valkey connections per process.
    - `sweep_seconds` (HONGBAO_SWEEP_SECONDS, default 10): time between two sweeps.

    The embedded engines:

    - `postgres_shared_buffers_mb` (HONGBAO_POSTGRES_SHARED_BUFFERS_MB, default 512).
    - `postgres_max_wal_mb` (HONGBAO_POSTGRES_MAX_WAL_MB, default 4096).
    - `postgres_max_connections` (HONGBAO_POSTGRES_MAX_CONNECTIONS, default 200).
    - `postgres_tcp_port` (HONGBAO_POSTGRES_TCP_PORT, default 0 = no TCP): also listen on 127.0.0.1.

    People and logs:

    - `language` (HONGBAO_LANGUAGE, default zh): zh or en, for the command line.
    - `log_level` (HONGBAO_LOG_LEVEL, default info): debug, info, warning or error.
    """

    mode: Mode = field(default=Mode.PRODUCTION, metadata={"env": "HONGBAO_MODE"})
    data_dir: Path = field(default=Path("var/hongbao"), metadata={"env": "HONGBAO_DATA_DIR"})
    secrets_dir: Path = field(default=Path("var/hongbao/secrets"), metadata={"env": "HONGBAO_SECRETS_DIR"})
    database_url: str | None = field(default=None, repr=False, metadata={"env": "DATABASE_URL"})
    database_owner_url: str | None = field(default=None, repr=False, metadata={"env": "DATABASE_OWNER_URL"})
    database_sweeper_url: str | None = field(
        default=None, repr=False, metadata={"env": "DATABASE_SWEEPER_URL"}
    )
    redis_url: str | None = field(default=None, repr=False, metadata={"env": "REDIS_URL"})
    host: str = field(default="127.0.0.1", metadata={"env": "HONGBAO_HOST"})
    port: int = field(default=8000, metadata={"env": "HONGBAO_PORT", "range": (0, PORT_MAX)})
    server_processes: int = field(default=2, metadata={"env": "HONGBAO_SERVER_PROCESSES", "range": (1, 64)})
    pool_min_connections: int = field(
        default=2, metadata={"env": "HONGBAO_POOL_MIN_CONNECTIONS", "range": (0, 500)}
    )
    pool_max_connections: int = field(
        default=16, metadata={"env": "HONGBAO_POOL_MAX_CONNECTIONS", "range": (1, 500)}
    )
    acquire_timeout_ms: int = field(
        default=5_000, metadata={"env": "HONGBAO_ACQUIRE_TIMEOUT_MS", "range": (1, 600_000)}
    )
    lock_timeout_ms: int = field(
        default=5_000, metadata={"env": "HONGBAO_LOCK_TIMEOUT_MS", "range": (1, 600_000)}
    )
    statement_timeout_ms: int = field(
        default=30_000, metadata={"env": "HONGBAO_STATEMENT_TIMEOUT_MS", "range": (1, 3_600_000)}
    )
    redis_max_connections: int = field(
        default=32, metadata={"env": "HONGBAO_REDIS_MAX_CONNECTIONS", "range": (1, 1_000)}
    )
    sweep_seconds: int = field(default=10, metadata={"env": "HONGBAO_SWEEP_SECONDS", "range": (1, 3_600)})
    postgres_shared_buffers_mb: int = field(
        default=512, metadata={"env": "HONGBAO_POSTGRES_SHARED_BUFFERS_MB", "range": (16, 1_048_576)}
    )
    postgres_max_wal_mb: int = field(
        default=4_096, metadata={"env": "HONGBAO_POSTGRES_MAX_WAL_MB", "range": (64, 1_048_576)}
    )
    postgres_max_connections: int = field(
        default=200, metadata={"env": "HONGBAO_POSTGRES_MAX_CONNECTIONS", "range": (10, 5_000)}
    )
    postgres_tcp_port: int = field(
        default=0, metadata={"env": "HONGBAO_POSTGRES_TCP_PORT", "range": (0, PORT_MAX)}
    )
    language: str = field(default="zh", metadata={"env": "HONGBAO_LANGUAGE", "choices": ("zh", "en")})
    log_level: str = field(
        default="info",
        metadata={"env": "HONGBAO_LOG_LEVEL", "choices": ("debug", "info", "warning", "error")},
    )

    @property
    def embedded(self) -> bool:
        """True when hongbao runs PostgreSQL and Valkey itself, in `data_dir`."""
        return self.database_url is None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read and judge the environment (`os.environ` unless one is given).

        An empty variable counts as not set. Raises `SettingsError` for the first wrong one.
        """
        source = os.environ if environ is None else environ
        values: dict[str, object] = {}
        for name, spec in cls.__dataclass_fields__.items():
            variable = spec.metadata["env"]
            raw = source.get(variable, "").strip()
            if raw:
                values[name] = _parse(variable, raw, spec.type, spec.metadata)
        data_dir = Path(str(values.get("data_dir", cls.__dataclass_fields__["data_dir"].default)))
        values["data_dir"] = data_dir.absolute()
        secrets_dir = values.get("secrets_dir", data_dir / "secrets")
        assert isinstance(secrets_dir, Path)
        values["secrets_dir"] = secrets_dir.absolute()
        settings = cls(**values)  # type: ignore[arg-type]
        _check_together(settings)
        return settings


def _parse(variable: str, raw: str, kind: object, metadata: Mapping[str, object]) -> object:
    if kind == "int":
        bounds = metadata["range"]
        assert isinstance(bounds, tuple), variable
        low, high = bounds
        # str.isdecimal accepts digits of every script; a setting is written in ASCII.
        if not (raw.isascii() and raw.isdecimal() and len(raw) <= 10 and low <= int(raw) <= high):
            raise SettingsError(
                variable, raw, f"a whole number from {low} to {high}", f" {low} 到 {high} 之间的整数"
            )
        return int(raw)
    if kind == "Mode":
        choices: tuple[str, ...] = tuple(Mode)
        return Mode(_choice(variable, raw, choices))
    if kind == "Path":
        if "\0" in raw:
            raise SettingsError(variable, raw, "a path without NUL", "不含空字符的路径")
        return Path(raw)
    if "choices" in metadata:
        return _choice(variable, raw, metadata["choices"])  # type: ignore[arg-type]
    if variable.endswith("_URL"):
        _check_url(variable, raw)
    return raw


def _choice(variable: str, raw: str, choices: tuple[str, ...]) -> str:
    if raw not in choices:
        raise SettingsError(variable, raw, "one of " + ", ".join(choices), "下列之一：" + "、".join(choices))
    return raw


def _check_url(variable: str, raw: str) -> None:
    schemes = _REDIS_SCHEMES if variable == "REDIS_URL" else _POSTGRES_SCHEMES
    scheme = urlsplit(raw).scheme
    if scheme not in schemes:
        example = (
            "redis://host:6379/0"
            if variable == "REDIS_URL"
            else "postgresql://user:password@host:5432/hongbao"
        )
        # The value may hold a password: show the scheme alone.
        raise SettingsError(
            variable, f"{scheme}:...", f"an address such as {example}", f"地址，例如 {example}"
        )


def _check_together(settings: Settings) -> None:
    if (settings.database_url is None) != (settings.redis_url is None):
        variable = "DATABASE_URL" if settings.database_url is None else "REDIS_URL"
        raise SettingsError(
            variable,
            "",
            "it together with the other one, or leave DATABASE_URL and REDIS_URL both unset for the embedded engines",
            "与另一个同时设置，或两者（DATABASE_URL、REDIS_URL）都不设而使用内置引擎",
        )
    if settings.database_url is None:
        for variable, value in (
            ("DATABASE_OWNER_URL", settings.database_owner_url),
            ("DATABASE_SWEEPER_URL", settings.database_sweeper_url),
        ):
            if value is not None:
                raise SettingsError(
                    variable,
                    "...",
                    "DATABASE_URL too, or leave this one unset",
                    "时同时设置 DATABASE_URL，或不设此项",
                )
    if settings.pool_min_connections > settings.pool_max_connections:
        raise SettingsError(
            "HONGBAO_POOL_MIN_CONNECTIONS",
            str(settings.pool_min_connections),
            f"a number not above HONGBAO_POOL_MAX_CONNECTIONS ({settings.pool_max_connections})",
            f"不大于 HONGBAO_POOL_MAX_CONNECTIONS（{settings.pool_max_connections}）的数",
        )
