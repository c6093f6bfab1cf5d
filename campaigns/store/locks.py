"""Locks in the one order everybody takes them: campaign -> allotment -> voucher -> payment -> usage -> key.

The campaign's lock is an advisory one, so that sharing it on every payment writes no row.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from campaigns.store.pool import Connection

CAMPAIGN_LOCKS = 1  # the first of the two advisory-lock numbers

_TRY_SHARE = "SELECT seq FROM unnest($2::int[]) AS seq WHERE NOT pg_try_advisory_xact_lock_shared($1, seq)"
_TRY_ALONE = "SELECT seq FROM unnest($2::int[]) AS seq WHERE NOT pg_try_advisory_xact_lock($1, seq)"
_SHARE = "SELECT pg_advisory_xact_lock_shared($1, seq) FROM unnest($2::int[]) AS seq"


async def share_campaigns(connection: Connection, seqs: Iterable[int]) -> None:
    """Keep the campaigns (by ``seq``) from changing state until the transaction ends; payments do this."""
    ordered = sorted(set(seqs))
    if ordered:
        await connection.execute(_SHARE, CAMPAIGN_LOCKS, ordered)


async def try_share_campaigns(connection: Connection, seqs: Collection[int]) -> set[int]:
    """As `share_campaigns`, but wait for nobody; answers those that somebody holds alone or is about to."""
    return await _try(connection, _TRY_SHARE, seqs)


async def try_lock_campaigns(connection: Connection, seqs: Collection[int]) -> set[int]:
    """Hold the campaigns alone, but wait for nobody; answers those that somebody else holds."""
    return await _try(connection, _TRY_ALONE, seqs)


async def _try(connection: Connection, query: str, seqs: Collection[int]) -> set[int]:
    rows = await connection.fetch(query, CAMPAIGN_LOCKS, sorted(set(seqs))) if seqs else []
    return {row["seq"] for row in rows}


async def lock_campaign(connection: Connection, seq: int) -> None:
    """Hold the campaign alone until the transaction ends; whoever changes its state or terms does this."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", CAMPAIGN_LOCKS, seq)


async def campaign_now(connection: Connection) -> datetime:
    """Read the campaign time. Ask after the locks, once, and hand it on as an operand."""
    now = await connection.fetchval("SELECT campaign_now()")
    assert isinstance(now, datetime)
    return now
