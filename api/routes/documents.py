"""The API about itself: the OpenAPI document, the page made from it, and what each code means."""

from api.docs_page import code_page, docs_page
from api.openapi import document_bytes
from api.problem import code_document
from api.routing import JSON, Call, Raw, Route
from campaigns.domain.errors import not_found
from campaigns.services.context import Context

HTML = "text/html; charset=utf-8"
PUBLIC = "documentation is for everybody who writes a client"
_CACHED = {"Cache-Control": "public, max-age=300"}
# The pages bring their own styles and script and fetch nothing.
_PAGE = {
    **_CACHED,
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
}


async def openapi(ctx: Context, call: Call) -> Raw:
    return Raw(document_bytes(call.service.routes), JSON, headers=_CACHED)


async def docs(ctx: Context, call: Call) -> Raw:
    return Raw(docs_page(call.service.routes, call.language), HTML, headers=_PAGE)


async def error_code(ctx: Context, call: Call) -> Raw:
    document = code_document(call.path["code"])
    if document is None:
        raise not_found("code")
    return code_page(document, call.accepts_html)


ROUTES = (
    Route(
        method="GET",
        path="/v1/openapi.json",
        handler=openapi,
        summary="This document",
        scope=None,
        principals=(),
        public_because=PUBLIC,
        media_type=JSON,
    ),
    Route(
        method="GET",
        path="/v1/docs",
        handler=docs,
        summary="This document as a page for people",
        scope=None,
        principals=(),
        public_because=PUBLIC,
        media_type="text/html",
    ),
    Route(
        method="GET",
        path="/errors/{code}",
        handler=error_code,
        summary="What an error code means, as JSON or as a page",
        scope=None,
        principals=(),
        public_because=PUBLIC,
        codes=("not_found",),
        media_type=JSON,
        also_media_types=("text/html",),
    ),
)
