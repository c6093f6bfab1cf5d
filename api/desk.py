"""How a command of the office acts: the same services as over HTTP, on the database of the settings."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import msgspec

from campaigns.domain.errors import Denied, HongbaoError, Refused
from campaigns.domain.principal import Principal
from campaigns.domain.roles import ROLE_SCOPES
from campaigns.runtime.engines import connect_engines
from campaigns.runtime.settings import Settings
from campaigns.runtime.wiring import context_on, open_context, prepare
from campaigns.services.context import Context
from campaigns.services.programmes import programme_admin
from campaigns.services.staff import staff_principal

T = TypeVar("T")
acting = click.option("--as", "login", required=True, metavar="LOGIN", help="Who acts. 操作人员登录名。")
of_programme = click.option(
    "--programme", required=True, metavar="CODE", help="The programme. 试点方案编号。"
)


def as_staff(login: str, step: Callable[[Context, Principal], Awaitable[T]]) -> T:
    """Run ``step`` as the member of staff behind ``login``."""

    async def act() -> T:
        async with open_context(Settings.from_env()) as ctx:
            caller = await _member(ctx, login)
            try:
                return await step(ctx, caller)
            except Denied as error:
                if error.code != "scope_missing":
                    raise
                raise _role_missing(login, str(error.facts["scope"])) from None

    return _run(act)


async def _member(ctx: Context, login: str) -> Principal:
    try:
        return await staff_principal(ctx, login)
    except Refused:
        raise click.ClickException(
            f"没有在岗的工作人员“{login}”，请用 hongbao staff add 添加。"
            f" No active member of staff has the login {login!r}: add one with `hongbao staff add`. [not_found]"
        ) from None


def _role_missing(login: str, scope: str) -> click.ClickException:
    roles = ", ".join(role for role, scopes in ROLE_SCOPES.items() if scope in scopes)
    return click.ClickException(
        f"“{login}”没有“{scope}”权限，须由具有以下角色的人办理：{roles}。"
        f" {login!r} may not do this ({scope}): it takes somebody with the role {roles}. [scope_missing]"
    )


def as_administrator(programme: str, step: Callable[[Context, Principal], Awaitable[T]]) -> T:
    """Run ``step`` on the database itself, as whoever may log in to this machine: first staff and first keys."""

    async def act() -> T:
        async with open_context(Settings.from_env()) as ctx:
            caller = await programme_admin(ctx, programme)
            if caller is None:
                raise click.ClickException(
                    f"没有试点方案“{programme}”，请先用 hongbao programme init 建立。"
                    f" There is no programme {programme!r}: make it with `hongbao programme init`."
                )
            return await step(ctx, caller)

    return _run(act)


def on_fresh_database(step: Callable[[Context], Awaitable[T]]) -> T:
    """Run ``step`` on a database that may be empty: its schema is made first."""

    async def act() -> T:
        settings = Settings.from_env()
        engines = await connect_engines(settings)
        try:
            await prepare(engines, settings)
            async with context_on(engines, settings) as ctx:
                return await step(ctx)
        finally:
            engines.close()

    return _run(act)


def _run(act: Callable[[], Awaitable[T]]) -> T:
    async def main() -> T:
        return await act()

    with telling():
        return asyncio.run(main())


@contextmanager
def telling() -> Iterator[None]:
    """Print every problem of an error that carries many; the command's frame then says the error itself."""
    try:
        yield
    except HongbaoError as error:
        for problem in problems_of(error):
            click.echo(f"{problem['line']}: {problem['zh']} {problem['en']} [{problem['code']}]", err=True)
        raise


def problems_of(error: HongbaoError) -> list[dict[str, Any]]:
    """Every problem an error carries, as data; none for an error that is one problem itself."""
    found: list[dict[str, Any]] = msgspec.json.decode(str(error.facts.get("problems", "[]")))
    return found


def show(answer: object) -> None:
    """Print an answer as JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())
