"""The canonical text of a sealed row and its leaf, made by PostgreSQL for many rows at once. See docs/seals.md.

A text is lines "name value": first the kind and the version of the format, then what never changes of the row. It
depends on no setting of the session: times are in UTC to the microsecond, free text is JSON, NULL is nothing.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, get_args
from uuid import UUID

from campaigns.domain.ledger import TransferKind
from campaigns.domain.seals import KINDS, Kind

# A block is looked up row by row: for some thousand of them the planner would read whole tables that grow for years.
BY_INDEX: Final = """
SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off; SET LOCAL jit = off
"""
TRANSFER_KINDS: Final[tuple[TransferKind, ...]] = get_args(TransferKind)


class Source(NamedTuple):
    """How one kind's rows are read: ``range`` and ``keys`` are FROM clauses, the latter by keys in ``$1``.

    ``text``, ``key`` and ``order`` are expressions over either; ``range`` uses the columns from_tx and upto_tx of b.
    """

    range: str
    keys: str
    text: str
    key: str
    order: str
    campaign: str


def _time(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def _text(title: str, fields: Mapping[str, str]) -> str:
    parts = [f"E'{title}'", *(f"E'\\n{name} ', {value}" for name, value in fields.items())]
    return f"concat({', '.join(parts)})"


def _same(*columns: str) -> dict[str, str]:
    return {column.rpartition(".")[2]: column for column in columns}


_ORDINAL = (
    "CASE t.kind "
    + " ".join(f"WHEN '{kind}' THEN '\\x{i:02x}'::bytea" for i, kind in enumerate(TRANSFER_KINDS))
    + " END"
)
_BLOCK = "{0}.tx >= b.from_tx AND {0}.tx < b.upto_tx"
_TRANSFER_KEYS = "SELECT substr(k, 1, 16) AS cause, substr(k, 17, 3) AS rest FROM unnest($1::bytea[]) AS k"
_UUIDS = "(SELECT encode(k, 'hex')::uuid FROM unnest($1::bytea[]) AS k)"
_LINES = """(SELECT string_agg(concat(E'\\nline ', l.line, ' ', l.voucher_id, ' ', l.campaign_id, ' ', l.operator_id, ' ',
    l.terms_version_id, ' ', l.eligible_fen, ' ', l.available_fen, ' ', l.authorized_fen), '' ORDER BY l.line)
    FROM payment_line l WHERE l.payment_id = p.id)"""

SOURCES: Final[Mapping[Kind, Source]] = {
    "transfer": Source(
        range=f"transfer t WHERE {_BLOCK.format('t')}",
        keys=f"transfer t JOIN ({_TRANSFER_KEYS}) AS k ON t.cause_id = encode(k.cause, 'hex')::uuid"
        f" WHERE ({_ORDINAL}) || int2send(t.line) = k.rest",
        text=_text(
            "transfer/1",
            _same("t.cause_id", "t.kind", "t.line", "t.campaign_id", "t.operator_id")
            | {"debit": "t.debit_kind, ' ', t.debit_id", "credit": "t.credit_kind, ' ', t.credit_id"}
            | {"amount_fen": "t.amount_fen", "at": _time("t.at"), "seq": "t.seq", "tx": "t.tx"},
        ),
        key=f"uuid_send(t.cause_id) || {_ORDINAL} || int2send(t.line)",
        order="t.cause_id, t.kind, t.line",
        campaign="t.campaign_id",
    ),
    "voucher": Source(
        range=f"voucher v WHERE {_BLOCK.format('v')}",
        keys=f"voucher v WHERE v.id IN {_UUIDS}",
        text=_text(
            "voucher/1",
            _same("v.id", "v.campaign_id", "v.person_id", "v.allotment_id", "v.operator_id", "v.terms_version_id")
            | {"face_fen": "v.face_fen", "granted_at": _time("v.granted_at"), "expires_at": _time("v.expires_at")}
            | {"tx": "v.tx"},
        ),
        key="uuid_send(v.id)",
        order="v.id",
        campaign="v.campaign_id",
    ),
    "audit": Source(
        range=f"audit a WHERE {_BLOCK.format('a')}",
        keys="audit a WHERE a.id IN (SELECT ('x' || encode(k, 'hex'))::bit(64)::bigint FROM unnest($1::bytea[]) AS k)",
        text=_text(
            "audit/1",
            {"id": "a.id", "at": _time("a.at"), "real_at": _time("a.real_at")}
            | _same("a.programme_id", "a.campaign_id")
            | {"actor_kind": "to_json(a.actor_kind)", "actor_id": "a.actor_id", "action": "to_json(a.action)"}
            | _same("a.subject_id", "a.facts", "a.tx"),
        ),
        key="int8send(a.id)",
        order="a.id",
        campaign="a.campaign_id",
    ),
    # A payment is sealed with its first transfers, a refund with its own; one that moved nothing has none.
    "payment": Source(
        range=f"(SELECT DISTINCT t.cause_id FROM transfer t WHERE {_BLOCK.format('t')}"
        " AND t.kind IN ('authorize', 'redeem')) AS t JOIN payment p ON p.id = t.cause_id",
        keys=f"payment p WHERE p.id IN {_UUIDS}",
        text=_text(
            "payment/1",
            _same("p.id", "p.programme_id", "p.person_id", "p.merchant_id", "p.store_id", "p.terminal_id", "p.code_id")
            | _same("p.basket_fen", "p.purchase", "p.subsidy_fen")
            | {"authorized_at": _time("p.authorized_at"), "hold_until": f"{_time('p.hold_until')}, {_LINES}"},
        ),
        key="uuid_send(p.id)",
        order="p.id",
        campaign="(SELECT min(l.campaign_id::text)::uuid FROM payment_line l WHERE l.payment_id = p.id)",
    ),
    "refund": Source(
        range=f"(SELECT DISTINCT t.cause_id FROM transfer t WHERE {_BLOCK.format('t')}"
        " AND t.kind IN ('refund', 'undo')) AS t JOIN refund r ON r.id = t.cause_id",
        keys=f"refund r WHERE r.id IN {_UUIDS}",
        text=_text(
            "refund/1",
            _same("r.id", "r.payment_id", "r.kind", "r.returned_goods_fen", "r.back_fen") | {"at": _time("r.at")},
        ),
        key="uuid_send(r.id)",
        order="r.id",
        campaign="(SELECT min(l.campaign_id::text)::uuid FROM payment_line l WHERE l.payment_id = r.payment_id)",
    ),
}  # fmt: skip

assert set(SOURCES) == set(KINDS)


def leaf(source: Source) -> str:
    """The expression for a row's leaf: SHA-256 over a zero byte and its text (RFC 9162)."""
    return f"sha256('\\x00'::bytea || convert_to({source.text}, 'UTF8'))"


def list_query(kind: Kind) -> str:
    """A scalar subquery for the list of one kind in block ``b``: key and leaf of each row, by key."""
    source = SOURCES[kind]
    packed = f"string_agg({source.key} || {leaf(source)}, ''::bytea ORDER BY {source.order})"
    return f"(SELECT coalesce({packed}, '') FROM {source.range})"


def rows_in_block(kind: Kind) -> str:
    """Key, leaf and campaign of one kind's rows of block number $1."""
    source = SOURCES[kind]
    columns = f"{source.key} AS key, {leaf(source)} AS leaf, {source.campaign} AS campaign_id"
    return f"SELECT rows.* FROM seal_block b, LATERAL (SELECT {columns} FROM {source.range}) AS rows WHERE b.number = $1"


def rows_by_key(kind: Kind) -> str:
    """Key, leaf, campaign and text of one kind's rows with the keys $1, whatever transaction they name."""
    source = SOURCES[kind]
    columns = f"{source.key} AS key, {leaf(source)} AS leaf, {source.campaign} AS campaign_id, {source.text} AS text"
    return f"SELECT {columns} FROM {source.keys}"


def key_text(kind: Kind, key: bytes) -> str:
    """A row's key for people: ``0198.../capture/1``, an id, an audit row's number."""
    if kind == "audit":
        return str(int.from_bytes(key, signed=True))
    subject = str(UUID(bytes=key[:16]))
    if kind != "transfer":
        return subject
    return f"{subject}/{TRANSFER_KINDS[key[16]]}/{int.from_bytes(key[17:19], signed=True)}"


def transfer_key(cause_id: UUID, kind: TransferKind, line: int) -> bytes:
    """The key of a transfer in its list."""
    return cause_id.bytes + bytes([TRANSFER_KINDS.index(kind)]) + line.to_bytes(2, signed=True)
