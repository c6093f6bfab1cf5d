"""Writing transfers and reading balances."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.ledger import Account, AccountKind, Transfer, TransferKind
from campaigns.store.pool import Connection
from campaigns.store.statements import Statement, of_rows, run_together

_INSERT = """
INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind,
                      credit_id, amount_fen, at)
SELECT t.*, $2 FROM json_to_recordset($1) AS t (cause_id uuid, kind transfer_kind, line smallint, campaign_id uuid,
    operator_id uuid, debit_kind account_kind, debit_id uuid, credit_kind account_kind, credit_id uuid, amount_fen bigint)
"""

_BALANCES = """
SELECT kind, holder_id, sum(amount_fen)::bigint AS balance_fen FROM (
    SELECT credit_kind AS kind, credit_id AS holder_id, amount_fen FROM transfer WHERE campaign_id = $1
    UNION ALL
    SELECT debit_kind, debit_id, -amount_fen FROM transfer WHERE campaign_id = $1
) AS moves GROUP BY kind, holder_id
"""


class _Line(Struct):
    cause_id: UUID
    kind: TransferKind
    line: int
    campaign_id: UUID
    operator_id: UUID
    debit_kind: AccountKind
    debit_id: UUID
    credit_kind: AccountKind
    credit_id: UUID
    amount_fen: int


async def write_transfers(connection: Connection, transfers: Sequence[Transfer], at: datetime) -> None:
    """Append ``transfers``, all at the campaign time ``at``, in one statement."""
    await run_together(connection, transfers_insert(transfers, at))


def transfers_insert(transfers: Sequence[Transfer], at: datetime) -> list[Statement]:
    """What appends ``transfers``, all at the campaign time ``at``."""
    rows = [_Line(*one[:5], *one.debit, *one.credit, one.amount_fen) for one in transfers]
    return of_rows(rows, _INSERT, at)


async def balances(connection: Connection, campaign_id: UUID) -> dict[Account, int]:
    """Answer every account of a campaign with its balance in fen (credits - debits)."""
    rows = await connection.fetch(_BALANCES, campaign_id)
    return {Account(row["kind"], row["holder_id"]): row["balance_fen"] for row in rows}
