"""Staff: members of a unit with roles; what a role may do is in domain/roles.py."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from campaigns.domain.errors import Fact, Invalid, Refused, not_found
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.roles import ROLES, require, scopes_of
from campaigns.services.context import Context
from campaigns.services.fields import Code, Name
from campaigns.services.paging import Page, PageQuery, after_id, page_of
from campaigns.services.programmes import Login
from campaigns.store import programmes as store
from campaigns.store.audit_log import write_audit
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform

RoleNames = Annotated[tuple[Code, ...], Meta(min_length=1, max_length=len(ROLES))]


class AddStaff(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new member of staff in ``unit`` (its code)."""

    login: Login
    name: Name
    roles: RoleNames
    unit: Code = "office"


class ChangeStaff(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another member's roles; an inactive one's keys stop at once."""

    roles: RoleNames
    active: bool


class StaffAnswer(Struct, frozen=True, kw_only=True):
    """A member of staff."""

    id: UUID
    login: str
    name: str
    unit: str
    roles: tuple[str, ...]
    active: bool
    created_at: datetime


async def add_staff(
    ctx: Context, principal: Principal, asked: Request | None, command: AddStaff
) -> StaffAnswer:
    """Add a member of staff. Raises Invalid ``role_unknown``, Refused ``not_found`` (unit) and ``code_taken``."""
    require(principal, "programme.write")
    roles = _checked(command.roles)
    staff_id = new_id()

    async def act(connection: Connection) -> StaffAnswer:
        at = await campaign_now(connection)
        unit_id = await store.unit_by_code(connection, principal.programme_id, command.unit)
        if unit_id is None:
            raise not_found("unit")
        await store.insert_staff(
            connection, staff_id, principal.programme_id, unit_id, command.login, command.name, roles, at
        )
        await write_audit(connection, at, None, principal, "staff.add", staff_id, {"roles": " ".join(roles)})
        return _answer(await store.staff_row(connection, principal.programme_id, staff_id))

    return await perform(ctx.pool, asked, Work(StaffAnswer, act))


async def change_staff(
    ctx: Context, principal: Principal, asked: Request | None, staff_id: UUID, command: ChangeStaff
) -> StaffAnswer:
    """Set another member's roles and whether they are active; their keys lose what the roles do not allow. Raises Refused ``own_roles`` for oneself."""
    require(principal, "programme.write")
    roles = _checked(command.roles)

    async def act(connection: Connection) -> StaffAnswer:
        at = await campaign_now(connection)
        if await store.staff_row(connection, principal.programme_id, staff_id) is None:
            raise not_found("staff")
        if staff_id == principal.id:
            raise Refused("own_roles")
        await store.update_staff(connection, staff_id, roles, command.active)
        facts: dict[str, Fact] = {"roles": " ".join(roles), "active": command.active}
        await write_audit(connection, at, None, principal, "staff.change", staff_id, facts)
        return _answer(await store.staff_row(connection, principal.programme_id, staff_id))

    return await perform(ctx.pool, asked, Work(StaffAnswer, act))


async def list_staff(ctx: Context, principal: Principal, query: PageQuery) -> Page[StaffAnswer]:
    """The programme's staff in the order they were added."""
    async with ctx.pool.acquire() as connection:
        rows = await store.staff_page(connection, principal.programme_id, after_id(query), query.limit + 1)
    return page_of([_answer(row) for row in rows], query, lambda answer: answer.id)


async def staff_principal(ctx: Context, login: str) -> Principal:
    """The active member of staff behind a login, for acts on the command line. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        row = await store.staff_by_login(connection, login)
    if row is None or not row["active"]:
        raise not_found("staff")
    return Principal("staff", row["id"], row["programme_id"], scopes_of(row["roles"]))


def _checked(roles: tuple[str, ...]) -> list[str]:
    for role in roles:
        if role not in ROLES:
            raise Invalid("role_unknown", role=role, allowed=", ".join(ROLES))
    return sorted(set(roles))


def _answer(row: store.Row | None) -> StaffAnswer:
    assert row is not None
    return StaffAnswer(
        id=row["id"],
        login=row["login"],
        name=row["name"],
        unit=row["unit"],
        roles=tuple(row["roles"]),
        active=row["active"],
        created_at=row["created_at"],
    )
