"""When the background audit is due, and whom its findings concern."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from campaigns.store.pool import Connection

QUIET_HOURS: Final = 3  # the night's audit begins in these, or by day where there was none for two days
LOOK_BACK: Final = timedelta(hours=48)

# By the clock on the wall of the newest campaign's zone, in real time.
_WHOLE_IS_DUE: Final = """
WITH zone AS (
    SELECT coalesce((SELECT time_zone FROM campaign ORDER BY created_at DESC LIMIT 1), 'UTC') AS name
), quiet AS (
    SELECT (date_trunc('day', clock_timestamp() AT TIME ZONE name - make_interval(hours => $2))
            + make_interval(hours => $2)) AT TIME ZONE name AS began FROM zone
), last AS (SELECT max(real_at) AS at FROM audit WHERE action = $1)
SELECT coalesce(at < began AND (clock_timestamp() < began + make_interval(hours => $3)
                                OR at < clock_timestamp() - $4::interval), true)
FROM quiet, last
"""
_MARKED: Final = "SELECT EXISTS (SELECT FROM audit_mark WHERE at > clock_timestamp() - $1::interval)"
_LAST_FACTS: Final = """
SELECT facts FROM audit WHERE programme_id = $1 AND action = $2 ORDER BY id DESC LIMIT 1
"""
_PROGRAMMES_OF: Final = "SELECT id, programme_id FROM campaign WHERE id = ANY ($1::uuid[])"


async def whole_is_due(connection: Connection, action: str, hour: int) -> bool:
    """Say whether an audit of everything is to run now: none was logged since the quiet ``hour`` last began."""
    return bool(await connection.fetchval(_WHOLE_IS_DUE, action, hour, QUIET_HOURS, LOOK_BACK))


async def marked_within(connection: Connection, age: timedelta) -> bool:
    """Say whether an audit has left a mark in the last ``age`` of real time."""
    return bool(await connection.fetchval(_MARKED, age))


async def programmes(connection: Connection) -> list[UUID]:
    """Every programme of the database."""
    return [row["id"] for row in await connection.fetch("SELECT id FROM programme ORDER BY id")]


async def programmes_of(connection: Connection, campaign_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The programme of each of these campaigns that exists."""
    rows = await connection.fetch(_PROGRAMMES_OF, campaign_ids)
    return {row["id"]: row["programme_id"] for row in rows}


async def last_facts(connection: Connection, programme_id: UUID, action: str) -> Any:
    """The facts of the programme's newest act of this kind; None where there is none."""
    return await connection.fetchval(_LAST_FACTS, programme_id, action)
