"""Entries of a draw: entering for a person, for many at once, withdrawing, and one's own entry with its proofs."""

from functools import partial

from api.routing import MOST_BODY_LIMIT_BYTES, Call, Route
from campaigns.services.context import Context
from campaigns.services.entering import Enter, Entered, EnteredMany, EnterMany, enter, enter_many, withdraw
from campaigns.services.fields import Nothing
from campaigns.services.own_entry import OwnEntry, own_entry

_channel = partial(Route, scope="entries.write", principals=("channel",))
WINDOW_CODES = (
    "not_found",
    "no_draw",
    "campaign_not_running",
    "registration_not_open",
    "registration_over",
    "entries_closed",
)


async def post_entry(ctx: Context, call: Call) -> Entered:
    return await enter(ctx, call.principal, call.asked, call.id("campaign_id"), call.body)


async def post_entries(ctx: Context, call: Call) -> EnteredMany:
    return await enter_many(ctx, call.principal, call.asked, call.id("campaign_id"), call.body)


async def post_withdraw(ctx: Context, call: Call) -> Entered:
    return await withdraw(ctx, call.principal, call.asked, call.id("campaign_id"))


async def get_own_entry(ctx: Context, call: Call) -> OwnEntry:
    return await own_entry(ctx, call.principal, call.id("campaign_id"))


ROUTES = (
    _channel(
        method="POST",
        path="/v1/campaigns/{campaign_id}/entries",
        handler=post_entry,
        summary="Enter the person in the campaign's draw",
        acts_for_person=True,
        body=Enter,
        answer=Entered,
        status=201,
        codes=(
            *WINDOW_CODES,
            "already_entered",
            "entry_withdrawn",
            "entries_full",
            "place_not_eligible",
            "identity_required",
            "wallet_operator_required",
        ),
    ),
    _channel(
        method="POST",
        path="/v1/campaigns/{campaign_id}/entries/bulk",
        handler=post_entries,
        summary="Enter many persons in their order of arrival; lines that may not enter are told",
        body=EnterMany,
        answer=EnteredMany,
        codes=WINDOW_CODES,
        body_limit_bytes=MOST_BODY_LIMIT_BYTES,
    ),
    _channel(
        method="POST",
        path="/v1/campaigns/{campaign_id}/entry/withdraw",
        handler=post_withdraw,
        summary="Take the person's entry back while entries are open",
        acts_for_person=True,
        body=Nothing,
        answer=Entered,
        codes=(*WINDOW_CODES, "entry_withdrawn"),
    ),
    Route(
        method="GET",
        path="/v1/campaigns/{campaign_id}/entry",
        handler=get_own_entry,
        summary="The person's entry, its place in the published list with proof, and its result",
        scope="vouchers.read",
        principals=("channel",),
        acts_for_person=True,
        answer=OwnEntry,
        codes=("not_found", "no_draw"),
    ),
)
