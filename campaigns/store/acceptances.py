"""What a batch of acceptances locks and reads: many awards, perhaps of several campaigns, set-wise."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from campaigns.store.awards import FIND, AwardRow
from campaigns.store.pool import Connection

_PLACES = """
SELECT a.id, a.person_id, c.programme_id, c.id, c.seq
FROM award a JOIN campaign c ON c.id = a.campaign_id WHERE a.id = ANY ($1::uuid[])
"""

# In the order in which whoever locks many awards of one campaign does it, see `campaigns.store.awards`.
_LOCK = f"{FIND} WHERE a.id = ANY ($1::uuid[]) ORDER BY a.campaign_id, a.rank, a.id FOR UPDATE OF a, l"

_STANDING = """
SELECT c.id, c.state, c.acceptance_start, c.time_zone, (SELECT campaign_now()),
       (SELECT t.id FROM terms_version t WHERE t.campaign_id = c.id ORDER BY t.version DESC LIMIT 1)
FROM campaign c WHERE c.id = ANY ($1::uuid[])
"""


class Place(NamedTuple):
    """Whose an award is and what must be locked for it; that never changes. ``seq`` is its campaign's lock."""

    award_id: UUID
    person_id: UUID
    programme_id: UUID
    campaign_id: UUID
    seq: int


class Standing(NamedTuple):
    """A campaign as acceptance needs it, and the campaign time: read after the locks."""

    campaign_id: UUID
    state: str
    acceptance_start: datetime | None
    time_zone: str
    now: datetime
    terms_version_id: int


async def places_of(connection: Connection, award_ids: Collection[UUID]) -> dict[UUID, Place]:
    """Where these awards belong, by id, before anything is locked; unknown ones are left out."""
    rows = await connection.fetch(_PLACES, list(award_ids))
    return {row[0]: Place(*row.values()) for row in rows}


async def lock_awards(connection: Connection, award_ids: Collection[UUID]) -> dict[UUID, AwardRow]:
    """Lock awards and their allotments, the campaigns being held, and read them by id."""
    rows = await connection.fetch(_LOCK, list(award_ids))
    return {row["id"]: AwardRow(*row.values()) for row in rows}


async def standings_of(connection: Connection, campaign_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """The campaigns with their newest terms, all at one campaign time."""
    rows = await connection.fetch(_STANDING, list(campaign_ids))
    return {row[0]: Standing(*row.values()) for row in rows}
