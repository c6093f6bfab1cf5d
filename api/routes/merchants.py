"""Merchants, their stores and tills."""

from functools import partial

from api.routing import MOST_BODY_LIMIT_BYTES, Call, Route
from campaigns.services.context import Context
from campaigns.services.merchant_import import Imported, ImportMerchants, import_merchants
from campaigns.services.merchants import (
    MerchantAnswer,
    PutMerchant,
    PutStore,
    PutTerminal,
    StoreAnswer,
    TerminalAnswer,
    list_merchants,
    list_stores,
    list_terminals,
    merchant_details,
    put_merchant,
    put_store,
    put_terminal,
)
from campaigns.services.paging import Page, PageQuery

_write = partial(Route, scope="merchants.write", principals=("staff",))
_read = partial(Route, method="GET", scope="report.read", principals=("staff", "auditor"))


async def put_one_merchant(ctx: Context, call: Call) -> MerchantAnswer:
    return await put_merchant(ctx, call.principal, call.asked, call.body)


async def put_one_store(ctx: Context, call: Call) -> StoreAnswer:
    return await put_store(ctx, call.principal, call.asked, call.id("merchant_id"), call.body)


async def put_one_terminal(ctx: Context, call: Call) -> TerminalAnswer:
    return await put_terminal(ctx, call.principal, call.asked, call.id("store_id"), call.body)


async def post_import(ctx: Context, call: Call) -> Imported:
    return await import_merchants(ctx, call.principal, call.asked, call.body)


async def get_merchants(ctx: Context, call: Call) -> Page[MerchantAnswer]:
    return await list_merchants(ctx, call.principal, call.query)


async def get_merchant(ctx: Context, call: Call) -> MerchantAnswer:
    return await merchant_details(ctx, call.principal, call.id("merchant_id"))


async def get_stores(ctx: Context, call: Call) -> Page[StoreAnswer]:
    return await list_stores(ctx, call.principal, call.id("merchant_id"), call.query)


async def get_terminals(ctx: Context, call: Call) -> Page[TerminalAnswer]:
    return await list_terminals(ctx, call.principal, call.id("store_id"), call.query)


ROUTES = (
    _write(
        method="PUT",
        path="/v1/merchants",
        handler=put_one_merchant,
        summary="Add or change a merchant by its code",
        body=PutMerchant,
        answer=MerchantAnswer,
        codes=("import_invalid", "operator_unknown"),
    ),
    _write(
        method="POST",
        path="/v1/merchants/import",
        handler=post_import,
        summary="Add or change merchants, stores and tills by the list, all lines or none",
        body=ImportMerchants,
        answer=Imported,
        body_limit_bytes=MOST_BODY_LIMIT_BYTES,
        codes=("import_invalid",),
    ),
    _read(
        path="/v1/merchants",
        handler=get_merchants,
        summary="The programme's merchants",
        query=PageQuery,
        answer=Page[MerchantAnswer],
    ),
    _read(
        path="/v1/merchants/{merchant_id}",
        handler=get_merchant,
        summary="One merchant",
        answer=MerchantAnswer,
        codes=("not_found",),
    ),
    _write(
        method="PUT",
        path="/v1/merchants/{merchant_id}/stores",
        handler=put_one_store,
        summary="Add or change a store by its code",
        body=PutStore,
        answer=StoreAnswer,
        codes=("import_invalid", "not_found"),
    ),
    _read(
        path="/v1/merchants/{merchant_id}/stores",
        handler=get_stores,
        summary="A merchant's stores",
        query=PageQuery,
        answer=Page[StoreAnswer],
        codes=("not_found",),
    ),
    _write(
        method="PUT",
        path="/v1/stores/{store_id}/terminals",
        handler=put_one_terminal,
        summary="Add or change a till by its code; a new one's key is in the first answer alone",
        body=PutTerminal,
        answer=TerminalAnswer,
        codes=("import_invalid", "not_found"),
    ),
    _read(
        path="/v1/stores/{store_id}/terminals",
        handler=get_terminals,
        summary="A store's tills",
        query=PageQuery,
        answer=Page[TerminalAnswer],
        codes=("not_found",),
    ),
)
