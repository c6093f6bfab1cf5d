"""A few routes that write one audit-like row, so that a test sees whether a request had an effect."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from msgspec import Struct

from api.routing import Call, Route
from campaigns.domain.errors import Refused
from campaigns.services.context import Context
from campaigns.services.fields import AmountFen, Code, Name, Nothing
from campaigns.services.paging import Page, PageQuery, after_id, page_of
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Work, perform


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the note."""

    amount_fen: AmountFen


class Note(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note to keep."""

    code: Code
    name: Name
    amount_fen: AmountFen
    lines: tuple[Line, ...] = ()


class Noted(Struct, frozen=True, kw_only=True):
    """What was kept."""

    amount_fen: int
    by: UUID
    person_id: UUID | None
    terminal_id: UUID | None


class NoteQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Notes, in pages."""

    loud: bool = False


@dataclass
class Gatekeeper:
    """Lets a test hold a handler in the middle of its work."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)


_INSERT = """
INSERT INTO audit (at, programme_id, actor_kind, actor_id, action, facts)
VALUES (campaign_now(), $1, $2, $3, 'note', '{}')
"""


def note_routes(gatekeeper: Gatekeeper) -> tuple[Route, ...]:
    """Every shape of route the infrastructure must carry."""

    async def write(ctx: Context, call: Call) -> Noted:
        async def act(connection: Connection) -> Noted:
            principal = call.principal
            await connection.execute(_INSERT, principal.programme_id, principal.kind, principal.id)
            return Noted(
                amount_fen=call.body.amount_fen,
                by=principal.id,
                person_id=call.person_id,
                terminal_id=principal.terminal_id,
            )

        return await perform(ctx.pool, call.asked, Work(Noted, act))

    async def slow(ctx: Context, call: Call) -> Noted:
        gatekeeper.started.set()
        await gatekeeper.go_on.wait()
        return await write(ctx, call)

    async def linger(ctx: Context, call: Call) -> Noted:
        """Hold the transaction open with the row inserted until the test lets go."""

        async def act(connection: Connection) -> Noted:
            principal = call.principal
            await connection.execute(_INSERT, principal.programme_id, principal.kind, principal.id)
            gatekeeper.started.set()
            await gatekeeper.go_on.wait()
            return Noted(amount_fen=1, by=call.principal.id, person_id=None, terminal_id=None)

        return await perform(ctx.pool, call.asked, Work(Noted, act))

    async def refuse(ctx: Context, call: Call) -> Nothing:
        raise Refused(call.path["code"], balance_fen=123)

    async def touch(ctx: Context, call: Call) -> Nothing:
        async def act(connection: Connection) -> Nothing:
            principal = call.principal
            await connection.execute(_INSERT, principal.programme_id, principal.kind, call.id("note_id"))
            return Nothing()

        return await perform(ctx.pool, call.asked, Work(Nothing, act))

    async def upload(ctx: Context, call: Call) -> Noted:
        return Noted(amount_fen=len(call.body), by=call.principal.id, person_id=None, terminal_id=None)

    async def listing(ctx: Context, call: Call) -> Page[int]:
        after_id(call.query)
        return page_of([1], call.query, lambda item: item)

    async def broken(ctx: Context, call: Call) -> Nothing:
        raise ValueError("the phone 13800138000 of 王小明")

    operator, everyone = ("operator",), ("operator", "channel", "terminal", "merchant")
    return (
        _route("POST", "/v1/notes", write, everyone, body=Note, answer=Noted, status=201),
        _route("POST", "/v1/slow", slow, operator, body=Note, answer=Noted),
        _route("POST", "/v1/linger", linger, operator, answer=Noted),
        _route("POST", "/v1/mine", write, ("channel",), body=Note, answer=Noted, acts_for_person=True),
        _route("POST", "/v1/refusals/{code}", refuse, everyone, answer=Nothing),
        _route("POST", "/v1/notes/{note_id}/touch", touch, operator, answer=Nothing),
        _route("GET", "/v1/notes/{note_id}", broken, operator, answer=Nothing),
        _route("DELETE", "/v1/notes/{note_id}", touch, operator, answer=Nothing),
        _route("POST", "/v1/uploads", upload, operator, body=bytes, answer=Noted, body_limit_bytes=4_000_000,
               body_media_type="text/csv"),
        _route("GET", "/v1/notes", listing, operator, query=NoteQuery, answer=Page[int]),
        _route("GET", "/v1/broken", broken, operator, answer=Nothing),
    )  # fmt: skip


def _route(method: str, path: str, handler: object, principals: tuple[str, ...], **more: object) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,  # type: ignore[arg-type]
        summary=f"{method} {path}",
        scope="notes",
        principals=principals,
        **more,  # type: ignore[arg-type]
    )
