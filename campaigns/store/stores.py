"""Where a payment happens: a terminal with its store and merchant; what paying asks of campaigns and wallets."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct

from campaigns.domain.payments import CampaignRow, FunderRow
from campaigns.domain.terms.facts import Store
from campaigns.domain.terms.model import Channel
from campaigns.store.pool import Connection

_TILLS = """
SELECT m.programme_id, t.store_code, t.id AS terminal_id, t.channel, t.active AND s.active AND m.active AS active,
       s.id AS store_id, s.name AS store_name, s.place, s.zones, s.scenario, m.id AS merchant_id, m.code AS merchant,
       m.tags, m.mcc
FROM terminal t JOIN store s ON s.id = t.store_id JOIN merchant m ON m.id = s.merchant_id
WHERE t.id = ANY($1::uuid[]) OR t.store_code = ANY($2::text[])
"""

_WALLETS_OF = """
SELECT w.person_id, o.code FROM wallet w JOIN operator o ON o.id = w.operator_id WHERE w.person_id = ANY($1::uuid[])
"""
_CAMPAIGNS = """
SELECT id, seq, code, state, refund_days, closed_at FROM campaign WHERE id = ANY($1::uuid[])
"""

_STANDING = """
SELECT t.now, t.codes_used, c.id, c.seq, c.code, c.state, c.refund_days, c.closed_at
FROM (SELECT campaign_now() AS now,
             ARRAY(SELECT code_id FROM payment WHERE code_id = ANY($2::uuid[])) AS codes_used OFFSET 0) AS t
LEFT JOIN campaign c ON c.id = ANY($1::uuid[])
"""

_FUNDERS = """
SELECT f.id, f.share_bp,
       (SELECT coalesce(sum(amount_fen), 0) FROM funding WHERE campaign_id = $1 AND funder_id = f.id)::bigint
     - (SELECT coalesce(sum(amount_fen), 0) FROM transfer
        WHERE campaign_id = $1 AND credit_kind = 'returned' AND credit_id = f.id)::bigint AS spent_fen
FROM funder f WHERE f.campaign_id = $1 ORDER BY f.id
"""


class Till(Struct, frozen=True, kw_only=True):
    """A terminal where vouchers are spent. ``active`` only if terminal, store and merchant all are."""

    terminal_id: UUID
    channel: Channel
    active: bool
    store_name: str
    store: Store


async def tills(
    connection: Connection, terminal_ids: Collection[UUID], store_codes: Collection[str]
) -> tuple[dict[tuple[UUID, UUID], Till], dict[tuple[UUID, str], Till]]:
    """Tills by (programme, terminal) and by (programme, store code), in one statement."""
    rows = await connection.fetch(_TILLS, list(terminal_ids), list(store_codes))
    by_id, by_code = {}, {}
    for row in rows:
        till = _till(row)
        by_id[row["programme_id"], till.terminal_id] = till
        by_code[row["programme_id"], row["store_code"]] = till
    return by_id, by_code


async def wallets_of(connection: Connection, person_ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """Codes of the operators at which each of the persons has a wallet; who has none is left out."""
    found: dict[UUID, set[str]] = {}
    for row in await connection.fetch(_WALLETS_OF, list(person_ids)):
        found.setdefault(row["person_id"], set()).add(row["code"])
    return {person_id: frozenset(codes) for person_id, codes in found.items()}


async def campaigns_of(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, CampaignRow]:
    """What paying needs to know of the campaigns; read after their locks."""
    rows = await connection.fetch(_CAMPAIGNS, list(set(ids)))
    return {row["id"]: CampaignRow(**dict(row)) for row in rows}


class Standing(NamedTuple):
    """What is read once the locks of campaigns, vouchers and payments are held, all in one statement."""

    now: datetime
    campaigns: dict[UUID, CampaignRow]
    codes_used: set[UUID]


async def standing_of(
    connection: Connection, campaign_ids: Collection[UUID], code_ids: Collection[UUID]
) -> Standing:
    """Campaign time, the campaigns, and which of the payment codes have paid."""
    rows = await connection.fetch(_STANDING, list(campaign_ids), list(code_ids))
    campaigns = {
        row["id"]: CampaignRow(
            id=row["id"], seq=row["seq"], code=row["code"], state=row["state"], refund_days=row["refund_days"],
            closed_at=row["closed_at"],
        )
        for row in rows
        if row["id"] is not None
    }  # fmt: skip
    return Standing(rows[0]["now"], campaigns, set(rows[0]["codes_used"]))


async def funders_of(connection: Connection, campaign_id: UUID) -> list[FunderRow]:
    """The funders of a campaign with what each has paid net so far; the campaign is locked alone."""
    return [FunderRow(**dict(row)) for row in await connection.fetch(_FUNDERS, campaign_id)]


def _till(row: Any) -> Till:
    return Till(
        terminal_id=row["terminal_id"],
        channel=row["channel"],
        active=row["active"],
        store_name=row["store_name"],
        store=Store(
            merchant=row["merchant"],
            merchant_id=row["merchant_id"],
            store_id=row["store_id"],
            place=row["place"],
            zones=frozenset(row["zones"]),
            tags=frozenset(row["tags"]),
            mcc=row["mcc"],
            scenario=row["scenario"],
        ),
    )
