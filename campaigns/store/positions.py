"""What an operating institution holds and owes: its custody accounts, and the payables of merchants it receives for."""

from typing import NamedTuple
from uuid import UUID

from campaigns.store.pool import Connection

_CAMPAIGNS = """
SELECT c.id, c.code, c.state, c.definition -> 'name' ->> 'zh' AS name_zh, c.definition -> 'name' ->> 'en' AS name_en
FROM campaign c
WHERE c.programme_id = $1 AND c.id < $3 AND (
    EXISTS (SELECT FROM funding f WHERE f.campaign_id = c.id AND f.operator_id = $2)
    OR EXISTS (SELECT FROM transfer t JOIN merchant m ON m.id = t.credit_id
               WHERE t.campaign_id = c.id AND t.credit_kind = 'payable' AND m.acquiring_operator_id = $2))
ORDER BY c.id DESC LIMIT $4
"""

_CUSTODY = """
WITH move AS (
    SELECT campaign_id, credit_kind AS account, kind, amount_fen FROM transfer
    WHERE campaign_id = ANY ($2::uuid[]) AND credit_kind IN ('escrow', 'outstanding', 'held') AND credit_id = $1
    UNION ALL
    SELECT campaign_id, debit_kind, kind, -amount_fen FROM transfer
    WHERE campaign_id = ANY ($2::uuid[]) AND debit_kind IN ('escrow', 'outstanding', 'held') AND debit_id = $1
)
SELECT campaign_id, coalesce(sum(amount_fen) FILTER (WHERE kind = 'fund'), 0)::bigint AS funded_fen,
       coalesce(sum(amount_fen) FILTER (WHERE account = 'escrow'), 0)::bigint AS escrow_fen,
       coalesce(sum(amount_fen) FILTER (WHERE account = 'outstanding'), 0)::bigint AS outstanding_fen,
       coalesce(sum(amount_fen) FILTER (WHERE account = 'held'), 0)::bigint AS held_fen
FROM move GROUP BY campaign_id
"""

_PAYABLES = """
WITH move AS (
    SELECT campaign_id, credit_id AS merchant_id, credit_kind AS account, amount_fen FROM transfer
    WHERE campaign_id = ANY ($2::uuid[]) AND credit_kind IN ('payable', 'paid')
    UNION ALL
    SELECT campaign_id, debit_id, debit_kind, -amount_fen FROM transfer
    WHERE campaign_id = ANY ($2::uuid[]) AND debit_kind IN ('payable', 'paid')
)
SELECT move.campaign_id, m.id, m.code, m.name,
       coalesce(sum(amount_fen) FILTER (WHERE account = 'payable'), 0)::bigint AS payable_fen,
       coalesce(sum(amount_fen) FILTER (WHERE account = 'paid'), 0)::bigint AS paid_fen
FROM move JOIN merchant m ON m.id = move.merchant_id AND m.acquiring_operator_id = $1
WHERE m.id > $3 GROUP BY move.campaign_id, m.id ORDER BY m.id LIMIT $4
"""

_RECEIVED = f"""
SELECT campaign_id, count(*), sum(payable_fen)::bigint, sum(paid_fen)::bigint
FROM ({_PAYABLES.replace("WHERE m.id > $3 ", "").replace(" ORDER BY m.id LIMIT $4", "")}) AS merchants
GROUP BY campaign_id
"""


class CampaignRow(NamedTuple):
    """A campaign in which the operator holds money or receives for merchants."""

    id: UUID
    code: str
    state: str
    name_zh: str
    name_en: str


class CustodyRow(NamedTuple):
    """The operator's custody accounts of a campaign; ``funded_fen`` is all that ever came."""

    campaign_id: UUID
    funded_fen: int
    escrow_fen: int
    outstanding_fen: int
    held_fen: int


class ReceivedRow(NamedTuple):
    """The payables of a campaign to all merchants the operator receives for, in one sum."""

    campaign_id: UUID
    merchants: int
    payable_fen: int
    paid_fen: int


class PayableRow(NamedTuple):
    """What a campaign owes one merchant and has paid it."""

    campaign_id: UUID
    merchant_id: UUID
    code: str
    name: str
    payable_fen: int
    paid_fen: int


async def campaigns_with(
    connection: Connection, programme_id: UUID, operator_id: UUID, before: UUID, limit: int
) -> list[CampaignRow]:
    """The programme's campaigns that concern the operator, newest first."""
    rows = await connection.fetch(_CAMPAIGNS, programme_id, operator_id, before, limit)
    return [CampaignRow(*row.values()) for row in rows]


async def custody_of(
    connection: Connection, operator_id: UUID, campaign_ids: list[UUID]
) -> dict[UUID, CustodyRow]:
    """The operator's custody accounts by campaign."""
    rows = await connection.fetch(_CUSTODY, operator_id, campaign_ids)
    return {row["campaign_id"]: CustodyRow(*row.values()) for row in rows}


async def received_by(
    connection: Connection, operator_id: UUID, campaign_ids: list[UUID]
) -> dict[UUID, ReceivedRow]:
    """The sums over the merchants bound to the operator, by campaign."""
    rows = await connection.fetch(_RECEIVED, operator_id, campaign_ids)
    return {row["campaign_id"]: ReceivedRow(*row.values()) for row in rows}


async def payables_by(
    connection: Connection, operator_id: UUID, campaign_id: UUID, after: UUID, limit: int
) -> list[PayableRow]:
    """A campaign's payables to the merchants bound to the operator, in the order of merchants."""
    rows = await connection.fetch(_PAYABLES, operator_id, [campaign_id], after, limit)
    return [PayableRow(*row.values()) for row in rows]
