"""A draw's published files as a folder that anyone may verify with `python -m lottery`."""

import asyncio
import secrets
from pathlib import Path
from uuid import UUID

from campaigns.domain.errors import Broken, Refused, not_found
from campaigns.services.context import Context
from campaigns.services.draw_answer import SKIPS
from campaigns.store import draws as store
from campaigns.store.awards import skips_csv
from lottery.directory import DirectoryError, round_folder, write_round

MOST_DETAIL = 300


async def export_draw(ctx: Context, draw_id: UUID, path: Path) -> Path:
    """Write the draw's files below ``path`` as ``{draw name}/r{round}`` and answer that folder.

    Publishing again what is there is no effect; `skips.csv`, which grows, is written anew each time. Raises Refused
    ``not_found``, ``draw_not_published`` before the freeze; `lottery.directory.DirectoryError` from the disk.
    """
    async with ctx.pool.acquire() as connection:
        draw = await store.find_draw(connection, draw_id)
        if draw is None:
            raise not_found("draw")
        files = await store.draw_files(connection, draw_id)
        skips = await skips_csv(connection, draw_id) if draw.state == "awarded" else None
    if not files:
        raise Refused("draw_not_published")
    base = path / draw.name
    folder = await asyncio.to_thread(write_round, base, draw.round, files)
    assert folder == round_folder(base, draw.round)
    if skips is not None:
        await asyncio.to_thread(_replace, folder / SKIPS, skips)
    return folder


async def publish_folder(ctx: Context, draw_id: UUID) -> None:
    """Write the folder after each step of the draw, where the installation keeps one.

    Raises Broken ``draw_folder_failed`` when the disk refuses: the step itself is done, and the same request key
    writes the folder again.
    """
    if ctx.draws_dir is None:
        return
    try:
        await export_draw(ctx, draw_id, ctx.draws_dir)
    except (DirectoryError, OSError) as error:
        raise Broken("draw_folder_failed", detail=str(error)[:MOST_DETAIL]) from error


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    partial.write_bytes(content)
    partial.replace(path)
