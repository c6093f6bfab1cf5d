"""Issue by list."""

from api.routing import MOST_BODY_LIMIT_BYTES, Call, Route
from campaigns.services.context import Context
from campaigns.services.list_issue import Issued, IssueList, issue_list


async def post_list(ctx: Context, call: Call) -> Issued:
    return await issue_list(ctx, call.principal, call.asked, call.id("campaign_id"), call.body)


ROUTES = (
    Route(
        method="POST",
        path="/v1/campaigns/{campaign_id}/list",
        handler=post_list,
        summary="Grant a voucher to every line of a list, or to none",
        scope="list.issue",
        principals=("staff",),
        body=IssueList,
        answer=Issued,
        status=201,
        body_limit_bytes=MOST_BODY_LIMIT_BYTES,
        codes=(
            "list_rows_invalid",
            "wrong_state",
            "not_a_list",
            "list_not_open",
            "list_over",
            "allotments_exhausted",
            "not_found",
        ),
    ),
)
