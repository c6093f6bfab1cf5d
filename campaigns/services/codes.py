"""Payment codes: a holder's channel asks for one, a till shows it back within its minute, and it pays once."""

import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import Refused, TryAgain, not_found
from campaigns.domain.ids import new_id
from campaigns.domain.payment_code import PAYMENT_RANDOM_BYTES, looks_like, make_payment_code
from campaigns.domain.principal import Principal
from campaigns.gate import payment_codes as gate
from campaigns.store.access import person_exists
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform

if TYPE_CHECKING:  # the context holds the lanes that payments commit in
    from campaigns.services.context import Context

LIFE_SECONDS = 60
GRACE_SECONDS = 15
MAX_TRIES = 3  # a code of 15 random digits that lives already: once in the life of a universe


class CodeAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment code to show at a till until ``expires_at``; a till that reads it in time has a little longer."""

    code: str
    expires_at: datetime


async def make_code(ctx: "Context", principal: Principal, asked: Request | None) -> CodeAnswer:
    """Make a payment code for the person the channel acts for. Raises TryAgain when Valkey cannot keep it."""
    person_id = principal.person_id
    assert person_id is not None

    async def act(connection: Connection) -> CodeAnswer:
        if not await person_exists(connection, principal.programme_id, person_id):
            raise not_found("person")
        now = await campaign_now(connection)
        return await _keep(ctx, principal.programme_id, person_id, now + timedelta(seconds=LIFE_SECONDS))

    return await perform(ctx.pool, asked, Work(CodeAnswer, act))


async def _keep(ctx: "Context", programme_id: UUID, person_id: UUID, expires_at: datetime) -> CodeAnswer:
    live = gate.LiveCode(
        code_id=new_id(), person_id=person_id, programme_id=programme_id, expires_at=expires_at
    )
    for _ in range(MAX_TRIES):
        code = make_payment_code(os.urandom(PAYMENT_RANDOM_BYTES))
        if await gate.keep_code(ctx.gate, code, live, LIFE_SECONDS + GRACE_SECONDS):
            return CodeAnswer(code=code, expires_at=expires_at)
    raise TryAgain("busy")


async def resolve_code(ctx: "Context", principal: Principal, code: str) -> gate.LiveCode:
    """Whose code this is. One answer for all that do not live: Refused ``code_unknown`` (404)."""
    live = (await gate.find_codes(ctx.gate, [code])).get(code) if looks_like(code) else None
    if live is None or live.programme_id != principal.programme_id:
        raise code_unknown()
    return live


def check_code(live: gate.LiveCode, now: datetime) -> None:
    """Raise Refused ``code_unknown`` when the code's time and grace are over at campaign time ``now``."""
    if now >= live.expires_at + timedelta(seconds=GRACE_SECONDS):
        raise code_unknown()


def code_unknown() -> Refused:
    """The uniform answer for unknown, foreign and expired codes."""
    return Refused("code_unknown", status=404)
