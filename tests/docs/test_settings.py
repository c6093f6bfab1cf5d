"""docs/settings.md says what `Settings` reads, and what it reads takes effect."""

import asyncio
from dataclasses import fields, replace

import pytest

from campaigns.runtime.engines import Engines
from campaigns.runtime.settings import Mode, Settings
from campaigns.runtime.wiring import CannotStart, context_on, prepare, prepare_service
from tests.docs.tables import rows


def _shown_range(metadata: dict[str, object]) -> str | None:
    if "range" in metadata:
        low, high = metadata["range"]  # type: ignore[misc]
        return f"{low:,} to {high:,}"
    choices = metadata.get("choices")
    return ", ".join(choices) if isinstance(choices, tuple) else None


def test_the_document_lists_every_variable_with_default_and_range() -> None:
    listed = {row[0]: row for row in rows("settings.md", "variable", "default", "range")}
    assert list(listed) == [field.metadata["env"] for field in fields(Settings)]
    for field in fields(Settings):
        _, default, allowed, meaning = listed[field.metadata["env"]]
        assert default == ("not set" if field.default is None else str(field.default)), field.name
        wanted = _shown_range(dict(field.metadata))
        assert wanted is None or allowed == wanted, field.name
        assert meaning


async def test_connections_are_as_many_as_set(engines: Engines) -> None:
    shared = engines.settings
    await prepare(engines, shared)
    settings = Settings(
        mode=shared.mode,
        data_dir=shared.data_dir,
        secrets_dir=shared.secrets_dir,
        pool_min_connections=3,
        pool_max_connections=4,
        redis_max_connections=1,
    )
    async with context_on(engines, settings) as ctx:
        assert (ctx.pool.raw.get_size(), ctx.pool.raw.get_max_size()) == (3, 4)
        assert all(await asyncio.gather(*(ctx.gate.redis.ping() for _ in range(20))))
        assert len(ctx.gate.redis.connection_pool._available_connections) == 1


async def test_no_command_acts_in_another_mode_than_the_database_was_made_for(engines: Engines) -> None:
    await prepare(engines, engines.settings)
    with pytest.raises(CannotStart, match="made for test mode and this is demo mode: set HONGBAO_MODE=test"):
        async with context_on(engines, replace(engines.settings, mode=Mode.DEMO)):
            raise AssertionError("opened")


async def test_a_role_that_may_not_delete_old_request_keys_is_refused_at_the_start(engines: Engines) -> None:
    await prepare(engines, engines.settings)
    own = replace(
        engines.settings,
        database_url=engines.app_dsn,
        database_owner_url=engines.owner_dsn,
        redis_url=engines.redis_url,
    )
    with pytest.raises(CannotStart, match="may not delete expired request keys"):
        await prepare_service(Engines(own), own)
    fit = replace(own, database_sweeper_url=engines.sweeper_dsn)
    await prepare_service(Engines(fit), fit)
