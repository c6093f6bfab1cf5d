"""The books of one campaign as rows to read: ledger lines, and who holds an account."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from campaigns.domain.ledger import AccountKind, TransferKind
from campaigns.store.pool import Connection

_NEWEST = """
SELECT seq, at, kind, cause_id, line, operator_id, debit_kind, debit_id, credit_kind, credit_id, amount_fen
FROM transfer WHERE campaign_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3
"""

_HOLDERS = """
SELECT id, code, name_zh, name_en FROM funder WHERE id = ANY ($1::uuid[])
UNION ALL SELECT id, code, name_zh, name_en FROM operator WHERE id = ANY ($1::uuid[])
UNION ALL SELECT id, code, name, name FROM merchant WHERE id = ANY ($1::uuid[])
"""


class TransferRow(NamedTuple):
    """One ledger line with its place in the books."""

    seq: int
    at: datetime
    kind: TransferKind
    cause_id: UUID
    line: int
    operator_id: UUID
    debit_kind: AccountKind
    debit_id: UUID
    credit_kind: AccountKind
    credit_id: UUID
    amount_fen: int


class Holder(NamedTuple):
    """A funder, operator or merchant; a merchant has one name for both languages."""

    code: str
    name_zh: str
    name_en: str


async def newest_transfers(
    connection: Connection, campaign_id: UUID, before: int, limit: int
) -> list[TransferRow]:
    """The campaign's ledger lines before a number, the newest first."""
    return [TransferRow(*row.values()) for row in await connection.fetch(_NEWEST, campaign_id, before, limit)]


async def holders(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Holder]:
    """Who these account holders are; one that nobody knows is left out."""
    rows = await connection.fetch(_HOLDERS, list(ids))
    return {row["id"]: Holder(row["code"], row["name_zh"], row["name_en"]) for row in rows}
