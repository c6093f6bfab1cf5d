"""The heads of the seals, for whoever wants to note them."""

from api.routing import Call, Route
from campaigns.services.context import Context
from campaigns.services.paging import Page, PageQuery
from campaigns.services.seals import PublicHead, public_heads


async def get_heads(ctx: Context, call: Call) -> Page[PublicHead]:
    return await public_heads(ctx, call.query)


ROUTES = (
    Route(
        method="GET",
        path="/v1/seals",
        handler=get_heads,
        summary="Heads of the seals over the books, newest first: note one, and nobody can change what came before it",
        scope=None,
        principals=(),
        public_because="a head says nothing of what it seals, and proves the more the more people note it",
        query=PageQuery,
        answer=Page[PublicHead],
    ),
)
