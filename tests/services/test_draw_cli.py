"""`hongbao draw`: the ceremony as an office runs it, on the test's own database."""

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec
from click.testing import CliRunner, Result

from api.cli.draw import draw
from campaigns.services.clock import set_clock
from campaigns.services.context import Context
from campaigns.services.draw_answer import show_draw
from lottery.core.sources import parse_beacon_spec
from lottery.rehearsal import rehearsal_round
from lottery.verification import verify_directory
from tests.support.campaign_files import ZONE
from tests.support.draw_world import open_draw


async def run(*arguments: str) -> Result:
    command = [*arguments[:1], "test-draw", *arguments[1:], "--as", "test-draw"]
    return await asyncio.to_thread(CliRunner().invoke, draw, command)


async def done(*arguments: str) -> str:
    result = await run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


async def test_the_ceremony_from_the_command_line(
    ctx: Context, owner: asyncpg.Connection, environment: Path, tmp_path: Path
) -> None:
    world = await open_draw(ctx, kinds=("office", "notary", "rehearsal"))
    await world.enter(await world.people(40), ticked=40)
    await set_clock(ctx, world.times[1])
    assert "open" in await done("status")
    assert "commit.json" in await done("freeze")
    folder = environment / "draws" / "test-draw-r1" / "r1"
    assert (folder / "commit.json").exists() and not (folder / "result.json").exists()
    shown = await done("reveal")
    [due, *_] = [s.due for s in (await show_draw(ctx, await world.draw_id())).sources]
    assert due.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") in shown  # the campaign's zone, not UTC
    [value] = [line for line in shown.splitlines() if line.startswith("1 office = ")]
    assert len(value) == len("1 office = ") + 64  # whole, however narrow the terminal
    await done("record", "notary", "31,07,22,18")
    await set_clock(ctx, world.times[1] + timedelta(hours=4))
    [spec] = [s.spec for s in (await show_draw(ctx, await world.draw_id())).sources if s.kind == "rehearsal"]
    beacon = rehearsal_round(parse_beacon_spec(spec)[1])
    assert f"round 轮次 {beacon.round} " in await done("status")
    file = tmp_path / "round.json"
    file.write_bytes(msgspec.json.encode({"round": beacon.round, "signature": beacon.signature}))
    await done("beacon", "--file", str(file))
    assert "awarded" in await done("run")
    assert "awarded" in await done("run")
    assert verify_directory(folder, allow_rehearsal=True) == []
    assert await owner.fetchval("SELECT count(*) FROM voucher") == 15
    await done("export", "--to", str(tmp_path / "elsewhere"))
    assert verify_directory(tmp_path / "elsewhere" / "test-draw-r1" / "r1", allow_rehearsal=True) == []


async def test_a_refusal_is_told(ctx: Context, environment: Path) -> None:
    await open_draw(ctx)
    result = await run("freeze")
    assert result.exit_code == 1 and getattr(result.exception, "code", "") == "registration_still_open"
    assert (await run("beacon")).exit_code == 2
