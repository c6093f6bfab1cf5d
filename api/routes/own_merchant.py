"""What a merchant's back office reads of its own."""

from functools import partial

from api.routing import Call, Route
from campaigns.services.context import Context
from campaigns.services.own_merchant import (
    OwnBalance,
    OwnMerchant,
    OwnPaymentsQuery,
    own_balance,
    own_merchant,
    own_payments,
)
from campaigns.services.paging import Page, PageQuery
from campaigns.services.payment_answers import PaymentAnswer

_read = partial(Route, method="GET", scope="merchant.read", principals=("merchant",))


async def get_merchant(ctx: Context, call: Call) -> OwnMerchant:
    return await own_merchant(ctx, call.principal, call.query)


async def get_payments(ctx: Context, call: Call) -> Page[PaymentAnswer]:
    return await own_payments(ctx, call.principal, call.query)


async def get_balance(ctx: Context, call: Call) -> OwnBalance:
    return await own_balance(ctx, call.principal)


ROUTES = (
    _read(
        path="/v1/merchant",
        handler=get_merchant,
        summary="The merchant itself, its stores (in pages) and their tills",
        query=PageQuery,
        answer=OwnMerchant,
    ),
    _read(
        path="/v1/merchant/payments",
        handler=get_payments,
        summary="The merchant's own payments, newest first; of a day or between two instants if named",
        query=OwnPaymentsQuery,
        answer=Page[PaymentAnswer],
    ),
    _read(
        path="/v1/merchant/balance",
        handler=get_balance,
        summary="What each campaign owes the merchant and has paid it",
        answer=OwnBalance,
    ),
)
