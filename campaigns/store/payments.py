"""Payments and their lines, refunds and announcements: read, locked and written, many at a time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from campaigns.domain.errors import Refused
from campaigns.domain.payments import Books, LineRow, PaymentRow
from campaigns.domain.terms.facts import Item
from campaigns.store.ledger import transfers_insert
from campaigns.store.pool import Connection
from campaigns.store.statements import Statement, of_rows, run_together
from campaigns.store.usage import usage_update
from campaigns.store.vouchers import vouchers_update

CODE_ONCE = "payment_code"  # the unique index that lets a payment code pay once
TableRefused = asyncpg.IntegrityConstraintViolationError  # by a key or check; ``table_name`` says whose

_LINES_OF = """
SELECT payment_id, line, voucher_id, campaign_id, operator_id, terms_version_id, eligible_fen, available_fen,
       authorized_fen, held_fen, captured_fen, refunded_fen
FROM payment_line WHERE payment_id = ANY($1::uuid[]) ORDER BY payment_id, line
"""

_LOCK = "SELECT * FROM payment WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
_LOCK_ENDED = """
SELECT * FROM payment WHERE id = ANY($1::uuid[]) AND state = 'held' ORDER BY id FOR UPDATE SKIP LOCKED
"""

_LINE_LOCKS = """
SELECT l.payment_id, l.voucher_id, l.campaign_id, c.seq, c.state
FROM payment_line l JOIN campaign c ON c.id = l.campaign_id WHERE l.payment_id = ANY($1::uuid[])
"""

_INSERT = """
INSERT INTO payment (id, programme_id, person_id, merchant_id, store_id, terminal_id, code_id, basket_fen, purchase,
    state, subsidy_fen, captured_basket_fen, captured_fen, authorized_at, hold_until, captured_at)
SELECT * FROM json_to_recordset($1) AS t (id uuid, programme_id uuid, person_id uuid, merchant_id uuid, store_id uuid,
    terminal_id uuid, code_id uuid, basket_fen bigint, purchase jsonb, state text, subsidy_fen bigint,
    captured_basket_fen bigint, captured_fen bigint, authorized_at timestamptz, hold_until timestamptz,
    captured_at timestamptz)
"""

_INSERT_LINES = """
INSERT INTO payment_line (payment_id, line, voucher_id, campaign_id, operator_id, terms_version_id, eligible_fen,
    available_fen, authorized_fen, held_fen, captured_fen)
SELECT p.id, l.* FROM json_to_recordset($1) AS p (id uuid, lines json), json_to_recordset(p.lines) AS l (line smallint,
    voucher_id uuid, campaign_id uuid, operator_id uuid, terms_version_id bigint, eligible_fen bigint,
    available_fen bigint, authorized_fen bigint, held_fen bigint, captured_fen bigint)
"""

_UPDATE = """
UPDATE payment SET state = t.state, captured_basket_fen = t.captured_basket_fen, captured_fen = t.captured_fen,
    returned_goods_fen = t.returned_goods_fen, refunded_fen = t.refunded_fen, gone_items = t.gone_items,
    undo_asked_at = t.undo_asked_at, captured_at = t.captured_at, ended_at = t.ended_at
FROM json_to_recordset($1) AS t (id uuid, state text, captured_basket_fen bigint, captured_fen bigint,
    returned_goods_fen bigint, refunded_fen bigint, gone_items jsonb, undo_asked_at timestamptz,
    captured_at timestamptz, ended_at timestamptz)
WHERE payment.id = t.id
"""

_UPDATE_LINES = """
UPDATE payment_line AS old SET held_fen = l.held_fen, captured_fen = l.captured_fen, refunded_fen = l.refunded_fen
FROM json_to_recordset($1) AS p (id uuid, lines json),
    json_to_recordset(p.lines) AS l (line smallint, held_fen bigint, captured_fen bigint, refunded_fen bigint)
WHERE old.payment_id = p.id AND old.line = l.line
"""

_INSERT_REFUNDS = """
INSERT INTO refund (id, payment_id, kind, returned_goods_fen, back_fen, at)
SELECT * FROM json_to_recordset($1)
    AS t (id uuid, payment_id uuid, kind text, returned_goods_fen bigint, back_fen bigint, at timestamptz)
"""

_OWNERS = "SELECT id, programme_id, merchant_id, person_id, code_id FROM payment WHERE id = ANY($1::uuid[])"

_ENDED_HOLDS = """
SELECT id FROM payment p WHERE state = 'held' AND hold_until <= (SELECT campaign_now())
    AND NOT EXISTS (SELECT FROM payment_line l JOIN campaign c ON c.id = l.campaign_id
                    WHERE l.payment_id = p.id AND c.state = 'suspended')
ORDER BY hold_until LIMIT $1
"""


class LineLock(NamedTuple):
    """What has to be locked before a payment's line may change."""

    payment_id: UUID
    voucher_id: UUID
    campaign_id: UUID
    seq: int
    campaign_state: str


class Owners(NamedTuple):
    """Whose a payment is; that never changes. ``code_id`` is none where the holder paid with a store code."""

    programme_id: UUID
    merchant_id: UUID
    person_id: UUID
    code_id: UUID | None


async def owners_of(connection: Connection, payment_ids: Iterable[UUID]) -> dict[UUID, Owners]:
    """Whose these payments are, before anything is locked for a caller whom one does not concern."""
    rows = await connection.fetch(_OWNERS, list(payment_ids))
    return {row[0]: Owners(row[1], row[2], row[3], row[4]) for row in rows}


async def line_locks(connection: Connection, payment_ids: Iterable[UUID]) -> list[LineLock]:
    """Vouchers and campaigns of payments, to lock in order; which they are never changes."""
    return [LineLock(*row.values()) for row in await connection.fetch(_LINE_LOCKS, list(payment_ids))]


async def lock_payments(
    connection: Connection, ids: Iterable[UUID], *, held_only: bool = False
) -> dict[UUID, PaymentRow]:
    """Lock payments in id order and read them with their lines, their vouchers being locked.

    ``held_only`` leaves out those that are no longer held or that somebody else has locked.
    """
    rows = await connection.fetch(_LOCK_ENDED if held_only else _LOCK, sorted(set(ids)))
    return await _payments_of(connection, rows)


async def read_payments(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, PaymentRow]:
    """Read payments with their lines, without a lock."""
    rows = await connection.fetch("SELECT * FROM payment WHERE id = ANY($1::uuid[]) ORDER BY id", ids)
    return await _payments_of(connection, rows)


async def ended_holds(connection: Connection, limit: int) -> list[UUID]:
    """Holds whose time is over, the longest over first, not locked yet; none on a suspended campaign."""
    return [row["id"] for row in await connection.fetch(_ENDED_HOLDS, limit)]


async def codes_used(connection: Connection, code_ids: Sequence[UUID]) -> set[UUID]:
    """Which of the codes have paid."""
    rows = await connection.fetch("SELECT code_id FROM payment WHERE code_id = ANY($1::uuid[])", code_ids)
    return {row["code_id"] for row in rows}


async def write_books(connection: Connection, books: Books, at: datetime) -> None:
    """Write what the acts of one transaction came to: each row's final value once, and the transfers.

    Raises Refused ``code_already_used``.
    """
    statements = [
        *vouchers_update([row for row in books.vouchers.values() if row.changed]),
        *_payments_and_lines(books.new_payments, _INSERT, _INSERT_LINES),
        *_payments_and_lines(list(books.payments.values()), _UPDATE, _UPDATE_LINES),
        *usage_update(books.usage),
        *of_rows(books.refunds, _INSERT_REFUNDS),
        *transfers_insert(books.transfers, at),
    ]
    try:
        await run_together(connection, statements)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != CODE_ONCE:
            raise
        raise Refused("code_already_used") from None


def _payments_and_lines(payments: Sequence[PaymentRow], query: str, of_lines: str) -> list[Statement]:
    statements = of_rows(payments, query)
    lines = sum(len(payment.lines) for payment in payments)
    return statements + [Statement(of_lines, one.arguments, lines) for one in statements]


async def _payments_of(connection: Connection, rows: Sequence[Any]) -> dict[UUID, PaymentRow]:
    payments = {row["id"]: _payment(row) for row in rows}
    if payments:
        for row in await connection.fetch(_LINES_OF, list(payments)):
            payments[row["payment_id"]].lines.append(
                LineRow(**{name: row[name] for name in LineRow.__struct_fields__})
            )
    return payments


def _payment(row: Any) -> PaymentRow:
    columns = {name: row[name] for name in PaymentRow.__struct_fields__ if name not in ("items", "lines")}
    columns["items"] = msgspec.convert(row["purchase"]["items"], tuple[Item, ...])
    columns["gone_items"] = msgspec.convert(row["gone_items"], tuple[Item, ...])
    return PaymentRow(**columns)
