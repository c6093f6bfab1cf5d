"""The report of a campaign, as JSON and as a page."""

import asyncio
from typing import cast

import msgspec

from api.report import render_page
from api.report.texts import Language
from api.routing import JSON, Call, Raw, Route
from campaigns.domain.report import Report
from campaigns.gate.cache import REPORT
from campaigns.services.context import Context
from campaigns.services.reporting import report

HTML = "text/html; charset=utf-8"
READERS = ("staff", "auditor")
MOST_PAGES_AT_ONCE = 1  # drawing takes seconds of one processor, and payments come first
_drawing = asyncio.Semaphore(MOST_PAGES_AT_ONCE)
# The page brings its own styles and font and fetches nothing.
_PAGE = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; font-src data:",
}


async def report_json(ctx: Context, call: Call) -> Raw:
    """The report as of its ``made_at``, which may lie `REPORT_SECONDS` back."""
    campaign_id, programme_id = call.id("campaign_id"), call.principal.programme_id

    async def compute() -> bytes:
        return msgspec.json.encode(await report(ctx, campaign_id, programme_id))

    return Raw(await call.service.cache.read(REPORT, (programme_id, campaign_id), compute), JSON)


async def report_html(ctx: Context, call: Call) -> Raw:
    found = await report(ctx, call.id("campaign_id"), call.principal.programme_id)
    async with _drawing:
        page = await asyncio.to_thread(render_page, found, cast(Language, call.language))
    return Raw(page.encode(), HTML, headers=_PAGE)


ROUTES = (
    Route(
        method="GET",
        path="/v1/campaigns/{campaign_id}/report",
        handler=report_json,
        summary="A campaign's uptake: funnel, spending, refusals, targets, funders' parts",
        scope="report.read",
        principals=READERS,
        answer=Report,
        codes=("not_found",),
    ),
    Route(
        method="GET",
        path="/v1/campaigns/{campaign_id}/report.html",
        handler=report_html,
        summary="The same report as one page that needs no network, in Chinese and English",
        scope="report.read",
        principals=READERS,
        codes=("not_found",),
        media_type="text/html",
    ),
)
