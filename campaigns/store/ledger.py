"""Writing transfers and reading balances."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from campaigns.domain.ledger import Account, Transfer
from campaigns.store.pool import Connection
from campaigns.store.statements import Statement, run_together

_INSERT = """
INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind,
                      credit_id, amount_fen, at)
SELECT cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind, credit_id, amount_fen, $11
FROM unnest($1::uuid[], $2::transfer_kind[], $3::smallint[], $4::uuid[], $5::uuid[], $6::account_kind[],
            $7::uuid[], $8::account_kind[], $9::uuid[], $10::bigint[])
     AS t (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind, credit_id, amount_fen)
"""

_BALANCES = """
SELECT kind, holder_id, sum(amount_fen)::bigint AS balance_fen FROM (
    SELECT credit_kind AS kind, credit_id AS holder_id, amount_fen FROM transfer WHERE campaign_id = $1
    UNION ALL
    SELECT debit_kind, debit_id, -amount_fen FROM transfer WHERE campaign_id = $1
) AS moves GROUP BY kind, holder_id
"""


async def write_transfers(connection: Connection, transfers: Sequence[Transfer], at: datetime) -> None:
    """Append ``transfers``, all at the campaign time ``at``, in one statement."""
    await run_together(connection, transfers_insert(transfers, at))


def transfers_insert(transfers: Sequence[Transfer], at: datetime) -> list[Statement]:
    """What appends ``transfers``, all at the campaign time ``at``."""
    if not transfers:
        return []
    columns = list(zip(*transfers, strict=True))
    debits = list(zip(*columns[5], strict=True))
    credits_ = list(zip(*columns[6], strict=True))
    return [Statement(_INSERT, [*columns[:5], *debits, *credits_, columns[7], at])]


async def balances(connection: Connection, campaign_id: UUID) -> dict[Account, int]:
    """Answer every account of a campaign with its balance in fen (credits - debits)."""
    rows = await connection.fetch(_BALANCES, campaign_id)
    return {Account(row["kind"], row["holder_id"]): row["balance_fen"] for row in rows}
