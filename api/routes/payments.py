"""Paying: redemptions, authorizations, captures, voids, announcements; by tills and by holders."""

from functools import partial

from api.routing import Call, Route
from campaigns.domain.codes.decide import CODES as DECIDE
from campaigns.services import capturing, own_refusals, paying, payment_reads
from campaigns.services.context import Context
from campaigns.services.fields import Nothing
from campaigns.services.paging import Page, PageQuery
from campaigns.services.payment_answers import PaymentAnswer
from campaigns.services.spending import StoreSpend, TillSpend

_PUBLIC = tuple(code for code, meaning in DECIDE.items() if meaning.kind == "refused" and meaning.public)
_PERSONAL = tuple(
    code for code, meaning in DECIDE.items() if meaning.kind == "refused" and not meaning.public
)
TILL_CODES = (
    "code_unknown", "code_already_used", "not_usable_here", "store_not_active", "campaign_not_open", *_PUBLIC,
)  # fmt: skip
HOLDER_CODES = (
    "store_code_unknown", "store_not_active", "no_voucher", "campaign_not_open", *_PUBLIC, *_PERSONAL,
)  # fmt: skip

_till = partial(Route, scope="pay", principals=("terminal",))
_holder = partial(Route, scope="pay.store_code", principals=("channel",), acts_for_person=True)
# Whoever may refund may look the payment up.
_shop = partial(Route, scope="refund", principals=("terminal", "merchant"))


async def post_redemption(ctx: Context, call: Call) -> PaymentAnswer:
    return await paying.redeem(ctx, call.principal, call.asked, call.body)


async def post_authorization(ctx: Context, call: Call) -> PaymentAnswer:
    return await paying.authorize(ctx, call.principal, call.asked, call.body)


async def get_authorizations(ctx: Context, call: Call) -> Page[PaymentAnswer]:
    return await payment_reads.authorizations(ctx, call.principal, call.query)


async def post_capture(ctx: Context, call: Call) -> PaymentAnswer:
    return await capturing.capture(ctx, call.principal, call.asked, call.id("payment_id"), call.body)


async def post_void(ctx: Context, call: Call) -> PaymentAnswer:
    return await capturing.void(ctx, call.principal, call.asked, call.id("payment_id"))


async def get_payment(ctx: Context, call: Call) -> PaymentAnswer:
    return await payment_reads.payment(ctx, call.principal, call.id("payment_id"))


async def get_payments(ctx: Context, call: Call) -> Page[PaymentAnswer]:
    return await payment_reads.payments(ctx, call.principal, call.query)


async def post_announcement(ctx: Context, call: Call) -> payment_reads.AnnouncementAnswer:
    return await payment_reads.announce_amount(ctx, call.principal, call.asked, call.body)


async def get_refusals(ctx: Context, call: Call) -> Page[own_refusals.OwnRefusal]:
    return await own_refusals.my_refusals(ctx, call.principal, call.query)


ROUTES = (
    _till(
        method="POST",
        path="/v1/redemptions",
        handler=post_redemption,
        summary="Redeem at once with the customer's payment code",
        body=TillSpend,
        answer=PaymentAnswer,
        status=201,
        codes=TILL_CODES,
    ),
    _till(
        method="POST",
        path="/v1/authorizations",
        handler=post_authorization,
        summary="Hold with the customer's payment code; a capture takes it",
        body=TillSpend,
        answer=PaymentAnswer,
        status=201,
        codes=TILL_CODES,
    ),
    _till(
        method="GET",
        path="/v1/authorizations",
        handler=get_authorizations,
        summary="The till's own authorizations, pending ones unless asked otherwise",
        query=payment_reads.HoldsQuery,
        answer=Page[PaymentAnswer],
    ),
    _till(
        method="POST",
        path="/v1/payments/{payment_id}/capture",
        handler=post_capture,
        summary="Take a hold, whole or part; the shop's yes to a holder who scanned the store code",
        body=capturing.Capture,
        answer=PaymentAnswer,
        codes=("not_found", "wrong_state", "hold_expired", "capture_too_large", "items_invalid"),
    ),
    _till(
        method="POST",
        path="/v1/payments/{payment_id}/void",
        handler=post_void,
        summary="Give a hold back whole",
        body=Nothing,
        answer=PaymentAnswer,
        codes=("not_found", "wrong_state"),
    ),
    _till(
        method="POST",
        path="/v1/announcements",
        handler=post_announcement,
        summary="Announce an amount that a holder may redeem up to, once",
        body=payment_reads.Announce,
        answer=payment_reads.AnnouncementAnswer,
        status=201,
    ),
    _shop(
        method="GET",
        path="/v1/payments",
        handler=get_payments,
        summary="The merchant's own payments (a till: its own)",
        query=PageQuery,
        answer=Page[PaymentAnswer],
    ),
    _shop(
        method="GET",
        path="/v1/payments/{payment_id}",
        handler=get_payment,
        summary="One of the merchant's own payments",
        answer=PaymentAnswer,
        codes=("not_found",),
    ),
    _holder(
        method="POST",
        path="/v1/holder/redemptions",
        handler=post_redemption,
        summary="Redeem at a store code, up to the amount the shop announced",
        body=StoreSpend,
        answer=PaymentAnswer,
        status=201,
        codes=(*HOLDER_CODES, "nothing_announced", "above_announced"),
    ),
    _holder(
        method="POST",
        path="/v1/holder/authorizations",
        handler=post_authorization,
        summary="Hold at a store code; the shop's capture says yes",
        body=StoreSpend,
        answer=PaymentAnswer,
        status=201,
        codes=HOLDER_CODES,
    ),
    _holder(
        method="POST",
        path="/v1/holder/payments/{payment_id}/void",
        handler=post_void,
        summary="Give up one's own hold that was made with a store code",
        body=Nothing,
        answer=PaymentAnswer,
        codes=("not_found", "wrong_state"),
    ),
    _holder(
        method="GET",
        path="/v1/holder/payments",
        handler=get_payments,
        summary="The person's own payments",
        query=PageQuery,
        answer=Page[PaymentAnswer],
    ),
    _holder(
        method="GET",
        path="/v1/holder/payments/{payment_id}",
        handler=get_payment,
        summary="One of the person's own payments",
        answer=PaymentAnswer,
        codes=("not_found",),
    ),
    _holder(
        method="GET",
        path="/v1/holder/refusals",
        handler=get_refusals,
        summary="Why payments of the person's were refused, newest first",
        query=PageQuery,
        answer=Page[own_refusals.OwnRefusal],
    ),
)
