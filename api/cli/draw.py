"""`hongbao draw freeze | reveal | record | beacon | run | export | status`: the ceremony from the office's desk."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table

from api.desk import as_staff
from campaigns.domain.codes.words import said
from campaigns.domain.principal import Principal
from campaigns.domain.windows import local_text, zone_of
from campaigns.services.accepting import grant_ticked
from campaigns.services.awarding import award_draw
from campaigns.services.campaign_views import campaign_details
from campaigns.services.ceremony import (
    RecordBeacon,
    RecordValue,
    make_draw,
    record_beacon,
    record_value,
    rehearse_beacon,
    reveal_office,
)
from campaigns.services.context import Context
from campaigns.services.draw_answer import DrawAnswer, show_draw
from campaigns.services.draw_campaign import draw_of_code
from campaigns.services.exporting import export_draw, publish_folder
from campaigns.services.freezing import FreezeDraw, freeze_draw
from lottery.beacon import read_round
from lottery.core.errors import LotteryError
from lottery.core.sources import parse_beacon_spec

Step = Callable[
    [Context, Principal, UUID, UUID], Awaitable[DrawAnswer]
]  # with the campaign's and the draw's id

_campaign = click.argument("campaign")
_staff = click.option(
    "--as", "login", required=True, metavar="LOGIN", help="Who acts: a login with role draw. 操作人员登录名。"
)


@click.group()
def draw() -> None:
    """The public draw of a campaign (by its code). 公开抽签。"""


@draw.command()
@_campaign
@_staff
@click.option("--delay-minutes", default=0, help="Move every source's due time. 顺延分钟数。")
@click.option("--ssq-issue", help="Issue of the state lottery, seven digits. 双色球期号。")
def freeze(campaign: str, login: str, delay_minutes: int, ssq_issue: str | None) -> None:
    """Close entries and publish the commitment to the list. 截止报名并公布名单承诺。"""
    if not 0 <= delay_minutes <= 43_200:
        raise click.BadParameter("须在 0 至 43200 之间。 It is 0 to 43200.", param_hint="--delay-minutes")
    command = FreezeDraw(delay_minutes=delay_minutes, ssq_issue=ssq_issue)

    async def step(ctx: Context, caller: Principal, campaign_id: UUID, draw_id: UUID) -> DrawAnswer:
        return await freeze_draw(ctx, caller, None, campaign_id, command)

    _act(campaign, login, step)


@draw.command()
@_campaign
@_staff
def reveal(campaign: str, login: str) -> None:
    """Reveal the office's secret. 公布单位密钥。"""

    async def step(ctx: Context, caller: Principal, campaign_id: UUID, draw_id: UUID) -> DrawAnswer:
        return await reveal_office(ctx, caller, None, draw_id)

    _act(campaign, login, step)


@draw.command()
@_campaign
@click.argument("source", type=click.Choice(["ssq", "notary"]))
@click.argument("value")
@_staff
def record(campaign: str, source: str, value: str, login: str) -> None:
    """Record the VALUE of a SOURCE: the state lottery's or the notary's numbers. 登记双色球或公证号码。"""
    command = RecordValue(source="ssq" if source == "ssq" else "notary", value=value)

    async def step(ctx: Context, caller: Principal, campaign_id: UUID, draw_id: UUID) -> DrawAnswer:
        return await record_value(ctx, caller, None, draw_id, command)

    _act(campaign, login, step)


@draw.command()
@_campaign
@_staff
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A drand round as JSON. 信标文件。",
)
@click.option("--rehearse", is_flag=True, help="Use the rehearsal beacon (demo and test). 使用演练信标。")
def beacon(campaign: str, login: str, file: Path | None, rehearse: bool) -> None:
    """Record the beacon's committed round, if it verifies. 登记随机信标。"""
    if rehearse == (file is not None):
        raise click.UsageError("--file 与 --rehearse 须且只能给出一个。 Give either --file or --rehearse.")

    async def step(ctx: Context, caller: Principal, campaign_id: UUID, draw_id: UUID) -> DrawAnswer:
        if file is None:
            return await rehearse_beacon(ctx, caller, None, draw_id)
        found = await asyncio.to_thread(read_round, file)
        command = RecordBeacon(round=found.round, signature=found.signature, randomness=found.randomness)
        return await record_beacon(ctx, caller, None, draw_id, command)

    _act(campaign, login, step)


@draw.command()
@_campaign
@_staff
def run(campaign: str, login: str) -> None:
    """Draw, award and publish; run again, it goes on where it stopped. 抽签、发奖并公布，可重复运行。"""

    async def step(ctx: Context, caller: Principal, campaign_id: UUID, draw_id: UUID) -> DrawAnswer:
        answer = await show_draw(ctx, draw_id)
        if answer.state in ("open", "frozen"):
            answer = await make_draw(ctx, caller, None, draw_id)
        if answer.state == "drawn":
            answer = await award_draw(ctx, caller, None, draw_id)
        else:
            await grant_ticked(ctx, caller.programme_id, campaign_id)
            await publish_folder(ctx, draw_id)
        return answer

    _act(campaign, login, step)


@draw.command()
@_campaign
@_staff
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), help="Folder to write below. 目标目录。"
)
def export(campaign: str, login: str, to: Path | None) -> None:
    """Write the published files to a folder. 导出公布文件。"""

    async def step(ctx: Context, caller: Principal, campaign_id: UUID, draw_id: UUID) -> DrawAnswer:
        assert ctx.draws_dir is not None
        click.echo(str(await export_draw(ctx, draw_id, to or ctx.draws_dir)))
        return await show_draw(ctx, draw_id)

    _act(campaign, login, step)


@draw.command()
@_campaign
@_staff
def status(campaign: str, login: str) -> None:
    """State, sources and files of the draw. 查看抽签状态。"""

    async def step(ctx: Context, caller: Principal, campaign_id: UUID, draw_id: UUID) -> DrawAnswer:
        return await show_draw(ctx, draw_id)

    _act(campaign, login, step)


def _act(code: str, login: str, step: Step) -> None:
    async def run_step(ctx: Context, caller: Principal) -> tuple[DrawAnswer, str]:
        campaign_id, draw_id = await draw_of_code(ctx, caller, code)
        answer = await step(ctx, caller, campaign_id, draw_id)
        return answer, (await campaign_details(ctx, caller, campaign_id)).time_zone

    try:
        answer, time_zone = as_staff(login, run_step)
    except LotteryError as error:
        raise click.ClickException(str(error)) from None
    show(answer, time_zone, Console())


def show(answer: DrawAnswer, time_zone: str, console: Console) -> None:
    """Print a draw, its times in the campaign's zone and every value whole."""
    zone = zone_of(time_zone)
    state = said("state", answer.state, "zh")
    console.print(f"{answer.name}  {state} {answer.state}  {answer.draw_id}  ({time_zone})", soft_wrap=True)
    if answer.seed is not None:
        console.print(f"seed 种子 {answer.seed}", soft_wrap=True)
    table = Table("#", "source 随机源", "due 时限", "received 收到")
    for source in answer.sources:
        received = "" if source.received_at is None else local_text(source.received_at, zone)
        kind = f"{source.kind} {said('source', source.kind, 'zh')}"
        table.add_row(str(source.number), kind, local_text(source.due, zone), received)
    console.print(table)
    for source in answer.sources:
        if source.spec and answer.state != "open":  # the freeze fixes the round
            chain, round_number = parse_beacon_spec(source.spec)
            console.print(
                f"{source.number} {source.kind} round 轮次 {round_number}  chain {chain}", soft_wrap=True
            )
        if source.value:
            console.print(f"{source.number} {source.kind} = {source.value}", soft_wrap=True)
    for file in answer.files:
        console.print(f"{file.size_bytes:>12,}  {file.name}")


commands = (draw,)
