"""Awards, their allotments, the waitlist and those passed over."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from campaigns.store.pool import Connection

_COLUMNS = """
a.id, a.campaign_id, a.window_id, a.person_id, a.entry_id, a.allotment_id, a.tier, a.rank, a.state, a.accept_until,
a.awarded_at, a.ended_at, l.operator_id, l.face_fen
"""
FIND = f"SELECT {_COLUMNS} FROM award a JOIN allotment l ON l.id = a.allotment_id"

_INSERT = """
INSERT INTO award (id, campaign_id, window_id, person_id, entry_id, allotment_id, tier, rank, accept_until, awarded_at)
SELECT id, $1, $2, person_id, entry_id, allotment_id, tier, rank, $3, $4
FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::smallint[], $10::integer[])
     AS t (id, person_id, entry_id, allotment_id, tier, rank)
"""

_TAKE = "UPDATE allotment SET state = 'awarded' WHERE id = ANY ($1::uuid[]) AND state = 'free'"
_RELEASE = "UPDATE allotment SET state = 'free' WHERE id = ANY ($1::uuid[]) AND state = 'awarded'"
_END = "UPDATE award SET state = $2, ended_at = $3 WHERE id = ANY ($1::uuid[]) AND state = 'live'"

_DUE = f"""
{FIND} JOIN entry e ON e.id = a.entry_id
WHERE a.campaign_id = $1 AND a.state = 'live' AND a.accept_until <= $2 AND NOT e.accept_if_won
ORDER BY a.rank LIMIT $3 FOR UPDATE OF a SKIP LOCKED
"""

_TICKED = f"""
{FIND} JOIN entry e ON e.id = a.entry_id
WHERE a.campaign_id = $1 AND a.state = 'live' AND e.accept_if_won
ORDER BY a.rank LIMIT $2 FOR UPDATE OF a SKIP LOCKED
"""

_LIVE_OF = f"""
{FIND} WHERE a.campaign_id = $1 AND a.state = 'live' AND a.accept_until > $2 AND a.person_id = ANY ($3::uuid[])
ORDER BY a.rank, a.id FOR UPDATE OF a
"""

_CAMPAIGNS_TO_SWEEP = """
SELECT DISTINCT c.id, c.programme_id
FROM award a JOIN campaign c ON c.id = a.campaign_id JOIN entry e ON e.id = a.entry_id
WHERE a.state = 'live' AND c.state = 'published' AND (e.accept_if_won OR a.accept_until <= campaign_now())
LIMIT $1
"""

_INSERT_WAITING = """
INSERT INTO waitlist (draw_id, rank, entry_id, person_id, stratum, taken_at, skip_reason)
SELECT $1, rank, entry_id, person_id, stratum, taken_at, skip_reason
FROM unnest($2::integer[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::text[])
     AS t (rank, entry_id, person_id, stratum, taken_at, skip_reason)
"""

_WAITING = """
SELECT w.rank, w.entry_id, e.code, w.person_id, w.stratum, e.accept_if_won
FROM waitlist w JOIN entry e ON e.id = w.entry_id
WHERE w.draw_id = $1 AND w.taken_at IS NULL AND w.skip_reason IS NULL ORDER BY w.rank
"""

_MARK_WAITING = """
UPDATE waitlist SET taken_at = t.taken_at, skip_reason = t.skip_reason
FROM unnest($2::integer[], $3::timestamptz[], $4::text[]) AS t (rank, taken_at, skip_reason)
WHERE waitlist.draw_id = $1 AND waitlist.rank = t.rank
"""

_INSERT_SKIPS = """
INSERT INTO skip (draw_id, rank, entry_code, reason, at)
SELECT $1, rank, entry_code, reason, $2 FROM unnest($3::integer[], $4::text[], $5::text[]) AS t (rank, entry_code, reason)
"""

_OF_PERSON = f"""
SELECT {_COLUMNS}, v.id AS voucher_id
FROM award a JOIN allotment l ON l.id = a.allotment_id JOIN campaign c ON c.id = a.campaign_id
LEFT JOIN voucher v ON v.campaign_id = a.campaign_id AND v.allotment_id = a.allotment_id AND a.state = 'granted'
WHERE a.person_id = $1 AND c.programme_id = $2 AND a.id > $3 ORDER BY a.id LIMIT $4
"""


class AwardRow(NamedTuple):
    """An award with the place and value of its allotment."""

    id: UUID
    campaign_id: UUID
    window_id: UUID
    person_id: UUID
    entry_id: UUID
    allotment_id: UUID
    tier: int
    rank: int
    state: str
    accept_until: datetime
    awarded_at: datetime
    ended_at: datetime | None
    operator_id: UUID
    face_fen: int


class NewAward(NamedTuple):
    """An award about to be written."""

    id: UUID
    person_id: UUID
    entry_id: UUID
    allotment_id: UUID
    tier: int
    rank: int


class WaitingRow(NamedTuple):
    """Someone still waiting."""

    rank: int
    entry_id: UUID
    code: str
    person_id: UUID
    stratum: str
    accept_if_won: bool


class NewWaiting(NamedTuple):
    """A row of the waitlist as the draw leaves it; taken or skipped at once where a winner was passed over."""

    rank: int
    entry_id: UUID
    person_id: UUID
    stratum: str
    taken_at: datetime | None
    skip_reason: str | None


class Skip(NamedTuple):
    """Who was passed over or gave a place up, and why."""

    rank: int
    code: str
    reason: str


async def insert_awards(
    connection: Connection,
    campaign_id: UUID,
    window_id: UUID,
    at: datetime,
    accept_until: datetime,
    awards: Sequence[NewAward],
) -> None:
    """Write awards and take their free allotments. The caller holds the campaign alone and has written the turns."""
    if not awards:
        return
    columns = [list(column) for column in zip(*awards, strict=True)]
    await connection.execute(_INSERT, campaign_id, window_id, accept_until, at, *columns)
    _all(await connection.execute(_TAKE, columns[3]), len(awards))


async def end_awards(connection: Connection, awards: Sequence[AwardRow], state: str, at: datetime) -> None:
    """End live awards as lapsed or declined; their allotments are free again."""
    if not awards:
        return
    _all(await connection.execute(_END, [award.id for award in awards], state, at), len(awards))
    _all(await connection.execute(_RELEASE, [award.allotment_id for award in awards]), len(awards))


async def mark_granted(connection: Connection, awards: Sequence[AwardRow], at: datetime) -> None:
    """End live awards by their acceptance; granting the vouchers moves the allotments."""
    if awards:
        _all(await connection.execute(_END, [award.id for award in awards], "granted", at), len(awards))


def _all(status: str, expected: int) -> None:
    assert int(status.rpartition(" ")[2]) == expected, (
        f"{status}, expected {expected}: the campaign was not held"
    )


async def lock_award(connection: Connection, award_id: UUID, person_id: UUID) -> AwardRow | None:
    """The person's award, its row locked."""
    row = await connection.fetchrow(
        f"{FIND} WHERE a.id = $1 AND a.person_id = $2 FOR UPDATE OF a, l", award_id, person_id
    )
    return AwardRow(*row) if row else None


async def award_campaign(connection: Connection, award_id: UUID, person_id: UUID) -> UUID | None:
    """The campaign of a person's award."""
    campaign_id: UUID | None = await connection.fetchval(
        "SELECT campaign_id FROM award WHERE id = $1 AND person_id = $2", award_id, person_id
    )
    return campaign_id


async def due_awards(connection: Connection, campaign_id: UUID, at: datetime, limit: int) -> list[AwardRow]:
    """Live awards past their deadline, locked; those taken by a tick never lapse."""
    return [AwardRow(*row) for row in await connection.fetch(_DUE, campaign_id, at, limit)]


async def ticked_awards(connection: Connection, campaign_id: UUID, limit: int) -> list[AwardRow]:
    """Live awards whose entrants asked to accept for them, locked."""
    return [AwardRow(*row) for row in await connection.fetch(_TICKED, campaign_id, limit)]


async def live_awards_of(
    connection: Connection, campaign_id: UUID, at: datetime, person_ids: Sequence[UUID]
) -> list[AwardRow]:
    """The awards of these persons that can still be accepted at ``at``, locked."""
    return [AwardRow(*row) for row in await connection.fetch(_LIVE_OF, campaign_id, at, list(person_ids))]


async def campaigns_to_sweep(connection: Connection, limit: int) -> list[tuple[UUID, UUID]]:
    """(campaign, programme) of running campaigns with awards to accept by a tick or to lapse."""
    return [(row[0], row[1]) for row in await connection.fetch(_CAMPAIGNS_TO_SWEEP, limit)]


async def award_of_entry(connection: Connection, entry_id: UUID) -> AwardRow | None:
    """The award an entry won, ended ones too."""
    row = await connection.fetchrow(f"{FIND} WHERE a.entry_id = $1", entry_id)
    return AwardRow(*row) if row else None


async def awards_of(
    connection: Connection, programme_id: UUID, person_id: UUID, after: UUID, limit: int
) -> list[tuple[AwardRow, UUID | None]]:
    """A person's awards by id, each with its voucher where it was accepted."""
    rows = await connection.fetch(_OF_PERSON, person_id, programme_id, after, limit)
    return [(AwardRow(*tuple(row)[:-1]), row["voucher_id"]) for row in rows]


async def insert_waitlist(connection: Connection, draw_id: UUID, rows: Sequence[NewWaiting]) -> None:
    """Write the waitlist of a draw."""
    if rows:
        await connection.execute(
            _INSERT_WAITING, draw_id, *(list(column) for column in zip(*rows, strict=True))
        )


async def waiting(connection: Connection, draw_id: UUID) -> list[WaitingRow]:
    """Those still waiting, best first. The caller holds the campaign alone."""
    return [WaitingRow(*row) for row in await connection.fetch(_WAITING, draw_id)]


async def waitlist_rank(connection: Connection, draw_id: UUID, entry_id: UUID) -> int | None:
    """The rank at which an entry waits or waited."""
    rank: int | None = await connection.fetchval(
        "SELECT rank FROM waitlist WHERE draw_id = $1 AND entry_id = $2", draw_id, entry_id
    )
    return rank


async def mark_waiting(
    connection: Connection, draw_id: UUID, marks: Sequence[tuple[int, datetime | None, str | None]]
) -> None:
    """Mark ranks of the waitlist as taken (at) or skipped (reason)."""
    if marks:
        await connection.execute(
            _MARK_WAITING, draw_id, *(list(column) for column in zip(*marks, strict=True))
        )


async def insert_skips(connection: Connection, draw_id: UUID, at: datetime, skips: Sequence[Skip]) -> None:
    """Append to the list of those passed over."""
    if skips:
        await connection.execute(
            _INSERT_SKIPS, draw_id, at, *(list(column) for column in zip(*skips, strict=True))
        )


async def skips_csv(connection: Connection, draw_id: UUID) -> bytes:
    """`skips.csv` as it stands: ``rank,entry_id,reason,time`` (Unix seconds), in the order of the acts."""
    rows = await connection.fetch(
        "SELECT rank, entry_code, reason, floor(extract(epoch FROM at))::bigint AS at FROM skip"
        " WHERE draw_id = $1 ORDER BY at, rank",
        draw_id,
    )
    return "".join(f"{row['rank']},{row['entry_code']},{row['reason']},{row['at']}\n" for row in rows).encode(
        "ascii"
    )
