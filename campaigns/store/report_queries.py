"""What the report asks of the tables: one query for each part, all on the caller's snapshot."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from campaigns.domain.terms.facts import Store
from campaigns.store.pool import Connection

_HEAD = """
SELECT c.id, c.code, c.state, c.definition, c.time_zone, c.spending_start, c.spending_end, c.registration_start,
       c.closed_at, c.programme_id, p.name_zh, p.name_en, k.mode, clock_timestamp() + k.shift AS at,
       (SELECT id FROM terms_version t WHERE t.campaign_id = c.id ORDER BY version DESC LIMIT 1) AS terms_version_id
FROM campaign c JOIN programme p ON p.id = c.programme_id CROSS JOIN clock k
WHERE c.id = $1 AND ($2::uuid IS NULL OR c.programme_id = $2)
"""

_NAMED = "SELECT id FROM campaign WHERE code = $1 OR id::text = $1 ORDER BY created_at DESC, id DESC LIMIT 2"

_ENTRIES = """
SELECT count(*) AS entries, count(struck_reason) AS struck FROM entry WHERE campaign_id = $1
"""

# A packet is an allotment; a place given up is awarded again, so it may have had several winners.
_PACKETS = """
WITH awarded AS (
    SELECT allotment_id, count(*) AS awards, count(*) FILTER (WHERE state = 'lapsed') AS lapsed,
           count(*) FILTER (WHERE state = 'declined') AS declined
    FROM award WHERE campaign_id = $1 GROUP BY allotment_id
), used AS (
    SELECT DISTINCT l.voucher_id FROM payment_line l JOIN payment p ON p.id = l.payment_id
    WHERE l.campaign_id = $1 AND p.state = 'captured'
), packet AS (
    SELECT a.face_fen, v.id IS NOT NULL AS accepted, v.id IS NOT NULL OR w.awards IS NOT NULL AS drawn,
           w.awards, w.lapsed, w.declined, u.voucher_id IS NOT NULL AS used,
           coalesce(v.captured_fen - v.refunded_fen = v.face_fen, false) AS done,
           CASE WHEN v.state = 'expired' THEN v.taken_back_fen ELSE 0 END AS taken_fen
    FROM allotment a
    LEFT JOIN voucher v ON v.campaign_id = a.campaign_id AND v.allotment_id = a.id
    LEFT JOIN awarded w ON w.allotment_id = a.id
    LEFT JOIN used u ON u.voucher_id = v.id
    WHERE a.campaign_id = $1
)
SELECT count(*) AS offered, coalesce(sum(face_fen), 0)::bigint AS offered_fen,
       count(*) FILTER (WHERE drawn) AS drawn,
       coalesce(sum(face_fen) FILTER (WHERE drawn), 0)::bigint AS drawn_fen,
       count(*) FILTER (WHERE accepted) AS accepted,
       coalesce(sum(face_fen) FILTER (WHERE accepted), 0)::bigint AS accepted_fen,
       count(*) FILTER (WHERE used) AS used,
       coalesce(sum(face_fen) FILTER (WHERE used), 0)::bigint AS used_fen,
       count(*) FILTER (WHERE done) AS done,
       coalesce(sum(face_fen) FILTER (WHERE done), 0)::bigint AS done_fen,
       count(*) FILTER (WHERE taken_fen > 0) AS expired,
       coalesce(sum(taken_fen), 0)::bigint AS expired_fen,
       coalesce(sum(awards - 1) FILTER (WHERE awards > 1), 0)::bigint AS called_in,
       coalesce(sum(lapsed), 0)::bigint AS lapsed, coalesce(sum(declined), 0)::bigint AS declined
FROM packet
"""

# Own money of a payment that several campaigns paid belongs to each by its part of the captured subsidy.
_BY_STORE = """
WITH part AS (
    SELECT payment_id, sum(captured_fen)::bigint AS captured_fen, sum(refunded_fen)::bigint AS refunded_fen
    FROM payment_line WHERE campaign_id = $1 GROUP BY payment_id
)
SELECT p.store_id, p.merchant_id, s.place, s.scenario, m.code AS merchant, m.name AS merchant_name,
       count(*) AS payments, count(*) FILTER (WHERE p.state = 'undone') AS undone,
       sum(part.captured_fen)::bigint AS captured_fen, sum(part.refunded_fen)::bigint AS refunded_fen,
       coalesce(sum((p.captured_basket_fen - p.returned_goods_fen - p.captured_fen + p.refunded_fen)
                    * part.captured_fen / nullif(p.captured_fen, 0)), 0)::bigint AS own_fen
FROM part JOIN payment p ON p.id = part.payment_id JOIN store s ON s.id = p.store_id
JOIN merchant m ON m.id = p.merchant_id
WHERE p.captured_at IS NOT NULL
GROUP BY p.store_id, p.merchant_id, s.place, s.scenario, m.code, m.name
"""

_PAYMENT_STATES = """
SELECT p.state, count(*) AS times FROM payment p
WHERE p.id IN (SELECT payment_id FROM payment_line WHERE campaign_id = $1) GROUP BY p.state
"""

_REFUNDS = """
SELECT count(*) FROM refund
WHERE kind = 'refund' AND payment_id IN (SELECT payment_id FROM payment_line WHERE campaign_id = $1)
"""

_DAYS = """
SELECT (at AT TIME ZONE $2)::date AS day,
       count(DISTINCT cause_id) FILTER (WHERE kind IN ('capture', 'redeem')) AS payments,
       coalesce(sum(amount_fen) FILTER (WHERE kind IN ('capture', 'redeem')), 0)::bigint AS captured_fen,
       coalesce(sum(amount_fen) FILTER (WHERE kind IN ('refund', 'undo')), 0)::bigint AS refunded_fen
FROM transfer WHERE campaign_id = $1 AND kind IN ('capture', 'redeem', 'refund', 'undo')
GROUP BY 1 ORDER BY 1
"""

_REFUSALS = """
SELECT action, code, count(*) AS times FROM refusal WHERE campaign_id = $1 GROUP BY action, code
"""

_UNATTRIBUTED = """
SELECT count(*) FROM refusal r JOIN merchant m ON m.id = r.merchant_id
WHERE r.campaign_id IS NULL AND m.programme_id = $1 AND r.action IN ('redeem', 'authorize')
  AND r.at >= $2 AND r.at < $3
"""

_FUNDERS = """
SELECT f.id, f.code, f.name_zh, f.name_en, f.share_bp FROM funder f WHERE f.campaign_id = $1
ORDER BY f.share_bp DESC, f.id
"""

_STORES = """
SELECT m.id AS merchant_id, m.code, m.tags, m.mcc, s.id AS store_id, s.place, s.zones, s.scenario
FROM store s JOIN merchant m ON m.id = s.merchant_id
WHERE m.programme_id = $1 AND m.active AND s.active
  AND EXISTS (SELECT FROM terminal t WHERE t.store_id = s.id AND t.active)
"""


class Head(NamedTuple):
    """A campaign and the moment the report is made at."""

    id: UUID
    code: str
    state: str
    definition: Any
    time_zone: str
    spending_start: datetime
    spending_end: datetime
    registration_start: datetime | None
    closed_at: datetime | None
    programme_id: UUID
    name_zh: str
    name_en: str
    mode: str
    at: datetime
    terms_version_id: int | None


class Packets(NamedTuple):
    """Counts and face values (``_fen``) of a campaign's packets by how far they came."""

    offered: int
    offered_fen: int
    drawn: int
    drawn_fen: int
    accepted: int
    accepted_fen: int
    used: int
    used_fen: int
    done: int
    done_fen: int
    expired: int
    expired_fen: int
    called_in: int
    lapsed: int
    declined: int


class StoreSum(NamedTuple):
    """The captured payments of one store, for this campaign's part of them."""

    store_id: UUID
    merchant_id: UUID
    place: str
    scenario: str
    merchant: str
    merchant_name: str
    payments: int
    undone: int
    captured_fen: int
    refunded_fen: int
    own_fen: int


class DaySum(NamedTuple):
    """Captures and refunds of one local day."""

    day: date
    payments: int
    captured_fen: int
    refunded_fen: int


class FunderRow(NamedTuple):
    """A funder of the campaign."""

    id: UUID
    code: str
    name_zh: str
    name_en: str
    share_bp: int


class RefusalSum(NamedTuple):
    """How often an act was refused with a code."""

    action: str
    code: str
    times: int


async def head(connection: Connection, campaign_id: UUID, programme_id: UUID | None) -> Head | None:
    """The campaign, if it is there and of that programme (None: of any)."""
    row = await connection.fetchrow(_HEAD, campaign_id, programme_id)
    return None if row is None else Head(*row)


async def ids_named(connection: Connection, name: str) -> list[UUID]:
    """Up to two campaigns whose code or id this is."""
    return [row["id"] for row in await connection.fetch(_NAMED, name)]


async def entries(connection: Connection, campaign_id: UUID) -> tuple[int, int]:
    """How many entered, and how many of them were struck or withdrew."""
    row = await connection.fetchrow(_ENTRIES, campaign_id)
    return row["entries"], row["struck"]


async def packets(connection: Connection, campaign_id: UUID) -> Packets:
    """The campaign's packets by how far they came."""
    return Packets(*await connection.fetchrow(_PACKETS, campaign_id))


async def by_store(connection: Connection, campaign_id: UUID) -> list[StoreSum]:
    """Captured payments, store by store."""
    return [StoreSum(*row) for row in await connection.fetch(_BY_STORE, campaign_id)]


async def payment_states(connection: Connection, campaign_id: UUID) -> dict[str, int]:
    """How many payments are in each state."""
    return {row["state"]: row["times"] for row in await connection.fetch(_PAYMENT_STATES, campaign_id)}


async def refund_count(connection: Connection, campaign_id: UUID) -> int:
    """How many refunds were made; undos are not among them."""
    return int(await connection.fetchval(_REFUNDS, campaign_id))


async def by_day(connection: Connection, campaign_id: UUID, time_zone: str) -> list[DaySum]:
    """Captures and refunds by local day, from the ledger."""
    return [DaySum(*row) for row in await connection.fetch(_DAYS, campaign_id, time_zone)]


async def refusals(connection: Connection, campaign_id: UUID) -> list[RefusalSum]:
    """Refused acts by code."""
    return [RefusalSum(*row) for row in await connection.fetch(_REFUSALS, campaign_id)]


async def unattributed_refusals(
    connection: Connection, programme_id: UUID, start: datetime, end: datetime
) -> int:
    """Payments of the programme refused in [start, end) before any campaign was known."""
    return int(await connection.fetchval(_UNATTRIBUTED, programme_id, start, end))


async def funders(connection: Connection, campaign_id: UUID) -> list[FunderRow]:
    """The funders, the largest share first."""
    return [FunderRow(*row) for row in await connection.fetch(_FUNDERS, campaign_id)]


async def open_stores(connection: Connection, programme_id: UUID) -> list[Store]:
    """Every active store with an active terminal of an active merchant, as `decide` sees it."""
    return [
        Store(
            merchant=row["code"],
            merchant_id=row["merchant_id"],
            store_id=row["store_id"],
            place=row["place"],
            zones=frozenset(row["zones"]),
            tags=frozenset(row["tags"]),
            mcc=row["mcc"],
            scenario=row["scenario"],
        )
        for row in await connection.fetch(_STORES, programme_id)
    ]
