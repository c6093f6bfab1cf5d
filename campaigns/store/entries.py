"""Entries of a draw: who entered, in which order, and who may."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from campaigns.store.pool import Connection

SEQUENCER_LOCKS = 2  # the first of the two advisory-lock numbers: gives out places in a campaign's log

_FIND = """
SELECT id, code, person_id, stratum, tickets, accept_if_won, log_index, entered_at, struck_reason
FROM entry WHERE campaign_id = $1
"""

_INSERT = """
INSERT INTO entry (id, campaign_id, person_id, code, stratum, tickets, accept_if_won, log_index, entered_at)
SELECT id, $1, person_id, code, stratum, 1, accept_if_won, log_index, entered_at
FROM unnest($2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::boolean[], $8::bigint[])
     AS t (entered_at, id, person_id, code, stratum, accept_if_won, log_index)
"""

_LACKING = """
SELECT p.id, pr.identifying_kind,
       EXISTS (SELECT FROM person_proof f WHERE f.person_id = p.id AND f.kind = pr.identifying_kind) AS proved,
       cardinality($3::text[]) = 0 OR EXISTS (
           SELECT FROM wallet w JOIN operator o ON o.id = w.operator_id
           WHERE w.person_id = p.id AND o.programme_id = p.programme_id AND o.code = ANY ($3::text[])) AS bound
FROM person p JOIN programme pr ON pr.id = p.programme_id
WHERE p.programme_id = $1 AND p.id = ANY ($2::uuid[])
"""

_STRIKE = """
UPDATE entry SET struck_reason = $3
WHERE campaign_id = $1 AND person_id = ANY ($2::uuid[]) AND struck_reason IS NULL
"""


class EntryRow(NamedTuple):
    """An entry as stored; ``log_index`` counts from 0 in order of arrival."""

    id: UUID
    code: str
    person_id: UUID
    stratum: str
    tickets: int
    accept_if_won: bool
    log_index: int
    entered_at: datetime
    struck_reason: str | None


class NewEntry(NamedTuple):
    """An entry about to be written."""

    id: UUID
    person_id: UUID
    code: str
    stratum: str
    accept_if_won: bool


class Standing(NamedTuple):
    """What a person has of what a campaign asks of its entrants."""

    identifying_kind: str  # the kind of proof the programme tells its residents apart by
    proved: bool  # they gave it
    bound: bool  # a wallet at one of the campaign's operators, where it asks for one


async def lock_log(connection: Connection, seq: int) -> int:
    """Become the only sequencer of a campaign's log until the transaction ends; answer the next index."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", SEQUENCER_LOCKS, seq)
    index: int = await connection.fetchval(
        "SELECT coalesce(max(e.log_index) + 1, 0) FROM entry e JOIN campaign c ON c.id = e.campaign_id"
        " WHERE c.seq = $1",
        seq,
    )
    return index


async def insert_entries(
    connection: Connection,
    campaign_id: UUID,
    first_index: int,
    times: Sequence[datetime],
    entries: Sequence[NewEntry],
) -> None:
    """Write entries in their order of arrival, the first at ``first_index``, ``times`` being when each arrived.

    The caller holds the log.
    """
    if not entries:
        return
    ids, persons, codes, strata, accepting = (list(column) for column in zip(*entries, strict=True))
    indexes = list(range(first_index, first_index + len(entries)))
    await connection.execute(
        _INSERT, campaign_id, list(times), ids, persons, codes, strata, accepting, indexes
    )


async def entry_of(connection: Connection, campaign_id: UUID, person_id: UUID) -> EntryRow | None:
    """The entry of a person in a campaign."""
    row = await connection.fetchrow(f"{_FIND} AND person_id = $2", campaign_id, person_id)
    return EntryRow(*row) if row else None


async def entrants(connection: Connection, campaign_id: UUID, person_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these persons have an entry in the campaign."""
    rows = await connection.fetch(
        "SELECT person_id FROM entry WHERE campaign_id = $1 AND person_id = ANY ($2::uuid[])",
        campaign_id,
        person_ids,
    )
    return frozenset(row[0] for row in rows)


async def entry_log(connection: Connection, campaign_id: UUID) -> list[EntryRow]:
    """Every entry of a campaign, struck ones too, in order of arrival."""
    return [EntryRow(*row) for row in await connection.fetch(f"{_FIND} ORDER BY log_index", campaign_id)]


async def entries_by_code(
    connection: Connection, campaign_id: UUID, codes: Sequence[str]
) -> dict[str, EntryRow]:
    """The entries with these codes."""
    rows = await connection.fetch(f"{_FIND} AND code = ANY ($2::text[])", campaign_id, codes)
    return {row["code"]: EntryRow(*row) for row in rows}


async def standings(
    connection: Connection, programme_id: UUID, person_ids: Sequence[UUID], operators: Sequence[str]
) -> dict[UUID, Standing]:
    """What each person has; persons of other programmes or none are left out. ``operators`` are codes."""
    rows = await connection.fetch(_LACKING, programme_id, person_ids, operators)
    return {row["id"]: Standing(row["identifying_kind"], row["proved"], row["bound"]) for row in rows}


async def strike(connection: Connection, campaign_id: UUID, person_ids: Sequence[UUID], reason: str) -> None:
    """Take the entries of these persons out of the list; they stay in the log."""
    if person_ids:
        await connection.execute(_STRIKE, campaign_id, person_ids, reason)


async def entry_codes(connection: Connection, entry_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Public ids of entries."""
    rows = await connection.fetch("SELECT id, code FROM entry WHERE id = ANY ($1::uuid[])", entry_ids)
    return {row["id"]: row["code"] for row in rows}
