"""Vouchers: finding a person's, locking them in id order, writing them back, and those to expire."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct

from campaigns.domain.pay import MAX_VOUCHERS
from campaigns.domain.vouchers import VoucherRow
from campaigns.store.pool import Connection
from campaigns.store.statements import Statement, of_rows

_COLUMNS = """id, campaign_id, person_id, operator_id, terms_version_id, face_fen, balance_fen, held_fen, captured_fen,
    refunded_fen, taken_back_fen, uses, state, granted_at, expires_at"""

# Vouchers with something left come first, so that spent ones never crowd them out of the limit.
# OFFSET 0 keeps the planner from walking through all live vouchers for each person (25 ms of a batch, tried).
_CANDIDATES_OF = """
SELECT asked.person_id, asked.programme_id, found.id, found.seq
FROM unnest($1::uuid[], $2::uuid[]) AS asked (person_id, programme_id) CROSS JOIN LATERAL (
    SELECT v.id, c.seq
    FROM (SELECT id, campaign_id, state, balance_fen FROM voucher WHERE person_id = asked.person_id OFFSET 0) AS v
    JOIN campaign c ON c.id = v.campaign_id
    WHERE v.state = 'live' AND c.programme_id = asked.programme_id
    ORDER BY v.balance_fen = 0, v.id LIMIT $3
) AS found
"""

_FIELDS = tuple(name for name in VoucherRow.__struct_fields__ if name != "changed")

_LOCK = f"SELECT {_COLUMNS} FROM voucher WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
_LOCK_FREE = f"{_LOCK} SKIP LOCKED"
_READ = f"SELECT {_COLUMNS} FROM voucher WHERE id = ANY($1::uuid[]) ORDER BY id"

_UPDATE = """
UPDATE voucher SET balance_fen = t.balance_fen, held_fen = t.held_fen, captured_fen = t.captured_fen,
    refunded_fen = t.refunded_fen, taken_back_fen = t.taken_back_fen, uses = t.uses, state = t.state
FROM json_to_recordset($1) AS t (id uuid, balance_fen bigint, held_fen bigint, captured_fen bigint, refunded_fen bigint,
    taken_back_fen bigint, uses int, state text)
WHERE voucher.id = t.id
"""

_TO_EXPIRE = """
SELECT v.id, c.seq FROM voucher v JOIN campaign c ON c.id = v.campaign_id
WHERE v.state = 'live' AND v.expires_at <= (SELECT campaign_now()) AND c.state <> 'suspended' ORDER BY v.expires_at LIMIT $1
"""

_OF_PERSON = """
SELECT v.*, c.code AS campaign, c.definition -> 'name' ->> 'zh' AS name_zh, c.definition -> 'name' ->> 'en' AS name_en,
       c.definition -> 'place_names' AS place_names, c.state AS campaign_state, t.compiled
FROM voucher v JOIN campaign c ON c.id = v.campaign_id JOIN terms_version t ON t.id = v.terms_version_id
WHERE v.person_id = $1 AND c.programme_id = $2 AND v.id > $3 ORDER BY v.id LIMIT $4
"""

_ONE_OF_PERSON = _OF_PERSON.replace("v.id > $3 ORDER BY v.id LIMIT $4", "v.id = $3")


class Candidate(NamedTuple):
    """A voucher to lock, and its campaign's lock number."""

    id: UUID
    seq: int


class Holding(NamedTuple):
    """A person's vouchers of one programme."""

    person_id: UUID
    programme_id: UUID


class VoucherView(Struct, frozen=True, kw_only=True):
    """A voucher with its campaign and terms, for its own holder."""

    row: VoucherRow
    campaign: str
    name_zh: str
    name_en: str
    campaign_state: str
    compiled: str
    place_names: dict[str, dict[str, str]]


async def candidates_of(
    connection: Connection, holders: Collection[Holding]
) -> dict[Holding, list[Candidate]]:  # fmt: skip
    """Each one's live vouchers of the programme, at most MAX_VOUCHERS, not locked yet; who has none is left out."""
    found: dict[Holding, list[Candidate]] = {}
    if holders:
        columns = zip(*holders, strict=True)
        for row in await connection.fetch(_CANDIDATES_OF, *columns, MAX_VOUCHERS):
            found.setdefault(Holding(row[0], row[1]), []).append(Candidate(row[2], row[3]))
    return found


async def lock_vouchers(
    connection: Connection, ids: Iterable[UUID], *, skip_locked: bool = False
) -> dict[UUID, VoucherRow]:
    """Lock vouchers in id order and read them; with ``skip_locked`` leave out those somebody else holds."""
    rows = await connection.fetch(_LOCK_FREE if skip_locked else _LOCK, sorted(set(ids)))
    return {row["id"]: _voucher(row) for row in rows}


async def read_vouchers(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, VoucherRow]:
    """Read vouchers without a lock: for quotes."""
    return {row["id"]: _voucher(row) for row in await connection.fetch(_READ, list(ids))}


def vouchers_update(vouchers: Sequence[VoucherRow]) -> list[Statement]:
    """What writes the moving columns of locked vouchers, one final value per row."""
    return of_rows(vouchers, _UPDATE)


async def vouchers_to_expire(connection: Connection, limit: int) -> list[Candidate]:
    """Live vouchers whose time is over, the longest over first, not locked yet; none of a suspended campaign."""
    return [Candidate(*row.values()) for row in await connection.fetch(_TO_EXPIRE, limit)]


async def vouchers_of_person(
    connection: Connection, person_id: UUID, programme_id: UUID, after: UUID, limit: int
) -> list[VoucherView]:
    """All vouchers of a person in id order, spent and expired ones too."""
    return [_view(row) for row in await connection.fetch(_OF_PERSON, person_id, programme_id, after, limit)]


async def voucher_of_person(
    connection: Connection, person_id: UUID, programme_id: UUID, voucher_id: UUID
) -> VoucherView | None:
    """One voucher of this very person, or None."""
    row = await connection.fetchrow(_ONE_OF_PERSON, person_id, programme_id, voucher_id)
    return None if row is None else _view(row)


def _voucher(row: Any) -> VoucherRow:
    return VoucherRow(**{name: row[name] for name in _FIELDS})


def _view(row: Any) -> VoucherView:
    return VoucherView(
        row=_voucher(row),
        campaign=row["campaign"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        campaign_state=row["campaign_state"],
        compiled=row["compiled"],
        place_names=row["place_names"] or {},
    )
