"""`hongbao programme init`, `hongbao staff add | list`, `hongbao operator add`: the office, made on the database itself."""

import click

from api.desk import acting, as_administrator, as_staff, of_programme, on_fresh_database, show
from campaigns.domain.proofs import PROOF_KINDS
from campaigns.domain.roles import ROLES
from campaigns.services.fields import Names
from campaigns.services.paging import MOST_LIMIT, PageQuery
from campaigns.services.programmes import InitProgramme, NamedCommand, add_operator, init_programme
from campaigns.services.staff import AddStaff, add_staff, list_staff

_zh = click.option("--zh", required=True, metavar="NAME", help="Chinese name. 中文名称。")
_en = click.option("--en", required=True, metavar="NAME", help="English name. 英文名称。")


@click.group()
def programme() -> None:
    """Programmes. 试点方案。"""


@programme.command()
@click.argument("code")
@_zh
@_en
@click.option("--login", required=True, help="Login of the first administrator. 首位管理员登录名。")
@click.option("--name", required=True, help="Their name. 姓名。")
@click.option("--office-zh", default="工作专班办公室", help="The office in Chinese. 办公室中文名称。")
@click.option("--office-en", default="Programme office", help="The office in English. 办公室英文名称。")
@click.option(
    "--identifying-kind",
    type=click.Choice(PROOF_KINDS),
    default="phone",
    help="The proof that tells residents apart. 识别市民的证明种类。",
)
def init(
    code: str, zh: str, en: str, login: str, name: str, office_zh: str, office_en: str, identifying_kind: str
) -> None:
    """Make the programme CODE with its office and first administrator. 建立试点方案。"""
    command = InitProgramme(
        code=code,
        name=Names(zh=zh, en=en),
        office=Names(zh=office_zh, en=office_en),
        login=login,
        staff_name=name,
        identifying_kind=next(kind for kind in PROOF_KINDS if kind == identifying_kind),
    )
    show(on_fresh_database(lambda ctx: init_programme(ctx, command)))


@click.group()
def staff() -> None:
    """Staff and their roles. 工作人员。"""


@staff.command()
@click.argument("login")
@click.option("--name", required=True, help="Their name. 姓名。")
@click.option(
    "--role", "roles", type=click.Choice(ROLES), multiple=True, required=True, help="A role. 角色。"
)
@click.option("--unit", default="office", help="Code of their unit. 单位编号。")
@of_programme
def add(login: str, name: str, roles: tuple[str, ...], unit: str, programme: str) -> None:
    """Add the member of staff LOGIN. 添加工作人员。"""
    command = AddStaff(login=login, name=name, roles=roles, unit=unit)
    show(as_administrator(programme, lambda ctx, caller: add_staff(ctx, caller, None, command)))


@staff.command(name="list")
@acting
def list_all(login: str) -> None:
    """Print the programme's staff. 列出工作人员。"""
    query = PageQuery(limit=MOST_LIMIT)
    show(as_staff(login, lambda ctx, caller: list_staff(ctx, caller, query)))


@click.group()
def operator() -> None:
    """Operating institutions. 运营机构。"""


@operator.command(name="add")
@click.argument("code")
@_zh
@_en
@of_programme
def add_one(code: str, zh: str, en: str, programme: str) -> None:
    """Add the operator CODE. 添加运营机构。"""
    command = NamedCommand(code=code, name=Names(zh=zh, en=en))
    show(as_administrator(programme, lambda ctx, caller: add_operator(ctx, caller, None, command)))


commands = (programme, staff, operator)
