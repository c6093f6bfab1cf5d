"""Programmes, units, operators, staff and keys: who may what, and what a lost role takes away at once."""

from dataclasses import replace
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from campaigns.domain.errors import Denied, Invalid, Refused
from campaigns.domain.roles import KIND_SCOPES, ROLE_SCOPES, scopes_of
from campaigns.services.context import Context
from campaigns.services.fields import Names
from campaigns.services.keys import MakeKey, list_keys, make_key, revoke_key
from campaigns.services.paging import PageQuery
from campaigns.services.programmes import NamedCommand, add_operator, add_unit, list_operators, list_units
from campaigns.services.staff import (
    AddStaff,
    ChangeStaff,
    add_staff,
    change_staff,
    list_staff,
    staff_principal,
)
from campaigns.store.unit_of_work import request
from tests.support.bearer import authenticate
from tests.support.office import Office, open_office

NAME = Names(zh="财政科", en="Finance")
COUNTED = ("programme", "unit", "operator", "staff", "api_key", "audit")


@pytest.fixture
async def office(ctx: Context) -> Office:
    return await open_office(ctx)


async def counts(owner: asyncpg.Connection) -> list[int]:
    return [await owner.fetchval(f"SELECT count(*) FROM {table}") for table in COUNTED]


def test_no_role_both_writes_and_approves() -> None:
    for role, scopes in ROLE_SCOPES.items():
        assert not {"campaign.write", "campaign.approve"} <= scopes, role
        assert "programme.write" not in scopes or role == "admin", role
    assert not scopes_of(["admin"]) & {"campaign.write", "campaign.approve", "funds.write"}


async def test_units_and_operators(ctx: Context, office: Office, owner: asyncpg.Connection) -> None:
    unit = await add_unit(ctx, office.admin, None, NamedCommand(code="finance", name=NAME))
    await add_operator(ctx, office.admin, None, NamedCommand(code="bank-a", name=NAME))
    assert [item.code for item in (await list_units(ctx, office.auditor, PageQuery())).items] == [
        "office",
        "finance",
    ]
    assert [item.code for item in (await list_operators(ctx, office.auditor, PageQuery())).items] == [
        "bank-a"
    ]
    before = await counts(owner)
    for add in (add_unit, add_operator):
        with pytest.raises(Denied, match="scope_missing"):
            await add(ctx, office.officer, None, NamedCommand(code="x", name=NAME))
    with pytest.raises(Refused, match="code_taken"):
        await add_unit(ctx, office.admin, None, NamedCommand(code="finance", name=NAME))
    assert await counts(owner) == before
    assert unit.name == NAME


async def test_staff_are_added_by_the_administrator_alone(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    before = await counts(owner)
    command = AddStaff(login="new", name="New", roles=("officer",))
    with pytest.raises(Denied, match="scope_missing"):
        await add_staff(ctx, office.officer, None, command)
    with pytest.raises(Invalid, match="role_unknown"):
        await add_staff(ctx, office.admin, None, AddStaff(login="new", name="New", roles=("king",)))
    with pytest.raises(Refused, match="not_found"):
        await add_staff(
            ctx, office.admin, None, AddStaff(login="new", name="N", roles=("officer",), unit="x")
        )
    with pytest.raises(Refused, match="code_taken"):
        taken = AddStaff(login="test-officer", name="New", roles=("officer",))
        await add_staff(ctx, office.admin, None, taken)
    assert await counts(owner) == before
    asked = request(office.admin.id, "k", "staff.add", command)
    added = await add_staff(ctx, office.admin, asked, command)
    assert await add_staff(ctx, office.admin, asked, command) == added
    assert added in (await list_staff(ctx, office.admin, PageQuery())).items


async def test_nobody_changes_their_own_roles_or_foreign_staff(ctx: Context, office: Office) -> None:
    change = ChangeStaff(roles=("admin", "approver"), active=True)
    with pytest.raises(Refused, match="own_roles"):
        await change_staff(ctx, office.admin, None, office.admin.id, change)
    other = await open_office(ctx, "other")
    for staff_id in (other.officer.id, uuid4()):
        with pytest.raises(Refused, match="not_found"):
            await change_staff(ctx, office.admin, None, staff_id, change)


async def test_a_lost_role_and_a_leaver_lose_their_keys_power(ctx: Context, office: Office) -> None:
    made = await make_key(
        ctx, office.admin, None, MakeKey(kind="staff", label="desk", subject_id=office.officer.id)
    )
    assert made.key is not None
    caller = await authenticate(ctx, made.key)
    assert (caller.kind, caller.id) == ("staff", office.officer.id)
    assert caller.scopes == ROLE_SCOPES["officer"]
    await change_staff(
        ctx, office.admin, None, office.officer.id, ChangeStaff(roles=("support",), active=True)
    )
    assert (await authenticate(ctx, made.key)).scopes == {"report.read"}
    await change_staff(
        ctx, office.admin, None, office.officer.id, ChangeStaff(roles=("support",), active=False)
    )
    with pytest.raises(Denied, match="key_unknown") as caught:
        await authenticate(ctx, made.key)
    assert caught.value.status == 401
    with pytest.raises(Refused, match="not_found"):
        await staff_principal(ctx, "test-officer")


async def test_a_key_is_shown_once_and_kept_as_a_digest(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    command = MakeKey(kind="channel", label="bot")
    asked = request(office.admin.id, "k", "key.make", command)
    made = await make_key(ctx, office.admin, asked, command)
    assert made.key is not None and len(made.key) == 46
    again = await make_key(ctx, office.admin, asked, command)
    assert again == msgspec.structs.replace(made, key=None) and again.key is None
    stored = await owner.fetch("SELECT body FROM idempotency")
    assert all(made.key.encode() not in row["body"] for row in stored)
    assert await owner.fetchval("SELECT length(digest) FROM api_key") == 32
    caller = await authenticate(ctx, made.key)
    assert (caller.kind, caller.id, caller.scopes) == ("channel", made.subject_id, KIND_SCOPES["channel"])
    await revoke_key(ctx, office.admin, None, made.id)
    for text in (made.key, "hb_unknown", "x" * 100_000):
        with pytest.raises(Denied, match="key_unknown"):
            await authenticate(ctx, text)
    assert (await list_keys(ctx, office.admin, PageQuery())).items[0].revoked_at is not None


async def test_keys_only_for_ones_own_and_within_the_kind(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    other = await open_office(ctx, "other")
    before = await counts(owner)
    for command in (
        MakeKey(kind="staff", label="x", subject_id=other.officer.id),
        MakeKey(kind="auditor", label="x", subject_id=office.officer.id),
        MakeKey(kind="terminal", label="x", subject_id=uuid4()),
        MakeKey(kind="operator", label="x"),
    ):
        allowed = replace(office.admin, scopes=office.admin.scopes | {"merchants.write"})
        with pytest.raises(Refused, match="not_found"):
            await make_key(ctx, allowed, None, command)
    with pytest.raises(Invalid, match="scope_not_for_kind"):
        await make_key(ctx, office.admin, None, MakeKey(kind="channel", label="x", scopes=("pay",)))
    with pytest.raises(Denied, match="scope_missing"):
        await make_key(ctx, office.officer, None, MakeKey(kind="channel", label="x"))
    with pytest.raises(Refused, match="not_found"):
        await revoke_key(ctx, office.admin, None, uuid4())
    assert await counts(owner) == before
