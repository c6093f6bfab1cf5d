"""Giving back: undo and refund by the shop, and the holder's wish to undo."""

from functools import partial

from api.routing import Call, Route
from campaigns.services import refunding
from campaigns.services.context import Context
from campaigns.services.fields import Nothing
from campaigns.services.payment_answers import PaymentAnswer, RefundAnswer

_shop = partial(Route, scope="refund", principals=("terminal", "merchant"))


async def post_undo(ctx: Context, call: Call) -> RefundAnswer:
    return await refunding.undo(ctx, call.principal, call.asked, call.id("payment_id"))


async def post_refund(ctx: Context, call: Call) -> RefundAnswer:
    return await refunding.refund(ctx, call.principal, call.asked, call.id("payment_id"), call.body)


async def post_ask_undo(ctx: Context, call: Call) -> PaymentAnswer:
    return await refunding.ask_undo(ctx, call.principal, call.asked, call.id("payment_id"))


ROUTES = (
    _shop(
        method="POST",
        path="/v1/payments/{payment_id}/undo",
        handler=post_undo,
        summary="Take a redemption back whole, soon after it; also the shop's yes to the holder's wish",
        body=Nothing,
        answer=RefundAnswer,
        codes=("not_found", "wrong_state", "undo_over", "refund_over", "refund_too_large"),
    ),
    _shop(
        method="POST",
        path="/v1/payments/{payment_id}/refunds",
        handler=post_refund,
        summary="Return goods, whole or part",
        body=refunding.Refund,
        answer=RefundAnswer,
        status=201,
        codes=("not_found", "wrong_state", "refund_over", "refund_too_large", "items_invalid"),
    ),
    Route(
        method="POST",
        path="/v1/holder/payments/{payment_id}/undo",
        handler=post_ask_undo,
        summary="Ask the shop to undo a redemption",
        scope="pay.store_code",
        principals=("channel",),
        acts_for_person=True,
        body=Nothing,
        answer=PaymentAnswer,
        codes=("not_found", "wrong_state", "undo_over", "refund_over"),
    ),
)
