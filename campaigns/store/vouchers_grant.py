"""Grants: a voucher for an allotment, escrow -> outstanding, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from campaigns.domain.errors import Broken
from campaigns.domain.ledger import Lines, Transfer
from campaigns.store.ledger import write_transfers
from campaigns.store.pool import Connection


class GrantRow(NamedTuple):
    """One voucher to be: ``voucher_id`` is new and names the grant's transfer too."""

    voucher_id: UUID
    campaign_id: UUID
    person_id: UUID
    allotment_id: UUID
    operator_id: UUID
    terms_version_id: int
    face_fen: int
    expires_at: datetime


_TAKE = """
UPDATE allotment SET state = 'granted'
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[]) AS g (id, campaign_id, operator_id, face_fen)
WHERE allotment.id = g.id AND allotment.campaign_id = g.campaign_id AND allotment.operator_id = g.operator_id
  AND allotment.face_fen = g.face_fen AND allotment.state IN ('free', 'awarded')
"""

_INSERT = """
INSERT INTO voucher (id, campaign_id, person_id, allotment_id, operator_id, terms_version_id, face_fen,
                     balance_fen, expires_at, granted_at)
SELECT id, campaign_id, person_id, allotment_id, operator_id, terms_version_id, face_fen, face_fen, expires_at, $9
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[], $7::bigint[],
            $8::timestamptz[])
     AS t (id, campaign_id, person_id, allotment_id, operator_id, terms_version_id, face_fen, expires_at)
"""


async def grant_vouchers(connection: Connection, at: datetime, rows: Sequence[GrantRow]) -> None:
    """Make the vouchers of ``rows``: allotments free or awarded -> granted, one `grant` transfer each.

    The caller holds the campaign (shared at least) and the allotments' row locks. An allotment that is
    granted already, or of another campaign, operator or value, is Broken invariant 1, and so is a second voucher
    on it: nothing may be kept.
    """
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    status = await connection.execute(_TAKE, columns[3], columns[1], columns[4], columns[6])
    if int(status.rpartition(" ")[2]) != len(rows):
        raise _over_issued(rows)
    try:
        await connection.execute(_INSERT, *columns, at)
    except asyncpg.UniqueViolationError as error:
        raise _over_issued(rows) from error
    transfers: list[Transfer] = []
    for row in rows:
        lines = Lines(row.voucher_id)
        lines.grant(row.campaign_id, row.operator_id, row.face_fen)
        transfers += lines.transfers
    await write_transfers(connection, transfers, at)


def _over_issued(rows: Sequence[GrantRow]) -> Broken:
    return Broken("invariant", invariant=1, campaign_id=str(rows[0].campaign_id))
