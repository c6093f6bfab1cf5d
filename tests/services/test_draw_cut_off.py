"""A server killed in the middle of a freeze, draw or publication: nothing of it stays, and running again works."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from campaigns.domain.errors import Broken
from campaigns.services import awarding, ceremony, freezing
from campaigns.services.awarding import award_draw
from campaigns.services.ceremony import make_draw, rehearse_beacon
from campaigns.services.clock import set_clock
from campaigns.services.context import Context
from campaigns.services.exporting import export_draw
from campaigns.services.freezing import FreezeDraw, freeze_draw
from campaigns.services.sweeping import sweep
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import request
from lottery.verification import verify_directory
from tests.support.draw_world import DrawWorld, open_draw

TABLES = ("draw", "draw_source", "draw_file", "entry", "award", "turn", "waitlist", "skip", "allotment", "voucher",
          "transfer", "audit", "campaign")  # fmt: skip


async def rows(owner: asyncpg.Connection) -> list[tuple[object, ...]]:
    return [(t, *row) for t in TABLES for row in await owner.fetch(f"SELECT * FROM {t} ORDER BY 1, 2, 3")]


async def cut_off(
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    function: str,
    act: Callable[[], Awaitable[object]],
) -> None:
    """Kill the backend where ``act`` calls ``function`` of the store, and see every row as it was before."""
    before = await rows(owner)

    async def killed(connection: Connection, *_: object, **__: object) -> None:
        await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patch:
        patch.setattr(module, function, killed)
        with pytest.raises(
            (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.AdminShutdownError, OSError)
        ):
            await act()
    assert await rows(owner) == before


async def test_each_step_is_whole_or_nothing(
    ctx: Context, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world: DrawWorld = await open_draw(ctx)
    people = await world.people(40)
    await world.enter(people, ticked=40)
    await owner.execute("DELETE FROM person_proof WHERE person_id = $1", people[0])
    drawer = world.office.drawer
    await set_clock(ctx, world.times[1])

    async def freeze() -> object:
        return await freeze_draw(ctx, drawer, None, world.campaign_id, FreezeDraw())

    for function in ("insert_files", "set_state"):
        await cut_off(owner, monkeypatch, freezing.store, function, freeze)
    await freeze()
    draw_id = await world.draw_id()
    await set_clock(ctx, world.times[1] + timedelta(hours=2))
    await rehearse_beacon(ctx, drawer, None, draw_id)

    async def draw() -> object:
        return await make_draw(ctx, drawer, None, draw_id)

    for function in ("insert_files", "set_state"):
        await cut_off(owner, monkeypatch, ceremony.store, function, draw)
    await draw()

    async def award() -> object:
        return await award_draw(ctx, drawer, None, draw_id)

    for function in ("insert_awards", "insert_waitlist", "insert_skips"):
        await cut_off(owner, monkeypatch, awarding.store, function, award)
    await award()
    assert verify_directory(await export_draw(ctx, draw_id, tmp_path), allow_rehearsal=True) == []
    assert await owner.fetchval("SELECT count(*) FROM voucher") == 15


async def test_the_servers_sweep_moves_awards(ctx: Context, owner: asyncpg.Connection) -> None:
    world = await open_draw(ctx)
    await world.enter(await world.people(40))
    await world.award()
    assert (await sweep(ctx)).awards == 0
    await set_clock(ctx, await owner.fetchval("SELECT min(accept_until) FROM award"))
    assert (await sweep(ctx)).awards == 15
    await set_clock(ctx, world.times[3])
    assert (await sweep(ctx)).awards == 10


async def test_a_folder_that_cannot_be_written_is_written_by_the_same_key(
    ctx: Context, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    world = await open_draw(ctx)
    await world.enter(await world.people(5))
    await set_clock(ctx, world.times[1])
    blocked = tmp_path / "draws"
    blocked.write_text("a file where the folder should be")
    kept = replace(ctx, draws_dir=blocked)
    asked = request(world.office.drawer.id, "freeze-1", "freeze", None)
    with pytest.raises(Broken, match="draw_folder_failed"):
        await freeze_draw(kept, world.office.drawer, asked, world.campaign_id, FreezeDraw())
    assert await owner.fetchval("SELECT state FROM draw") == "frozen"
    blocked.unlink()
    await freeze_draw(kept, world.office.drawer, asked, world.campaign_id, FreezeDraw())
    assert len(list((blocked / "test-draw-r1" / "r1").iterdir())) == 5
