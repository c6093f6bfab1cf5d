"""Payment codes, quotes and a holder's own vouchers."""

from api.routing import Call, Route
from campaigns.services.codes import CodeAnswer, make_code
from campaigns.services.context import Context
from campaigns.services.fields import Nothing
from campaigns.services.own_vouchers import VoucherAnswer, my_voucher, my_vouchers
from campaigns.services.paging import Page, PageQuery
from campaigns.services.quoting import QuoteAnswer, quote
from campaigns.services.spending import StoreSpend, TillSpend


async def post_code(ctx: Context, call: Call) -> CodeAnswer:
    return await make_code(ctx, call.principal, call.asked)


async def post_quote(ctx: Context, call: Call) -> QuoteAnswer:
    return await quote(ctx, call.principal, call.body)


async def get_vouchers(ctx: Context, call: Call) -> Page[VoucherAnswer]:
    return await my_vouchers(ctx, call.principal, call.query)


async def get_voucher(ctx: Context, call: Call) -> VoucherAnswer:
    return await my_voucher(ctx, call.principal, call.id("voucher_id"))


ROUTES = (
    Route(
        method="POST",
        path="/v1/payment-codes",
        handler=post_code,
        summary="Make a payment code that lives a minute and pays once",
        scope="codes.write",
        principals=("channel",),
        acts_for_person=True,
        body=Nothing,
        answer=CodeAnswer,
        status=201,
    ),
    Route(
        method="POST",
        path="/v1/quotes",
        handler=post_quote,
        summary="Quote a payment at this till, without facts about the holder",
        scope="pay",
        principals=("terminal",),
        body=TillSpend,
        answer=QuoteAnswer,
        codes=("code_unknown", "code_already_used", "store_not_active"),
    ),
    Route(
        method="POST",
        path="/v1/holder/quotes",
        handler=post_quote,
        summary="Quote a payment at a store code, voucher by voucher",
        scope="pay.store_code",
        principals=("channel",),
        acts_for_person=True,
        body=StoreSpend,
        answer=QuoteAnswer,
        codes=("store_code_unknown", "store_not_active"),
    ),
    Route(
        method="GET",
        path="/v1/vouchers",
        handler=get_vouchers,
        summary="The person's own vouchers",
        scope="vouchers.read",
        principals=("channel",),
        acts_for_person=True,
        query=PageQuery,
        answer=Page[VoucherAnswer],
    ),
    Route(
        method="GET",
        path="/v1/vouchers/{voucher_id}",
        handler=get_voucher,
        summary="One of the person's own vouchers, with its terms as a contract",
        scope="vouchers.read",
        principals=("channel",),
        acts_for_person=True,
        answer=VoucherAnswer,
        codes=("not_found",),
    ),
)
