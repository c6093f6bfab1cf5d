"""Merchants, stores and tills: added, changed and read one by one. Whole lists come in by `import_merchants`."""

import secrets
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, structs

from campaigns.domain.errors import Fact, Invalid, not_found
from campaigns.domain.ids import new_id
from campaigns.domain.payment_code import STORE_RANDOM_BYTES, make_store_code
from campaigns.domain.principal import Principal
from campaigns.domain.roles import KIND_SCOPES, require
from campaigns.domain.shops import (
    MerchantFields,
    StoreFields,
    TerminalFields,
    Wrong,
    check_merchant,
    check_store,
    check_terminal,
)
from campaigns.domain.terms.model import Channel
from campaigns.services.context import Context
from campaigns.services.fields import Code, Mcc, Name, Place
from campaigns.services.keys import new_key
from campaigns.services.paging import Page, PageQuery, after_id, page_of
from campaigns.services.problems import LineProblem, lines_invalid
from campaigns.store import merchants as store
from campaigns.store.audit_log import write_audit
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.programmes import insert_keys, operators_by_code
from campaigns.store.unit_of_work import Request, Work, perform

Label = Annotated[str, Meta(min_length=1, max_length=40)]
Labels = Annotated[tuple[Label, ...], Meta(max_length=50)]
LatitudeE6 = Annotated[int, Meta(ge=-90_000_000, le=90_000_000)]
LongitudeE6 = Annotated[int, Meta(ge=-180_000_000, le=180_000_000)]


class PutMerchant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A merchant under its code, new or changed. ``operator``: the code of the acquiring operator."""

    code: Code
    name: Name
    credit_code: Annotated[str, Meta(min_length=18, max_length=18)]
    operator: Code
    mcc: Mcc
    tags: Labels = ()
    active: bool = True


class PutStore(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A store under its code, new or changed. Position in WGS 84 degrees times 1,000,000."""

    code: Code
    name: Name
    place: Place
    scenario: Annotated[str, Meta(max_length=32)]
    zones: Labels = ()
    latitude_e6: LatitudeE6 | None = None
    longitude_e6: LongitudeE6 | None = None
    active: bool = True


class PutTerminal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A till under its code, new or changed."""

    code: Code
    channel: Channel = "in_store"
    active: bool = True


class MerchantAnswer(Struct, frozen=True, kw_only=True):
    """A merchant."""

    id: UUID
    code: str
    name: str
    credit_code: str
    operator: str
    tags: tuple[str, ...]
    mcc: str
    active: bool
    created_at: datetime


class StoreAnswer(Struct, frozen=True, kw_only=True):
    """A store."""

    id: UUID
    merchant_id: UUID
    code: str
    name: str
    place: str
    zones: tuple[str, ...]
    scenario: str
    latitude_e6: int | None
    longitude_e6: int | None
    active: bool


class TerminalAnswer(Struct, frozen=True, kw_only=True):
    """A till. ``store_code`` is printed at the counter; ``key`` is shown once, when the till is new."""

    id: UUID
    store_id: UUID
    code: str
    store_code: str
    channel: str
    active: bool
    key: str | None = None


def new_store_code() -> str:
    """Draw a store code."""
    return make_store_code(secrets.token_bytes(STORE_RANDOM_BYTES))


async def put_merchant(
    ctx: Context, principal: Principal, asked: Request | None, command: PutMerchant
) -> MerchantAnswer:
    """Add or change a merchant. Raises Invalid ``import_invalid`` with every problem, ``operator_unknown``."""
    require(principal, "merchants.write")
    fields = MerchantFields(
        command.code, command.name, command.credit_code, command.operator, command.tags, command.mcc
    )
    _refuse(check_merchant(fields))

    async def act(connection: Connection) -> MerchantAnswer:
        operators = await operators_by_code(connection, principal.programme_id)
        if command.operator not in operators:
            raise Invalid("operator_unknown", given=command.operator)
        at = await campaign_now(connection)
        row = store.MerchantRow(
            new_id(), principal.programme_id, fields.code, fields.name, fields.credit_code,
            operators[command.operator], list(fields.tags), fields.mcc, command.active, at,
        )  # fmt: skip
        [merchant_id] = (await store.upsert_merchants(connection, [row])).values()
        facts: dict[str, Fact] = {"code": fields.code, "active": command.active}
        await write_audit(connection, at, None, principal, "merchant.put", merchant_id, facts)
        return await _merchant(connection, principal, merchant_id)

    return await perform(ctx.pool, asked, Work(MerchantAnswer, act))


async def put_store(
    ctx: Context, principal: Principal, asked: Request | None, merchant_id: UUID, command: PutStore
) -> StoreAnswer:
    """Add or change a store. Raises Invalid ``import_invalid`` with every problem."""
    require(principal, "merchants.write")
    fields = StoreFields(
        command.code, command.name, command.place, command.zones, command.scenario,
        command.latitude_e6, command.longitude_e6,
    )  # fmt: skip
    _refuse(check_store(fields))

    async def act(connection: Connection) -> StoreAnswer:
        await _merchant(connection, principal, merchant_id)
        at = await campaign_now(connection)
        row = store.StoreRow(
            new_id(), merchant_id, fields.code, fields.name, fields.place, list(fields.zones),
            fields.scenario, fields.latitude_e6, fields.longitude_e6, command.active,
        )  # fmt: skip
        [store_id] = (await store.upsert_stores(connection, [row])).values()
        facts: dict[str, Fact] = {"code": fields.code, "active": command.active}
        await write_audit(connection, at, None, principal, "store.put", store_id, facts)
        return _store(await store.store_row(connection, principal.programme_id, store_id))

    return await perform(ctx.pool, asked, Work(StoreAnswer, act))


async def put_terminal(
    ctx: Context, principal: Principal, asked: Request | None, store_id: UUID, command: PutTerminal
) -> TerminalAnswer:
    """Add or change a till; a new one gets its store code and its key, shown in this answer alone."""
    require(principal, "merchants.write")
    drawn, made_id = new_key(), new_id()
    _refuse(check_terminal(TerminalFields(command.code, command.channel)))

    async def act(connection: Connection) -> TerminalAnswer:
        if await store.store_row(connection, principal.programme_id, store_id) is None:
            raise not_found("store")
        at = await campaign_now(connection)
        row = store.TerminalRow(
            made_id, store_id, command.code, new_store_code(), command.channel, command.active
        )
        [terminal_id] = (await store.upsert_terminals(connection, [row])).values()
        if terminal_id == made_id:
            scopes = sorted(KIND_SCOPES["terminal"])
            key = (
                drawn.id,
                drawn.digest,
                "terminal",
                terminal_id,
                principal.programme_id,
                command.code,
                scopes,
                at,
            )
            await insert_keys(connection, [key])
        facts: dict[str, Fact] = {"code": command.code, "active": command.active}
        await write_audit(connection, at, None, principal, "terminal.put", terminal_id, facts)
        return _terminal(await store.terminal_row(connection, principal.programme_id, terminal_id))

    answer = await perform(ctx.pool, asked, Work(TerminalAnswer, act))
    return structs.replace(answer, key=drawn.text) if answer.id == made_id else answer


# Reading ---------------------------------------------------------------------------------------------


async def list_merchants(ctx: Context, principal: Principal, query: PageQuery) -> Page[MerchantAnswer]:
    """The programme's merchants in the order they were added."""
    async with ctx.pool.acquire() as connection:
        rows = await store.merchant_page(connection, principal.programme_id, after_id(query), query.limit + 1)
    return page_of([_merchant_answer(row) for row in rows], query, lambda answer: answer.id)


async def merchant_details(ctx: Context, principal: Principal, merchant_id: UUID) -> MerchantAnswer:
    """One merchant. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        return await _merchant(connection, principal, merchant_id)


async def list_stores(
    ctx: Context, principal: Principal, merchant_id: UUID, query: PageQuery
) -> Page[StoreAnswer]:
    """A merchant's stores. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        await _merchant(connection, principal, merchant_id)
        rows = await store.store_page(connection, merchant_id, after_id(query), query.limit + 1)
    return page_of([_store(row) for row in rows], query, lambda answer: answer.id)


async def list_terminals(
    ctx: Context, principal: Principal, store_id: UUID, query: PageQuery
) -> Page[TerminalAnswer]:
    """A store's tills. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        if await store.store_row(connection, principal.programme_id, store_id) is None:
            raise not_found("store")
        rows = await store.terminal_page(connection, store_id, after_id(query), query.limit + 1)
    return page_of([_terminal(row) for row in rows], query, lambda answer: answer.id)


async def _merchant(connection: Connection, principal: Principal, merchant_id: UUID) -> MerchantAnswer:
    row = await store.merchant_row(connection, principal.programme_id, merchant_id)
    if row is None:
        raise not_found("merchant")
    return _merchant_answer(row)


def _merchant_answer(row: store.Row) -> MerchantAnswer:
    return MerchantAnswer(**{**dict(row), "tags": tuple(row["tags"])})


def _store(row: store.Row) -> StoreAnswer:
    return StoreAnswer(**{**dict(row), "zones": tuple(row["zones"])})


def _terminal(row: store.Row) -> TerminalAnswer:
    return TerminalAnswer(**dict(row))


def _refuse(wrong: list[Wrong]) -> None:
    """One form is a list of one line: the same answer with every problem."""
    if wrong:
        raise lines_invalid("import_invalid", [LineProblem(1, *found) for found in wrong])
