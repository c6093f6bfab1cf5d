"""`hongbao campaign create ... close`: the life of a campaign from the office's desk, through the same services as HTTP."""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import click
import msgspec

from api.desk import acting, as_staff, show, telling
from campaigns.domain.list_csv import read_list
from campaigns.domain.money import parse_yuan
from campaigns.domain.principal import Principal
from campaigns.services.campaign_source import CampaignSource
from campaigns.services.campaign_views import CampaignQuery, campaign_id_of, list_campaigns
from campaigns.services.campaigns import (
    approve_campaign,
    create_campaign,
    revise_campaign,
    submit_campaign,
    withdraw_campaign,
)
from campaigns.services.closing import close_campaign
from campaigns.services.context import Context
from campaigns.services.funding import Fund, campaign_funding, fund_campaign, fund_whole_plan
from campaigns.services.list_issue import MAX_ROWS, Issued, IssueList, ListRow, issue_list
from campaigns.services.paging import MOST_LIMIT
from campaigns.services.problems import LineProblem, lines_invalid
from campaigns.services.publishing import pause_campaign, publish_campaign, resume_campaign
from campaigns.services.terms_change import approve_terms, propose_terms, proposed_terms
from campaigns.store.unit_of_work import Request, request

Verb = Callable[[Context, Principal, Request | None, UUID], Awaitable[object]]

_code = click.argument("code")
_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def campaign() -> None:
    """Campaigns, from the file to the closed books. 活动。"""


@campaign.command()
@_file
@acting
def create(file: Path, login: str) -> None:
    """Make a draft from FILE. 由活动文件建立草稿。"""
    source = _source(file)
    show(as_staff(login, lambda ctx, caller: create_campaign(ctx, caller, None, source)))


@campaign.command()
@_code
@_file
@acting
def revise(code: str, file: Path, login: str) -> None:
    """Replace the file of the draft CODE. 修改草稿。"""
    source = _source(file)
    _act(code, login, lambda ctx, caller, asked, id_: revise_campaign(ctx, caller, asked, id_, source))


def _verb(name: str, verb: Verb, help_text: str) -> None:
    @campaign.command(name=name, help=help_text)
    @_code
    @acting
    def command(code: str, login: str) -> None:
        _act(code, login, verb)


_verb("submit", submit_campaign, "Hand the draft CODE in for approval. 提交审批。")
_verb("withdraw", withdraw_campaign, "Take CODE back to draft. 撤回。")
_verb("approve", approve_campaign, "Approve CODE, which somebody else wrote. 审批。")
_verb("publish", publish_campaign, "Open CODE to residents. 发布。")
_verb("pause", pause_campaign, "Stop CODE for a while. 暂停。")
_verb("resume", resume_campaign, "Let CODE go on. 恢复。")
_verb("close", close_campaign, "Close CODE and give back what is left. 关闭并退回余款。")


@campaign.command()
@_code
@acting
@click.option("--funder", help="Who paid. 出资方。")
@click.option("--operator", help="Where the money lies. 存管机构。")
@click.option("--yuan", help="How much, e.g. 1,234.50. 金额（元）。")
@click.option("--whole-plan", is_flag=True, help="All that the plan still lacks. 按计划全部入账。")
def fund(
    code: str, login: str, funder: str | None, operator: str | None, yuan: str | None, whole_plan: bool
) -> None:
    """Book money that has come for CODE. 资金入账。"""
    if whole_plan:
        _act(code, login, fund_whole_plan)
        return
    if funder is None or operator is None or yuan is None:
        raise click.UsageError(
            "请同时给出 --funder、--operator 和 --yuan，或只给 --whole-plan。"
            " Give --funder, --operator and --yuan, or --whole-plan."
        )
    try:
        amount_fen = parse_yuan(yuan)
    except ValueError:
        raise click.BadParameter(
            f"“{yuan}”不是金额，请写如 1234.50。 {yuan!r} is no amount: write e.g. 1234.50.",
            param_hint="--yuan",
        ) from None
    command = Fund(funder=funder, operator=operator, amount_fen=amount_fen)
    _act(code, login, lambda ctx, caller, asked, id_: fund_campaign(ctx, caller, asked, id_, command))


@campaign.command()
@_code
@acting
def funding(code: str, login: str) -> None:
    """Print what is planned for CODE and what has come. 查看资金到位情况。"""
    _act(code, login, lambda ctx, caller, _, id_: campaign_funding(ctx, caller, id_))


@campaign.command(name="list")
@acting
def list_all(login: str) -> None:
    """Print the programme's campaigns. 列出活动。"""
    query = CampaignQuery(limit=MOST_LIMIT)
    show(as_staff(login, lambda ctx, caller: list_campaigns(ctx, caller, query)))


@campaign.command(name="propose-terms")
@_code
@_file
@acting
def propose(code: str, file: Path, login: str) -> None:
    """Propose the wider terms of FILE for CODE. 提出放宽规则。"""
    source = _source(file)
    _act(code, login, lambda ctx, caller, asked, id_: propose_terms(ctx, caller, asked, id_, source))


@campaign.command(name="show-terms")
@_code
@click.argument("change", type=click.UUID)
@acting
def show_change(code: str, change: UUID, login: str) -> None:
    """Print the CHANGE of terms that was proposed, to read before it is approved. 查看待审批的规则变更。"""
    _act(code, login, lambda ctx, caller, _, id_: proposed_terms(ctx, caller, id_, change))


@campaign.command(name="approve-terms")
@_code
@click.argument("change", type=click.UUID)
@acting
def approve_change(code: str, change: UUID, login: str) -> None:
    """Approve the CHANGE of terms somebody else proposed. 审批规则变更。"""
    _act(code, login, lambda ctx, caller, asked, id_: approve_terms(ctx, caller, asked, id_, change))


@campaign.command(name="issue-list")
@_code
@_file
@acting
def issue(code: str, file: Path, login: str) -> None:
    """Issue the vouchers of CODE to the persons in the CSV FILE; run again, it goes on where it stopped. 按名单发放。"""
    content = file.read_bytes()
    with telling():
        table = read_list(content)
        if table.problems:
            raise lines_invalid("list_rows_invalid", [LineProblem(*problem) for problem in table.problems])
    try:
        rows = msgspec.convert(table.rows, tuple[ListRow, ...])
    except msgspec.ValidationError as error:
        raise click.ClickException(f"{file}: {error}") from None
    digest = hashlib.sha256(content).hexdigest()[:32]

    async def step(ctx: Context, caller: Principal) -> list[Issued]:
        campaign_id = await campaign_id_of(ctx, caller, code)
        done = []
        for start in range(0, len(rows), MAX_ROWS):
            command = IssueList(rows=rows[start : start + MAX_ROWS], first_line=start + 2)
            asked = request(caller.id, f"list-{digest}-{start}", f"issue-list {campaign_id}", command)
            done.append(await issue_list(ctx, caller, asked, campaign_id, command))
        return done

    done = as_staff(login, step)
    total = sum(part.amount_fen for part in done)
    show({"vouchers": sum(len(part.voucher_ids) for part in done), "amount_fen": total})


def _act(code: str, login: str, verb: Verb) -> None:
    async def step(ctx: Context, caller: Principal) -> object:
        return await verb(ctx, caller, None, await campaign_id_of(ctx, caller, code))

    show(as_staff(login, step))


def _source(file: Path) -> CampaignSource:
    try:
        return CampaignSource(source=file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise click.ClickException(
            f"{file} 不是 UTF-8 文字，详见 hongbao campaign validate。"
            f" {file} is not UTF-8: see `hongbao campaign validate`."
        ) from None


commands = (campaign,)
