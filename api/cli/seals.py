"""`hongbao seals`: the heads to publish, and the verification of all blocks or of those after a head that was noted."""

import asyncio
import re

import click
import msgspec

from api.default_group import DefaultGroup
from campaigns.domain.seals import NO_HEAD
from campaigns.runtime.settings import Settings
from campaigns.runtime.wiring import open_context
from campaigns.services.seals import Head, heads, seal_rows
from campaigns.services.seals import verify as verify_blocks
from campaigns.store.seal_checks import SealCheck

EXIT_VIOLATED = 1
MOST_HEADS = 1_000
_NOTED = re.compile(r"(?P<block>[1-9][0-9]{0,9}):(?P<head>[0-9a-fA-F]{64})")


@click.group(cls=DefaultGroup, default="list")
def seals() -> None:
    """Seals over the books: their heads to publish, and their verification. 账目封存。"""


@seals.command(name="list")
@click.option(
    "--limit", type=click.IntRange(1, MOST_HEADS), default=1, show_default=True, help="How many. 条数。"
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON. 以 JSON 输出。")
def list_heads(limit: int, as_json: bool) -> None:
    """Seal what is new and print the newest heads. 封存新账目并显示最新封存值。

    Note a head outside this machine (in print, in a paper, by a second office): whoever then changes a sealed row, and
    all seals after it, ends at another head.
    """
    found = asyncio.run(_heads(limit))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for one in found:
        click.echo(f"{one.block}:{one.head}  {one.sealed_at:%Y-%m-%dT%H:%M:%SZ}  rows 行 {one.rows:,}")
    if not found:
        click.echo("尚无封存。 Nothing is sealed yet.")


@seals.command()
@click.option(
    "--head",
    "noted",
    metavar="BLOCK:HEX",
    help="A head that was noted: the blocks after it are verified. 曾公布的封存值。",
)
def verify(noted: str | None) -> None:
    """Verify every sealed row and block, or with --head those after it. 校验封存。

    Without --head all blocks are verified; with it also that the block still ends in that head. Exits 1 when anything
    is wrong and names the rows.
    """
    since, known = _noted(noted)
    check = asyncio.run(_verify(since, known))
    for one in check.findings:
        click.echo(f"{one.subject} {one.id}: {one.what} (block 区块 {one.block})")
    head = f"  head 封存值 {check.number}:{check.head.hex()}" if check.head != NO_HEAD else ""
    click.echo(f"rows 行 {check.rows:,}  findings 不符 {len(check.findings)}{head}")
    if check.findings:
        raise SystemExit(EXIT_VIOLATED)


def _noted(noted: str | None) -> tuple[int, bytes | None]:
    if noted is None:
        return 0, None
    found = _NOTED.fullmatch(noted)
    if found is None:
        raise click.BadParameter(
            "格式为 区块号:64位十六进制。 It is BLOCK:HEX as `hongbao seals` prints it.", param_hint="--head"
        )
    return int(found["block"]), bytes.fromhex(found["head"])


async def _heads(limit: int) -> tuple[Head, ...]:
    async with open_context(Settings.from_env()) as ctx:
        await seal_rows(ctx)
        return await heads(ctx, limit)


async def _verify(since: int, known: bytes | None) -> SealCheck:
    async with open_context(Settings.from_env()) as ctx:
        return await verify_blocks(ctx, since, known)


commands = (seals,)
