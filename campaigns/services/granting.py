"""Grants by rule: which terms version a voucher keeps and when it expires, for lists and for acceptance alike."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from campaigns.domain.ids import new_id
from campaigns.domain.windows import expiry
from campaigns.services.terms_cache import TermsCache
from campaigns.store.campaign_terms import newest_terms
from campaigns.store.pool import Connection
from campaigns.store.vouchers_grant import GrantRow, grant_vouchers


class Grant(NamedTuple):
    """To whom which allotment goes; the allotment's row is locked by the caller."""

    person_id: UUID
    allotment_id: UUID
    operator_id: UUID
    face_fen: int


class Granted(NamedTuple):
    """The vouchers made, in the order of the grants, and the one moment they all expire at."""

    voucher_ids: tuple[UUID, ...]
    terms_version_id: int
    expires_at: datetime


async def grant(
    connection: Connection, terms: TermsCache, at: datetime, campaign_id: UUID, grants: Sequence[Grant]
) -> Granted:
    """Grant vouchers of one campaign at campaign time ``at``, under the campaign's newest terms.

    The caller holds the campaign (shared at least) and the allotments, and has written turns and awards.
    Raises Broken when an allotment is granted already.
    """
    version_id = await newest_terms(connection, campaign_id)
    rules = await terms.get(connection, version_id)
    expires_at = expiry(at, rules.terms.valid_days, rules.end, rules.zone)
    rows = [
        GrantRow(
            new_id(),
            campaign_id,
            g.person_id,
            g.allotment_id,
            g.operator_id,
            version_id,
            g.face_fen,
            expires_at,
        )
        for g in grants
    ]
    await grant_vouchers(connection, at, rows)
    return Granted(tuple(row.voucher_id for row in rows), version_id, expires_at)
