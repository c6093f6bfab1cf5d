"""A draw as everybody may see it: its state, its sources and its published files."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import not_found
from campaigns.services.context import Context
from campaigns.store import draws as store
from campaigns.store.awards import skips_csv
from campaigns.store.pool import Connection

SKIPS = "skips.csv"


class SourceAnswer(Struct, frozen=True, kw_only=True):
    """A source of randomness: what the commitment fixed, and what it gave. ``value`` may be ``missing``."""

    number: int
    kind: str
    spec: str
    due: datetime
    value: str | None
    received_at: datetime | None


class FileAnswer(Struct, frozen=True, kw_only=True):
    """A published file and its size."""

    name: str
    size_bytes: int


class DrawAnswer(Struct, frozen=True, kw_only=True):
    """A draw: ``state`` is open, frozen, drawn or awarded; ``seed`` is 64 hex characters."""

    draw_id: UUID
    campaign_id: UUID
    name: str
    round: int
    state: str
    committed_at: datetime | None
    drawn_at: datetime | None
    seed: str | None
    sources: tuple[SourceAnswer, ...]
    files: tuple[FileAnswer, ...]


async def draw_answer(connection: Connection, draw_id: UUID) -> DrawAnswer:
    """The draw as it stands in this transaction. Raises Refused ``not_found``."""
    draw = await store.find_draw(connection, draw_id)
    if draw is None:
        raise not_found("draw")
    sizes = await store.file_sizes(connection, draw_id)
    return DrawAnswer(
        draw_id=draw.id,
        campaign_id=draw.campaign_id,
        name=draw.name,
        round=draw.round,
        state=draw.state,
        committed_at=draw.committed_at,
        drawn_at=draw.drawn_at,
        seed=draw.seed.hex() if draw.seed else None,
        sources=tuple(
            SourceAnswer(
                number=s.number, kind=s.kind, spec=s.spec, due=s.due, value=s.value, received_at=s.received_at
            )
            for s in await store.draw_sources(connection, draw_id)
        ),
        files=tuple(FileAnswer(name=name, size_bytes=size) for name, size in sizes.items()),
    )


async def show_draw(ctx: Context, draw_id: UUID) -> DrawAnswer:
    """A draw, public. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        return await draw_answer(connection, draw_id)


async def show_campaign_draw(ctx: Context, campaign_id: UUID) -> DrawAnswer:
    """The draw of a campaign, public. Raises Refused ``not_found`` while there is none."""
    async with ctx.pool.acquire() as connection:
        draw = await store.draw_of_campaign(connection, campaign_id)
        if draw is None:
            raise not_found("draw")
        return await draw_answer(connection, draw.id)


async def read_draw_file(ctx: Context, draw_id: UUID, name: str) -> bytes:
    """A published file; `skips.csv` is what stands in it now. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        if name == SKIPS:
            draw = await store.find_draw(connection, draw_id)
            if draw is None or draw.state != "awarded":
                raise not_found("file")
            return await skips_csv(connection, draw_id)
        content = await store.draw_file(connection, draw_id, name)
    if content is None:
        raise not_found("file")
    return content
