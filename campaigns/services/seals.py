"""Seals: making blocks in the background, listing their heads, and holding a head against the one somebody noted."""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from campaigns.domain.errors import Broken, TryAgain
from campaigns.domain.seals import Header, parse_header
from campaigns.services.context import Context
from campaigns.services.paging import Page, PageQuery, before_number, page_of
from campaigns.store.seal_checks import SealCheck, verify_seals
from campaigns.store.seals import Block, SealsBehind, newest_blocks, oldest_unsealed, seal_next

SEAL_SECONDS: Final = 5.0
MAX_BLOCKS_PER_ROUND: Final = 100
VERIFY_TIMEOUT_MS: Final = 600_000
LAST_BLOCK: Final = 2**31 - 1
NUMBERS_BEHIND: Final = "numbers_behind"  # the cause of a standstill that is SealsBehind


class Head(Struct, frozen=True, kw_only=True):
    """The head of a block: what to note outside the database. ``rows`` counts the rows sealed by it."""

    block: int
    head: str
    sealed_at: datetime
    rows: int


class PublicHead(Struct, frozen=True, kw_only=True):
    """The head of a block as anybody may see it; ``sealed_at`` is campaign time."""

    block: int
    head: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    sealed_at: datetime


async def seal_rows(ctx: Context) -> int:
    """Seal what is not sealed yet, at most MAX_BLOCKS_PER_ROUND blocks; one process at a time. Answers how many blocks.

    Raises SealsBehind, Broken ``seal_violated``.
    """
    for number in range(MAX_BLOCKS_PER_ROUND):
        async with ctx.pool.acquire() as connection, connection.transaction():
            block = await seal_next(connection)
        if block is None:
            return number
    return MAX_BLOCKS_PER_ROUND


async def keep_sealing(ctx: Context) -> int:
    """The background's round: as `seal_rows`, but what stops sealing is told in ``ctx.sealing``, and payments go on.

    Raises TryAgain ``busy``.
    """
    await _look(ctx)  # a round that fails has said how old the rows are
    try:
        sealed = await seal_rows(ctx)
    except (Broken, SealsBehind) as error:
        ctx.sealing.ended(error.code if isinstance(error, Broken) else NUMBERS_BEHIND)
        raise TryAgain("busy") from error
    await _look(ctx)
    ctx.sealing.ended()
    return sealed


async def _look(ctx: Context) -> None:
    async with ctx.pool.acquire() as connection:
        ctx.sealing.seen(await oldest_unsealed(connection))


async def heads(ctx: Context, limit: int, before: int = LAST_BLOCK) -> tuple[Head, ...]:
    """The newest heads (below block ``before``), the newest first."""
    async with ctx.pool.acquire() as connection:
        return tuple(_head(block) for block in await newest_blocks(connection, before, limit))


async def public_heads(ctx: Context, query: PageQuery) -> Page[PublicHead]:
    """Heads for anybody, the newest first. Raises Invalid ``query_invalid``."""
    found = await heads(ctx, query.limit + 1, min(before_number(query), LAST_BLOCK))
    items = [PublicHead(block=one.block, head=one.head, sealed_at=one.sealed_at) for one in found]
    return page_of(items, query, lambda one: one.block)


async def verify(ctx: Context, since: int = 0, known: bytes | None = None) -> SealCheck:
    """Verify all blocks, or those after block ``since`` whose head was noted as ``known``."""
    async with (
        ctx.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(f"SET LOCAL statement_timeout = {VERIFY_TIMEOUT_MS}")
        return await verify_seals(connection, since, known)


def _head(block: Block) -> Head:
    header: Header = parse_header(block.header)
    return Head(
        block=block.number,
        head=block.head.hex(),
        sealed_at=datetime.fromisoformat(header.sealed_at),
        rows=sum(seal.rows for seal in header.lists.values()),
    )
