"""One batch of acceptances: locks and reads set-wise for all, a decision for each, all vouchers in one statement.

Locks in the order of `campaigns.store.locks`: campaigns (shared), then awards with their allotments; the time is read
after them. Decided in arrival order, so that two acceptances of one award in a batch see each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import HongbaoError, Refused, not_found
from campaigns.domain.ids import new_id
from campaigns.domain.pay import OPEN_STATE
from campaigns.domain.states import AWARD, next_state
from campaigns.domain.windows import expiry, local_text, zone_of
from campaigns.services.terms_cache import TermsCache
from campaigns.store.acceptances import Place, Standing, lock_awards, places_of, standings_of
from campaigns.store.awards import AwardRow, mark_granted
from campaigns.store.group_batch import HELD_UP, Failed
from campaigns.store.locks import share_campaigns, try_share_campaigns
from campaigns.store.pool import Connection
from campaigns.store.vouchers_grant import GrantRow, grant_vouchers


class Accept(NamedTuple):
    """A person's wish to accept an award, by a channel of the programme."""

    programme_id: UUID
    person_id: UUID
    award_id: UUID


class Accepted(Struct, frozen=True, kw_only=True):
    """The voucher an acceptance made, worth ``face_fen`` until ``expires_at``."""

    award_id: UUID
    voucher_id: UUID
    face_fen: int
    granted_at: datetime
    expires_at: datetime


class AcceptBatch:
    """The work of the lanes that acceptances commit in."""

    def __init__(self, terms: TermsCache) -> None:
        self._terms = terms

    async def __call__(
        self, connection: Connection, plans: Sequence[Accept], /, *, patient: bool = True
    ) -> list[object]:
        """Answers and failures in the order of the plans; `HELD_UP` unless it is ``patient``.

        Raises Broken when an allotment is granted already.
        """
        found = await places_of(connection, {plan.award_id for plan in plans})
        ends = [_place(plan, found.get(plan.award_id)) for plan in plans]
        held = await _hold(connection, {end.seq for end in ends if isinstance(end, Place)}, patient=patient)
        ends = [HELD_UP if isinstance(end, Place) and end.seq in held else end for end in ends]
        open_ = [end for end in ends if isinstance(end, Place)]
        if open_:
            table = await self._read(connection, open_)
            ends = [_decide(table, end) if isinstance(end, Place) else end for end in ends]
            await _write(connection, table)
        return ends

    async def _read(self, connection: Connection, places: Sequence[Place]) -> "_Table":
        awards = await lock_awards(connection, {place.award_id for place in places})
        standings = await standings_of(connection, {place.campaign_id for place in places})
        expiries = {key: await self._expiry(connection, one) for key, one in standings.items()}
        return _Table(awards, standings, expiries)

    async def _expiry(self, connection: Connection, standing: Standing) -> datetime:
        """When a voucher granted now expires."""
        rules = await self._terms.get(connection, standing.terms_version_id)
        return expiry(standing.now, rules.terms.valid_days, rules.end, rules.zone)


def _place(plan: Accept, place: Place | None) -> object:
    if place is None or place.person_id != plan.person_id:
        return Failed(not_found("award"))
    if place.programme_id != plan.programme_id:
        return Failed(not_found("campaign"))
    return place


async def _hold(connection: Connection, seqs: set[int], *, patient: bool) -> set[int]:
    """Share the campaigns' locks; answers those that somebody holds alone, for whom a ``patient`` batch waits."""
    if not patient:
        return await try_share_campaigns(connection, seqs)
    await share_campaigns(connection, seqs)
    return set()


@dataclass
class _Table:
    """What the decisions of one batch are about; ``accepted`` by award."""

    awards: dict[UUID, AwardRow]
    standings: dict[UUID, Standing]
    expiries: dict[UUID, datetime]
    accepted: dict[UUID, Accepted] = field(default_factory=dict)


def _decide(table: _Table, place: Place) -> object:
    """Accept one award; the next of the batch finds it granted."""
    award, standing = table.awards[place.award_id], table.standings[place.campaign_id]
    try:
        check_acceptable(award, standing)
    except HongbaoError as error:
        return Failed(error)
    table.awards[award.id] = award._replace(state=next_state(AWARD, award.state, "accept"))
    answer = table.accepted[award.id] = Accepted(
        award_id=award.id,
        voucher_id=new_id(),
        face_fen=award.face_fen,
        granted_at=standing.now,
        expires_at=table.expiries[place.campaign_id],
    )
    return answer


def check_acceptable(award: AwardRow, standing: Standing) -> None:
    """Raise Refused ``campaign_not_running``, ``award_ended``, ``acceptance_not_open`` or ``acceptance_over``."""
    if standing.state != OPEN_STATE:
        raise Refused("campaign_not_running", state=standing.state)
    check_live(award)
    start, zone = standing.acceptance_start, zone_of(standing.time_zone)
    if start is not None and standing.now < start:
        raise Refused("acceptance_not_open", starts=local_text(start, zone))
    if standing.now >= award.accept_until:
        raise Refused("acceptance_over", ends=local_text(award.accept_until, zone))


def check_live(award: AwardRow) -> None:
    """Raise Refused ``award_ended`` unless the award is live."""
    if (award.state, "accept") not in AWARD:
        raise Refused("award_ended", state=award.state)


async def _write(connection: Connection, table: _Table) -> None:
    """End the accepted awards and make their vouchers, the rows being locked."""
    if not table.accepted:
        return
    awards = [table.awards[award_id] for award_id in table.accepted]
    now = next(iter(table.standings.values())).now
    await mark_granted(connection, awards, now)
    grants = [
        GrantRow(
            voucher_id=answer.voucher_id,
            campaign_id=award.campaign_id,
            person_id=award.person_id,
            allotment_id=award.allotment_id,
            operator_id=award.operator_id,
            terms_version_id=table.standings[award.campaign_id].terms_version_id,
            face_fen=award.face_fen,
            expires_at=answer.expires_at,
        )
        for award, answer in zip(awards, table.accepted.values(), strict=True)
    ]
    await grant_vouchers(connection, now, grants)
