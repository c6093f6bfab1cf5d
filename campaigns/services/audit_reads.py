"""What auditors read: the log of acts of the programme, and a campaign's books line by line and account by account."""

from datetime import datetime
from typing import Annotated, Final, get_args
from uuid import UUID

from msgspec import Meta, Struct

from campaigns.domain.errors import Fact
from campaigns.domain.ledger import Account, AccountKind
from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.fields import AmountFen, AnyFen, Names
from campaigns.services.paging import Page, PageQuery, before_number, page_of
from campaigns.store.audit_log import AuditRow, acts
from campaigns.store.books import Holder, TransferRow, holders, newest_transfers
from campaigns.store.campaigns import campaign_row
from campaigns.store.ledger import balances
from campaigns.store.locks import campaign_now

ACCOUNTS: Final[tuple[AccountKind, ...]] = get_args(AccountKind)


class LogQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of the log, of one campaign or of one kind of act if named."""

    campaign_id: UUID | None = None
    action: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class Actor(Struct, frozen=True, kw_only=True):
    """Who acted: the subject behind the key. ``login`` is set for staff alone."""

    kind: str
    id: UUID
    login: str | None


class Act(Struct, frozen=True, kw_only=True):
    """One act of the log, at campaign time."""

    id: int
    at: datetime
    campaign_id: UUID | None
    campaign: str | None
    actor: Actor
    action: str
    subject_id: UUID | None
    facts: dict[str, Fact]


class AccountAnswer(Struct, frozen=True, kw_only=True):
    """An account of a campaign. ``code`` is its holder's: a funder's, an operator's or a merchant's."""

    kind: AccountKind
    holder_id: UUID
    code: str | None


class TransferAnswer(Struct, frozen=True, kw_only=True):
    """One ledger line: ``amount_fen`` moved from ``debit`` to ``credit``, in custody of ``operator``."""

    seq: int
    at: datetime
    kind: str
    cause_id: UUID
    line: int
    operator: str | None
    debit: AccountAnswer
    credit: AccountAnswer
    amount_fen: AmountFen


class BalanceAnswer(Struct, frozen=True, kw_only=True):
    """An account with its balance: credits - debits. Of all accounts together it is 0."""

    kind: AccountKind
    holder_id: UUID
    code: str | None
    name: Names | None
    balance_fen: AnyFen


class Balances(Struct, frozen=True, kw_only=True):
    """Every account a campaign's ledger names, all at one moment."""

    campaign_id: UUID
    campaign: str
    at: datetime
    accounts: tuple[BalanceAnswer, ...]


async def audit_log(ctx: Context, principal: Principal, query: LogQuery) -> Page[Act]:
    """The acts of the caller's programme, newest first. Raises Refused ``not_found`` for an unknown campaign."""
    programme_id = principal.programme_id
    async with ctx.pool.acquire() as connection:
        if query.campaign_id is not None:
            await campaign_row(connection, programme_id, query.campaign_id)
        rows = await acts(
            connection, programme_id, query.campaign_id, query.action, before_number(query), query.limit + 1
        )
    return page_of([_act(row) for row in rows], query, lambda one: one.id)


async def campaign_transfers(
    ctx: Context, principal: Principal, campaign_id: UUID, query: PageQuery
) -> Page[TransferAnswer]:
    """A campaign's ledger lines, newest first. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        await campaign_row(connection, principal.programme_id, campaign_id)
        rows = await newest_transfers(connection, campaign_id, before_number(query), query.limit + 1)
        named = {row.operator_id for row in rows}
        named.update(holder for row in rows for holder in (row.debit_id, row.credit_id))
        known = await holders(connection, named)
    return page_of([_transfer(row, known) for row in rows], query, lambda one: one.seq)


async def campaign_balances(ctx: Context, principal: Principal, campaign_id: UUID) -> Balances:
    """A campaign's accounts with their balances, on one snapshot. Raises Refused ``not_found``."""
    async with (
        ctx.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        campaign = await campaign_row(connection, principal.programme_id, campaign_id)
        found = await balances(connection, campaign_id)
        known = await holders(connection, {account.holder_id for account in found})
        at = await campaign_now(connection)
    accounts = [_balance(account, balance_fen, known) for account, balance_fen in found.items()]
    accounts.sort(key=lambda one: (ACCOUNTS.index(one.kind), one.code or "", one.holder_id))
    return Balances(campaign_id=campaign_id, campaign=campaign.code, at=at, accounts=tuple(accounts))


def _act(row: AuditRow) -> Act:
    return Act(
        id=row.id,
        at=row.at,
        campaign_id=row.campaign_id,
        campaign=row.campaign,
        actor=Actor(kind=row.actor_kind, id=row.actor_id, login=row.actor_login),
        action=row.action,
        subject_id=row.subject_id,
        facts=row.facts,
    )


def _code(known: dict[UUID, Holder], holder_id: UUID) -> str | None:
    return known[holder_id].code if holder_id in known else None


def _transfer(row: TransferRow, known: dict[UUID, Holder]) -> TransferAnswer:
    return TransferAnswer(
        seq=row.seq,
        at=row.at,
        kind=row.kind,
        cause_id=row.cause_id,
        line=row.line,
        operator=_code(known, row.operator_id),
        debit=AccountAnswer(kind=row.debit_kind, holder_id=row.debit_id, code=_code(known, row.debit_id)),
        credit=AccountAnswer(kind=row.credit_kind, holder_id=row.credit_id, code=_code(known, row.credit_id)),
        amount_fen=row.amount_fen,
    )


def _balance(account: Account, balance_fen: int, known: dict[UUID, Holder]) -> BalanceAnswer:
    holder = known.get(account.holder_id)
    return BalanceAnswer(
        kind=account.kind,
        holder_id=account.holder_id,
        code=holder.code if holder else None,
        name=Names(zh=holder.name_zh, en=holder.name_en) if holder else None,
        balance_fen=balance_fen,
    )
