"""The draw: its steps for the office's draw staff, its state and files for everybody."""

from functools import partial

from api.routing import JSON, Call, Raw, Route
from campaigns.services.awarding import award_draw
from campaigns.services.ceremony import (
    RecordBeacon,
    RecordValue,
    make_draw,
    record_beacon,
    record_value,
    rehearse_beacon,
    reveal_office,
)
from campaigns.services.context import Context
from campaigns.services.draw_answer import DrawAnswer, read_draw_file, show_campaign_draw, show_draw
from campaigns.services.fields import Nothing
from campaigns.services.freezing import FreezeDraw, freeze_draw

PUBLIC = "a draw's files are published so that anyone can run it again; they hold random ids only"
TEXT = "text/plain; charset=us-ascii"
_STEP_CODES = ("not_found", "wrong_state", "campaign_not_running")
_SOURCE_CODES = ("not_found", "wrong_state", "source_unknown", "source_received")
_staff = partial(Route, method="POST", scope="draw.write", principals=("staff",), answer=DrawAnswer)
_public = partial(Route, method="GET", scope=None, principals=(), public_because=PUBLIC)


async def post_freeze(ctx: Context, call: Call) -> DrawAnswer:
    return await freeze_draw(ctx, call.principal, call.asked, call.id("campaign_id"), call.body)


async def post_office(ctx: Context, call: Call) -> DrawAnswer:
    return await reveal_office(ctx, call.principal, call.asked, call.id("draw_id"))


async def post_value(ctx: Context, call: Call) -> DrawAnswer:
    return await record_value(ctx, call.principal, call.asked, call.id("draw_id"), call.body)


async def post_beacon(ctx: Context, call: Call) -> DrawAnswer:
    return await record_beacon(ctx, call.principal, call.asked, call.id("draw_id"), call.body)


async def post_rehearsal(ctx: Context, call: Call) -> DrawAnswer:
    return await rehearse_beacon(ctx, call.principal, call.asked, call.id("draw_id"))


async def post_draw(ctx: Context, call: Call) -> DrawAnswer:
    return await make_draw(ctx, call.principal, call.asked, call.id("draw_id"))


async def post_award(ctx: Context, call: Call) -> DrawAnswer:
    return await award_draw(ctx, call.principal, call.asked, call.id("draw_id"))


async def get_campaign_draw(ctx: Context, call: Call) -> DrawAnswer:
    return await show_campaign_draw(ctx, call.id("campaign_id"))


async def get_draw(ctx: Context, call: Call) -> DrawAnswer:
    return await show_draw(ctx, call.id("draw_id"))


async def get_file(ctx: Context, call: Call) -> Raw:
    name = str(call.path["name"])
    content = await read_draw_file(ctx, call.id("draw_id"), name)
    return Raw(content, JSON if name.endswith(".json") else TEXT, file_name=name)


ROUTES = (
    _staff(
        path="/v1/campaigns/{campaign_id}/draw/freeze",
        handler=post_freeze,
        summary="Close entries, strike who is not eligible and publish the commitment to the list",
        body=FreezeDraw,
        codes=(
            *_STEP_CODES,
            "no_draw",
            "registration_still_open",
            "sources_too_late",
            "ssq_issue_missing",
            "rehearsal_refused",
            "commitment_refused",
        ),
    ),
    _staff(
        path="/v1/draws/{draw_id}/sources/office",
        handler=post_office,
        summary="Reveal the office's secret whose digest was committed to",
        body=Nothing,
        codes=(*_SOURCE_CODES, "source_too_late"),
    ),
    _staff(
        path="/v1/draws/{draw_id}/sources",
        handler=post_value,
        summary="Record the state lottery's or the notary's numbers",
        body=RecordValue,
        codes=(*_SOURCE_CODES, "source_too_late", "source_wrong"),
    ),
    _staff(
        path="/v1/draws/{draw_id}/sources/beacon",
        handler=post_beacon,
        summary="Record the beacon's round that the commitment fixed, if its signature verifies",
        body=RecordBeacon,
        codes=(*_SOURCE_CODES, "source_too_early", "beacon_refused", "rehearsal_refused"),
    ),
    _staff(
        path="/v1/draws/{draw_id}/sources/rehearsal",
        handler=post_rehearsal,
        summary="Record the rehearsal beacon's round; demonstrations and tests only",
        body=Nothing,
        codes=(*_SOURCE_CODES, "source_too_early", "rehearsal_refused"),
    ),
    _staff(
        path="/v1/draws/{draw_id}/draw",
        handler=post_draw,
        summary="Make the draw once every source is in or missing",
        body=Nothing,
        codes=(*_STEP_CODES, "sources_awaited", "beacon_refused", "commitment_refused"),
    ),
    _staff(
        path="/v1/draws/{draw_id}/award",
        handler=post_award,
        summary="Award the winners, and accept for those who asked for it; asked again, it goes on",
        body=Nothing,
        codes=(*_STEP_CODES, "acceptance_over"),
    ),
    _public(
        path="/v1/campaigns/{campaign_id}/draw",
        handler=get_campaign_draw,
        summary="The campaign's draw: state, sources and published files",
        answer=DrawAnswer,
        codes=("not_found",),
    ),
    _public(
        path="/v1/draws/{draw_id}",
        handler=get_draw,
        summary="A draw: state, sources and published files",
        answer=DrawAnswer,
        codes=("not_found",),
    ),
    _public(
        path="/v1/draws/{draw_id}/files/{name}",
        handler=get_file,
        summary="A published file of a draw, byte for byte",
        codes=("not_found",),
        media_type=TEXT,
        also_media_types=(JSON,),
    ),
)
