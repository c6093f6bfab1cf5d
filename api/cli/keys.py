"""`hongbao key make | revoke | list`: API keys, whose text is printed once."""

from uuid import UUID

import click

from api.desk import as_administrator, of_programme, show
from campaigns.domain.principal import Principal
from campaigns.domain.roles import KIND_SCOPES
from campaigns.services.context import Context
from campaigns.services.keys import KeyMade, MakeKey, list_keys, make_key, revoke_key, subject_of
from campaigns.services.paging import MOST_LIMIT, PageQuery

KINDS = tuple(KIND_SCOPES)


@click.group()
def key() -> None:
    """API keys. 访问密钥。"""


@key.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--label", required=True, help="What it is for. 用途。")
@click.option("--subject", help="Login, code or id of whose it is; none makes a new channel. 归属。")
@click.option("--scope", "scopes", multiple=True, help="A scope; none means all of the kind. 权限。")
@of_programme
def make(kind: str, label: str, subject: str | None, scopes: tuple[str, ...], programme: str) -> None:
    """Make a key and print it, once. 制作密钥。"""

    async def step(ctx: Context, caller: Principal) -> KeyMade:
        chosen = next(known for known in KIND_SCOPES if known == kind)
        subject_id = None if subject is None else await subject_of(ctx, caller, kind, subject)
        command = MakeKey(kind=chosen, label=label, subject_id=subject_id, scopes=scopes)
        return await make_key(ctx, caller, None, command)

    show(as_administrator(programme, step))


@key.command()
@click.argument("key_id", type=click.UUID)
@of_programme
def revoke(key_id: UUID, programme: str) -> None:
    """Stop a key for good. 停用密钥。"""
    show(as_administrator(programme, lambda ctx, caller: revoke_key(ctx, caller, None, key_id)))


@key.command(name="list")
@of_programme
def list_all(programme: str) -> None:
    """Print the keys, without their text. 列出密钥。"""
    query = PageQuery(limit=MOST_LIMIT)
    show(as_administrator(programme, lambda ctx, caller: list_keys(ctx, caller, query)))


commands = (key,)
