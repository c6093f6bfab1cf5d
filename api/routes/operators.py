"""What an operating institution reads of its own."""

from functools import partial

from api.routing import Call, Route
from campaigns.services.context import Context
from campaigns.services.paging import Page, PageQuery
from campaigns.services.positions import Payable, Position, payables, positions

_read = partial(Route, method="GET", scope="operator.read", principals=("operator",), query=PageQuery)


async def get_positions(ctx: Context, call: Call) -> Page[Position]:
    return await positions(ctx, call.principal, call.query)


async def get_payables(ctx: Context, call: Call) -> Page[Payable]:
    return await payables(ctx, call.principal, call.id("campaign_id"), call.query)


ROUTES = (
    _read(
        path="/v1/operator/positions",
        handler=get_positions,
        summary="By campaign: what the operator holds in custody, and the payables it receives, newest campaign first",
        answer=Page[Position],
    ),
    _read(
        path="/v1/operator/campaigns/{campaign_id}/payables",
        handler=get_payables,
        summary="What a campaign owes each merchant the operator receives for",
        answer=Page[Payable],
        codes=("not_found",),
    ),
)
