"""Programmes, their units and operators. A programme is made on the database itself, by the command line."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal, system
from campaigns.domain.roles import require, scopes_of
from campaigns.services.context import Context
from campaigns.services.fields import Code, Name, Names
from campaigns.services.paging import Page, PageQuery, after_id, page_of
from campaigns.store import programmes as store
from campaigns.store.audit_log import write_audit
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform

ProofKind = Literal["phone", "id_number", "social_card"]
Login = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._@-]*$(?!\n)")]


class InitProgramme(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A programme with its office and the office's first administrator.

    ``identifying_kind`` is the kind of proof that tells residents apart.
    """

    code: Code
    name: Names
    office: Names
    login: Login
    staff_name: Name
    identifying_kind: ProofKind = "phone"


class ProgrammeMade(Struct, frozen=True, kw_only=True):
    """Ids of what `init_programme` made."""

    programme_id: UUID
    unit_id: UUID
    staff_id: UUID


class NamedCommand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A unit or an operator to add."""

    code: Code
    name: Names


class NamedAnswer(Struct, frozen=True, kw_only=True):
    """A unit or an operator."""

    id: UUID
    code: str
    name: Names


async def init_programme(ctx: Context, command: InitProgramme) -> ProgrammeMade:
    """Make a programme. Raises Refused ``code_taken`` for a programme code or login in use."""
    made = ProgrammeMade(programme_id=new_id(), unit_id=new_id(), staff_id=new_id())

    async def act(connection: Connection) -> ProgrammeMade:
        at = await campaign_now(connection)
        name, office, programme_id = command.name, command.office, made.programme_id
        await store.insert_programme(
            connection, programme_id, command.code, name.zh, name.en, command.identifying_kind, at
        )
        await store.insert_named(
            connection, "unit", made.unit_id, programme_id, "office", office.zh, office.en
        )
        await store.insert_staff(
            connection, made.staff_id, programme_id, made.unit_id, command.login, command.staff_name,
            ["admin"], at,
        )  # fmt: skip
        await write_audit(
            connection, at, None, system(programme_id), "programme.init", programme_id,
            {"code": command.code, "staff": str(made.staff_id)},
        )  # fmt: skip
        return made

    return await perform(ctx.pool, None, Work(ProgrammeMade, act))


async def programme_admin(ctx: Context, code: str) -> Principal | None:
    """The system as administrator of a programme, for the command line; None when there is no such programme."""
    async with ctx.pool.acquire() as connection:
        row = await store.programme_by_code(connection, code)
    if row is None:
        return None
    caller = system(row["id"])
    return Principal(caller.kind, caller.id, row["id"], scopes_of(["admin", "officer"]))


async def add_unit(
    ctx: Context, principal: Principal, asked: Request | None, command: NamedCommand
) -> NamedAnswer:
    """Add a unit to the caller's programme. Raises Refused ``code_taken``."""
    return await _add(ctx, principal, asked, "unit", command)


async def add_operator(
    ctx: Context, principal: Principal, asked: Request | None, command: NamedCommand
) -> NamedAnswer:
    """Add an operating institution. Raises Refused ``code_taken``."""
    return await _add(ctx, principal, asked, "operator", command)


async def _add(
    ctx: Context, principal: Principal, asked: Request | None, table: str, command: NamedCommand
) -> NamedAnswer:
    require(principal, "programme.write")
    made = NamedAnswer(id=new_id(), code=command.code, name=command.name)

    async def act(connection: Connection) -> NamedAnswer:
        at = await campaign_now(connection)
        await store.insert_named(
            connection, table, made.id, principal.programme_id, command.code, command.name.zh, command.name.en
        )
        await write_audit(connection, at, None, principal, f"{table}.add", made.id, {"code": command.code})
        return made

    return await perform(ctx.pool, asked, Work(NamedAnswer, act))


async def list_units(ctx: Context, principal: Principal, query: PageQuery) -> Page[NamedAnswer]:
    """The programme's units in the order they were made."""
    return await _list(ctx, principal, query, "unit")


async def list_operators(ctx: Context, principal: Principal, query: PageQuery) -> Page[NamedAnswer]:
    """The programme's operators in the order they were made."""
    return await _list(ctx, principal, query, "operator")


async def _list(ctx: Context, principal: Principal, query: PageQuery, table: str) -> Page[NamedAnswer]:
    async with ctx.pool.acquire() as connection:
        rows = await store.named_page(
            connection, table, principal.programme_id, after_id(query), query.limit + 1
        )
    found = [
        NamedAnswer(id=row["id"], code=row["code"], name=Names(zh=row["name_zh"], en=row["name_en"]))
        for row in rows
    ]
    return page_of(found, query, lambda answer: answer.id)
