"""A holder's own vouchers, with the terms of each as a contract in plain sentences."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import not_found
from campaigns.domain.places import full_name_zh
from campaigns.domain.principal import Principal
from campaigns.domain.terms.compile import digest, read_compiled
from campaigns.domain.terms.contract import contract_text
from campaigns.services.context import Context
from campaigns.services.fields import AmountFen, AnyFen, Names
from campaigns.services.paging import Page, PageQuery, after_id, page_of
from campaigns.store.vouchers import VoucherView, voucher_of_person, vouchers_of_person


class VoucherContract(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The terms of the version the voucher keeps, in both languages, and their digest."""

    zh: str
    en: str
    digest: str


class VoucherAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A voucher: balance + held + captured - refunded + taken back = face value."""

    id: UUID
    campaign: str
    name: Names
    campaign_state: str
    state: str
    face_fen: AmountFen
    balance_fen: AnyFen
    held_fen: AnyFen
    captured_fen: AnyFen
    refunded_fen: AnyFen
    taken_back_fen: AnyFen
    uses: int
    granted_at: datetime
    expires_at: datetime
    contract: VoucherContract | None = None


async def my_vouchers(ctx: Context, principal: Principal, query: PageQuery) -> Page[VoucherAnswer]:
    """The vouchers of the person the channel acts for, oldest first, without contracts."""
    assert principal.person_id is not None
    async with ctx.pool.acquire() as connection:
        found = await vouchers_of_person(
            connection, principal.person_id, principal.programme_id, after_id(query), query.limit + 1
        )
    return page_of([_answer(view, None) for view in found], query, lambda one: one.id)


async def my_voucher(ctx: Context, principal: Principal, voucher_id: UUID) -> VoucherAnswer:
    """One of the person's own vouchers with its contract. Raises Refused ``not_found`` (404)."""
    assert principal.person_id is not None
    async with ctx.pool.acquire() as connection:
        view = await voucher_of_person(connection, principal.person_id, principal.programme_id, voucher_id)
    if view is None:
        raise not_found("voucher")
    compiled = read_compiled(view.compiled.encode())
    contract = VoucherContract(
        zh=contract_text(compiled, "zh", lambda code: _place(view, code, "zh")),
        en=contract_text(compiled, "en", lambda code: _place(view, code, "en")),
        digest=digest(compiled),
    )
    return _answer(view, contract)


def _place(view: VoucherView, code: str, language: Literal["zh", "en"]) -> str:
    named = view.place_names.get(code, {}).get(language)
    known = full_name_zh(code) if language == "zh" else None  # the standard knows Chinese names only
    return named or known or code


def _answer(view: VoucherView, contract: VoucherContract | None) -> VoucherAnswer:
    row = view.row
    return VoucherAnswer(
        id=row.id,
        campaign=view.campaign,
        name=Names(zh=view.name_zh, en=view.name_en),
        campaign_state=view.campaign_state,
        state=row.state,
        face_fen=row.face_fen,
        balance_fen=row.balance_fen,
        held_fen=row.held_fen,
        captured_fen=row.captured_fen,
        refunded_fen=row.refunded_fen,
        taken_back_fen=row.taken_back_fen,
        uses=row.uses,
        granted_at=row.granted_at,
        expires_at=row.expires_at,
        contract=contract,
    )
