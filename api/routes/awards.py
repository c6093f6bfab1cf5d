"""A person's awards: see them, accept them, give them up."""

from functools import partial

from api.routing import Call, Route
from campaigns.services.accept_batch import Accepted
from campaigns.services.accepting import AwardAnswer, accept_award, list_awards
from campaigns.services.context import Context
from campaigns.services.fields import Nothing
from campaigns.services.lapsing import decline_award
from campaigns.services.paging import Page, PageQuery

_holder = partial(Route, principals=("channel",), acts_for_person=True)
_CODES = ("not_found", "award_ended", "campaign_not_running")


async def get_awards(ctx: Context, call: Call) -> Page[AwardAnswer]:
    return await list_awards(ctx, call.principal, call.query)


async def post_accept(ctx: Context, call: Call) -> Accepted:
    return await accept_award(ctx, call.principal, call.asked, call.id("award_id"))


async def post_decline(ctx: Context, call: Call) -> AwardAnswer:
    return await decline_award(ctx, call.principal, call.asked, call.id("award_id"))


ROUTES = (
    _holder(
        method="GET",
        path="/v1/awards",
        handler=get_awards,
        summary="The person's own awards",
        scope="vouchers.read",
        query=PageQuery,
        answer=Page[AwardAnswer],
    ),
    _holder(
        method="POST",
        path="/v1/awards/{award_id}/accept",
        handler=post_accept,
        summary="Accept an award: it becomes a voucher",
        scope="vouchers.write",
        body=Nothing,
        answer=Accepted,
        codes=(*_CODES, "acceptance_not_open", "acceptance_over"),
    ),
    _holder(
        method="POST",
        path="/v1/awards/{award_id}/decline",
        handler=post_decline,
        summary="Give an award up for good; who waits gets it",
        scope="vouchers.write",
        body=Nothing,
        answer=AwardAnswer,
        codes=_CODES,
    ),
)
