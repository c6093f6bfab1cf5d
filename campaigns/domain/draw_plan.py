"""What a campaign file's issuing plan means for `hashrank-1`: groups, strata and deadlines.

A group of the published rules is a planned tier (`definition/plan.py`): group i of the rules has number i + 1,
which is the ``tier`` of its allotments and awards.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from campaigns.domain.definition.model import Definition, DrawPlan
from campaigns.domain.definition.plan import PlannedTier, issue_plan
from campaigns.domain.places import LENGTHS, covered_by, significant
from lottery.core.rules import ANY_STRATUM, Group, Rules
from lottery.core.sources import MissingPolicy
from lottery.core.split import Split

# A beacon is waited for, and so is the state lottery; people who are late are left out (LOTTERY, Ceremony).
MISSING_POLICY: Final[dict[str, MissingPolicy]] = {
    "drand": "wait",
    "rehearsal": "wait",
    "ssq": "wait",
    "office": "missing",
    "notary": "missing",
}


def draw_rules(definition: Definition) -> Rules:
    """The rules of a checked draw campaign, as published in `rules.json`."""
    plan = definition.issuing
    assert isinstance(plan, DrawPlan)
    groups = tuple(_group(tier) for tier in issue_plan(definition).tiers)
    return Rules(groups, plan.waitlist, plan.spill)


def _group(tier: PlannedTier) -> Group:
    if tier.split is None:
        return Group(tier.tier_id, tier.stratum, tier.count, tier.amount_fen)
    split = Split(tier.split.total_fen, tier.count, tier.split.low_fen, tier.split.high_fen)
    return Group(tier.tier_id, tier.stratum, tier.count, None, split)


def stratum_of(definition: Definition, place: str) -> str | None:
    """The stratum an entrant of ``place`` (a region code) stands in; None when the place may not enter.

    It is the most exact quota place that holds the entrant's place, else that place itself.
    """
    code = significant(place)
    if code is None or not covered_by(code, definition.registration.places or definition.places):
        return None
    quotas = {quota.place for tier in definition.issuing.tiers for quota in tier.quotas}
    prefixes = (code[:n] for n in reversed(LENGTHS) if n <= len(code))
    return next((prefix for prefix in prefixes if prefix in quotas), code)


def first_deadline(published_at: datetime, start: datetime, end: datetime, waitlist: int) -> datetime:
    """Until when a winner of the draw may accept.

    Without a waitlist it is the end of the acceptance window. With one it is the middle of what remains of the
    window (to the minute), so that those who wait have the second half; a substitute has until the window's end.
    Under two minutes there is nothing to halve: the winners have all of it.
    """
    since = max(published_at, start)
    half_minutes = (end - since) // timedelta(minutes=2)
    return end if waitlist == 0 or half_minutes < 1 else since + timedelta(minutes=half_minutes)


def first_waiting(waiting: Iterable[tuple[int, str]], stratum: str) -> int | None:
    """The rank of who takes a free place of a group: the first waiting of its stratum (any, for ``*``).

    ``waiting`` are (rank, stratum) of those still waiting, ascending by rank.
    """
    return next((rank for rank, own in waiting if stratum in (ANY_STRATUM, own)), None)
