"""Usage counters: what the caps of a campaign have counted, and which rows a payment counts in.

A counter is named by campaign, cap, bucket, person and merchant; what the cap's scope does not name is NOBODY.
Only counters that the terms' caps name exist, so that a campaign without caps has no row everybody waits for.
Void, hold expiry and undo give back uses and fen, a refund fen only, a first purchase is never given back.
"""

from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from msgspec import Struct

from campaigns.domain.terms.buckets import WHOLE_CAMPAIGN, bucket
from campaigns.domain.terms.facts import Used
from campaigns.domain.terms.model import CapPeriod, CapScope
from campaigns.domain.terms.rules import Rules

NOBODY: Final = UUID(int=0)
FIRST_PURCHASE: Final = 100
_SCOPES: Final[dict[CapScope, tuple[int, bool, bool]]] = {  # number, by person, by merchant
    "person": (0, True, False),
    "merchant": (10, False, True),
    "person_merchant": (20, True, True),
    "campaign": (30, False, False),
}
_PERIODS: Final[dict[CapPeriod, int]] = {"day": 0, "week": 1, "month": 2, "whole": 3}


class UsageKey(NamedTuple):
    """The name of a counter, in the order its rows are locked in."""

    campaign_id: UUID
    cap: int
    bucket: date
    person_id: UUID
    merchant_id: UUID


class UsageRow(Struct, kw_only=True):
    """A counter: payments, and fen of subsidy net of refunds. A working copy of a locked row."""

    uses: int = 0
    amount_fen: int = 0
    changed: bool = False

    def add(self, uses: int, amount_fen: int) -> None:
        """Count, or give back where negative."""
        self.uses += uses
        self.amount_fen += amount_fen
        self.changed = True
        assert self.uses >= 0 and self.amount_fen >= 0

    def used(self) -> Used:
        """The counter as `decide` is told of it."""
        return Used(uses=self.uses, amount_fen=self.amount_fen)


def cap_keys(
    rules: Rules, campaign_id: UUID, person_id: UUID, merchant_id: UUID, authorized_at: datetime
) -> tuple[UsageKey, ...]:
    """The counters of a payment, one for each cap in the order of the terms, by the time of its authorization."""
    keys = []
    for cap in rules.terms.caps:
        number, by_person, by_merchant = _SCOPES[cap.scope]
        keys.append(
            UsageKey(
                campaign_id,
                number + _PERIODS[cap.period],
                bucket(cap.period, authorized_at, rules.zone),
                person_id if by_person else NOBODY,
                merchant_id if by_merchant else NOBODY,
            )
        )
    return tuple(keys)


def first_purchase_key(campaign_id: UUID, person_id: UUID, merchant_id: UUID) -> UsageKey:
    """The counter that remembers that this person paid at this merchant with this campaign's voucher."""
    return UsageKey(campaign_id, FIRST_PURCHASE, WHOLE_CAMPAIGN, person_id, merchant_id)


def all_keys(
    rules: Rules, campaign_id: UUID, person_id: UUID, merchant_id: UUID, authorized_at: datetime
) -> tuple[UsageKey, ...]:
    """Every counter a new payment reads and writes: the caps', and the first purchase's where the terms ask."""
    keys = cap_keys(rules, campaign_id, person_id, merchant_id, authorized_at)
    if rules.terms.first_purchase:
        keys += (first_purchase_key(campaign_id, person_id, merchant_id),)
    return keys
