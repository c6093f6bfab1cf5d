"""Where a payment happens: a terminal with its store and merchant; what paying asks of campaigns and wallets."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from msgspec import Struct

from campaigns.domain.payments import CampaignRow, FunderRow
from campaigns.domain.terms.facts import Store
from campaigns.domain.terms.model import Channel
from campaigns.store.pool import Connection

_TILL = """
SELECT t.id AS terminal_id, t.channel, t.active AND s.active AND m.active AS active, s.id AS store_id, s.name AS store_name,
       s.place, s.zones, s.scenario, m.id AS merchant_id, m.code AS merchant, m.tags, m.mcc
FROM terminal t JOIN store s ON s.id = t.store_id JOIN merchant m ON m.id = s.merchant_id
WHERE m.programme_id = $2 AND t.
"""
_BY_ID = _TILL.rstrip() + "id = $1"
_BY_STORE_CODE = _TILL.rstrip() + "store_code = $1"

_WALLETS = """
SELECT o.code FROM wallet w JOIN operator o ON o.id = w.operator_id WHERE w.person_id = $1
"""

_CAMPAIGNS = """
SELECT id, seq, code, state, refund_days, closed_at FROM campaign WHERE id = ANY($1::uuid[])
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


async def till_by_id(connection: Connection, terminal_id: UUID, programme_id: UUID) -> Till | None:
    """The till of this id in the programme."""
    return _till(await connection.fetchrow(_BY_ID, terminal_id, programme_id))


async def till_by_store_code(connection: Connection, store_code: str, programme_id: UUID) -> Till | None:
    """The till whose printed store code this is, in the programme."""
    return _till(await connection.fetchrow(_BY_STORE_CODE, store_code, programme_id))


async def wallet_operators(connection: Connection, person_id: UUID) -> frozenset[str]:
    """Codes of the operators at which the person has a wallet."""
    return frozenset(row["code"] for row in await connection.fetch(_WALLETS, person_id))


async def campaigns_of(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, CampaignRow]:
    """What paying needs to know of the campaigns; read after their locks."""
    rows = await connection.fetch(_CAMPAIGNS, list(set(ids)))
    return {row["id"]: CampaignRow(**dict(row)) for row in rows}


async def funders_of(connection: Connection, campaign_id: UUID) -> list[FunderRow]:
    """The funders of a campaign with what each has paid net so far; the campaign is locked alone."""
    return [FunderRow(**dict(row)) for row in await connection.fetch(_FUNDERS, campaign_id)]


def _till(row: Any) -> Till | None:
    if row is None:
        return None
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
