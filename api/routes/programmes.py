"""The programme's own desk: units, operators, staff and API keys."""

from functools import partial

from api.routing import Call, Route
from campaigns.services.context import Context
from campaigns.services.keys import KeyAnswer, KeyMade, MakeKey, list_keys, make_key, revoke_key
from campaigns.services.paging import Page, PageQuery
from campaigns.services.programmes import (
    NamedAnswer,
    NamedCommand,
    add_operator,
    add_unit,
    list_operators,
    list_units,
)
from campaigns.services.staff import AddStaff, ChangeStaff, StaffAnswer, add_staff, change_staff, list_staff

_write = partial(Route, scope="programme.write", principals=("staff",))
_read = partial(Route, method="GET", scope="report.read", principals=("staff", "auditor"), query=PageQuery)


async def post_unit(ctx: Context, call: Call) -> NamedAnswer:
    return await add_unit(ctx, call.principal, call.asked, call.body)


async def get_units(ctx: Context, call: Call) -> Page[NamedAnswer]:
    return await list_units(ctx, call.principal, call.query)


async def post_operator(ctx: Context, call: Call) -> NamedAnswer:
    return await add_operator(ctx, call.principal, call.asked, call.body)


async def get_operators(ctx: Context, call: Call) -> Page[NamedAnswer]:
    return await list_operators(ctx, call.principal, call.query)


async def post_staff(ctx: Context, call: Call) -> StaffAnswer:
    return await add_staff(ctx, call.principal, call.asked, call.body)


async def put_staff(ctx: Context, call: Call) -> StaffAnswer:
    return await change_staff(ctx, call.principal, call.asked, call.id("staff_id"), call.body)


async def get_staff(ctx: Context, call: Call) -> Page[StaffAnswer]:
    return await list_staff(ctx, call.principal, call.query)


async def post_key(ctx: Context, call: Call) -> KeyMade:
    return await make_key(ctx, call.principal, call.asked, call.body)


async def delete_key(ctx: Context, call: Call) -> KeyAnswer:
    return await revoke_key(ctx, call.principal, call.asked, call.id("key_id"))


async def get_keys(ctx: Context, call: Call) -> Page[KeyAnswer]:
    return await list_keys(ctx, call.principal, call.query)


ROUTES = (
    _write(
        method="POST",
        path="/v1/units",
        handler=post_unit,
        summary="Add a unit to the programme",
        body=NamedCommand,
        answer=NamedAnswer,
        status=201,
        codes=("code_taken",),
    ),
    _read(path="/v1/units", handler=get_units, summary="The programme's units", answer=Page[NamedAnswer]),
    _write(
        method="POST",
        path="/v1/operators",
        handler=post_operator,
        summary="Add an operating institution",
        body=NamedCommand,
        answer=NamedAnswer,
        status=201,
        codes=("code_taken",),
    ),
    _read(
        path="/v1/operators",
        handler=get_operators,
        summary="The programme's operating institutions",
        answer=Page[NamedAnswer],
    ),
    _write(
        method="POST",
        path="/v1/staff",
        handler=post_staff,
        summary="Add a member of staff",
        body=AddStaff,
        answer=StaffAnswer,
        status=201,
        codes=("role_unknown", "code_taken", "not_found"),
    ),
    _write(
        method="PUT",
        path="/v1/staff/{staff_id}",
        handler=put_staff,
        summary="Set another member's roles, or end their access",
        body=ChangeStaff,
        answer=StaffAnswer,
        codes=("role_unknown", "own_roles", "not_found"),
    ),
    _read(path="/v1/staff", handler=get_staff, summary="The programme's staff", answer=Page[StaffAnswer]),
    _write(
        method="POST",
        path="/v1/keys",
        handler=post_key,
        summary="Make an API key; its text is in the first answer alone",
        body=MakeKey,
        answer=KeyMade,
        status=201,
        codes=("scope_not_for_kind", "not_found"),
    ),
    _write(
        method="DELETE",
        path="/v1/keys/{key_id}",
        handler=delete_key,
        summary="Revoke an API key for good",
        answer=KeyAnswer,
        codes=("not_found",),
    ),
    _read(path="/v1/keys", handler=get_keys, summary="API keys, without their text", answer=Page[KeyAnswer]),
)
