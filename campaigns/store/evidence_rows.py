"""What a payment's evidence is made of: its rows, and where each is sealed."""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from campaigns.domain.seals import Kind
from campaigns.store.pool import Connection
from campaigns.store.seal_rows import rows_by_key, transfer_key

MAX_AUDIT_ROWS: Final = 200
# Acts on a campaign that say what its money was under; of other acts only those about a subject of the payment.
CAMPAIGN_ACTS: Final = (
    "campaign.approve", "campaign.publish", "campaign.pause", "campaign.resume", "campaign.suspend", "campaign.close",
    "terms.approve",
)  # fmt: skip

_ABOUT = """
SELECT p.*, g.code AS programme, m.code AS merchant, m.name AS merchant_name, s.name AS store_name, s.place, s.zones,
       m.tags, m.mcc, s.scenario
FROM payment p JOIN programme g ON g.id = p.programme_id JOIN store s ON s.id = p.store_id
JOIN merchant m ON m.id = p.merchant_id WHERE p.id = $1 AND p.programme_id = $2
"""

_TERMS = """
SELECT t.id, t.campaign_id, t.compiled, t.digest, c.code, c.time_zone, c.definition -> 'place_names' AS place_names
FROM terms_version t JOIN campaign c ON c.id = t.campaign_id WHERE t.id = ANY($1::bigint[]) ORDER BY t.id
"""

_TRANSFERS = """
SELECT cause_id, kind, line FROM transfer
WHERE cause_id = ANY($1::uuid[]) OR cause_id = ANY($2::uuid[]) AND kind = 'grant' ORDER BY seq
"""

# Without the approval the terms prove nothing: it comes first, then what happened to the campaigns, then to the payment
# itself, and of merchant, store and till the newest.
_ACTS = """
SELECT id, count(*) OVER () AS there FROM audit WHERE programme_id = $1
    AND (campaign_id = ANY($2::uuid[]) AND action = ANY($5::text[]) OR subject_id = ANY($3::uuid[] || $4::uuid[]))
ORDER BY (campaign_id = ANY($2::uuid[]) AND action IN ('campaign.approve', 'terms.approve')) IS TRUE DESC,
    (campaign_id = ANY($2::uuid[]) AND action = ANY($5::text[])) IS TRUE DESC,
    (subject_id = ANY($3::uuid[])) IS TRUE DESC, id DESC
LIMIT $6
"""

_FIRST_TX = """
SELECT cause_id, min(tx)::text::bigint AS tx FROM transfer
WHERE cause_id = ANY($1::uuid[]) AND kind IN ('authorize', 'redeem', 'refund', 'undo') GROUP BY 1
"""


class Wanted(NamedTuple):
    """The keys of the rows that belong to a payment, and refunds that moved nothing, which no block holds.

    ``acts_left_out`` is how many acts there are beyond `MAX_AUDIT_ROWS`.
    """

    keys: dict[Kind, list[bytes]]
    without_value: tuple[UUID, ...]
    acts_left_out: int


class FoundRow(NamedTuple):
    """A row as it is now: its key, leaf and text, and the transaction it was written by."""

    kind: Kind
    key: bytes
    leaf: bytes
    text: str
    tx: int


async def payment_about(connection: Connection, programme_id: UUID, payment_id: UUID) -> Any:
    """The payment's row with programme, merchant and store; None if there is none in the programme."""
    return await connection.fetchrow(_ABOUT, payment_id, programme_id)


async def payment_line_states(connection: Connection, payment_id: UUID) -> list[Any]:
    """The payment's lines in order."""
    return await connection.fetch(
        "SELECT * FROM payment_line WHERE payment_id = $1 ORDER BY line", payment_id
    )


async def terms_parts(connection: Connection, version_ids: Collection[int]) -> list[Any]:
    """Terms versions with their campaigns' codes."""
    return await connection.fetch(_TERMS, list(version_ids))


async def wanted_rows(connection: Connection, payment: Any, lines: Sequence[Any]) -> Wanted:
    """Find what belongs to a payment: transfers, vouchers with their grants, refunds, acts about its subjects."""
    vouchers = sorted({line["voucher_id"] for line in lines})
    campaigns = sorted({line["campaign_id"] for line in lines})
    refunds = await connection.fetch("SELECT id FROM refund WHERE payment_id = $1 ORDER BY id", payment["id"])
    causes = [payment["id"], *(row["id"] for row in refunds)]
    transfers = await connection.fetch(_TRANSFERS, causes, vouchers)
    moved = {row["cause_id"] for row in transfers}
    shop = [payment["merchant_id"], payment["store_id"], payment["terminal_id"]]
    acts = await connection.fetch(
        _ACTS, payment["programme_id"], campaigns, [*causes, *vouchers], shop, CAMPAIGN_ACTS, MAX_AUDIT_ROWS
    )
    keys: dict[Kind, list[bytes]] = {
        "payment": [payment["id"].bytes],
        "transfer": [transfer_key(row["cause_id"], row["kind"], row["line"]) for row in transfers],
        "refund": [row["id"].bytes for row in refunds if row["id"] in moved],
        "voucher": [voucher.bytes for voucher in vouchers],
        "audit": [number.to_bytes(8) for number in sorted(row["id"] for row in acts)],
    }
    without_value = tuple(row["id"] for row in refunds if row["id"] not in moved)
    return Wanted(keys, without_value, (acts[0]["there"] if acts else 0) - len(acts))


async def found_rows(connection: Connection, wanted: Wanted) -> list[FoundRow]:
    """The rows as they are now, with the transactions by which they are in a block."""
    causes = [UUID(bytes=key) for key in (*wanted.keys["payment"], *wanted.keys["refund"])]
    first = {row["cause_id"].bytes: row["tx"] for row in await connection.fetch(_FIRST_TX, causes)}
    found = []
    for kind, keys in wanted.keys.items():
        rows = {row["key"]: row for row in await connection.fetch(rows_by_key(kind), keys)}
        for key in keys:
            row = rows[key]
            tx = first[key] if kind in ("payment", "refund") else int(row["text"].rpartition("\ntx ")[2])
            found.append(FoundRow(kind, key, row["leaf"], row["text"], tx))
    return found


async def block_of(connection: Connection, tx: int, newest: int) -> int | None:
    """The block that holds a transaction; None if none does yet. Blocks follow each other, so halving finds it."""
    low, high = 1, newest + 1
    while low < high:
        middle = (low + high) // 2
        upto_tx = await connection.fetchval(
            "SELECT upto_tx::text::bigint FROM seal_block WHERE number = $1", middle
        )
        if upto_tx is None or tx < upto_tx:
            high = middle
        else:
            low = middle + 1
    return low if low <= newest else None
