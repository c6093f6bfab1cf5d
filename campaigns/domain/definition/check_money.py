"""Checks of shares, tiers, quotas, splits and the budget."""

from campaigns.domain.definition.check_names import plan_of
from campaigns.domain.definition.limits import MAX_BUDGET_FEN, MAX_COUNT
from campaigns.domain.definition.model import Definition, DrawPlan, RandomSplit, RushPlan, Tier
from campaigns.domain.definition.plan import planned_fen
from campaigns.domain.definition.problems import Ledger, Path
from campaigns.domain.money import BASIS_POINTS


def check_money(draft: Definition, ledger: Ledger) -> None:
    """Shares add up, every tier can be made, and the plan fits the budget."""
    for member in ("funders", "custody_operators"):
        if ledger.sound((member,)) and getattr(draft, member):
            total = sum(record.share_bp for record in getattr(draft, member))
            if total != BASIS_POINTS:
                ledger.add("file_shares_sum", (member,), sum=total, difference=f"{BASIS_POINTS - total:+d}")
    plan = plan_of(draft)
    if plan is None or not isinstance(plan.tiers, tuple):
        return
    for i, tier in enumerate(plan.tiers):
        path: Path = ("issuing", "tiers", i)
        _split(tier, path, ledger)
        _quota_counts(tier, path, isinstance(plan, DrawPlan), ledger)
    if isinstance(plan, DrawPlan):
        _draw(plan, draft, ledger)
    if isinstance(plan, RushPlan):
        _openings(plan, ledger)
    if not ledger.sound(("issuing", "tiers")) or not plan.tiers:
        return
    count = sum(tier.count for tier in plan.tiers)
    if count > MAX_COUNT:
        ledger.add("file_too_many_vouchers", ("issuing", "tiers"), count=count, limit=MAX_COUNT)
    elif ledger.sound(("budget_fen",)):
        _budget(draft, ledger)


def _split(tier: Tier, path: Path, ledger: Ledger) -> None:
    if not ledger.sound((*path, "amount")) or not isinstance(tier.amount, RandomSplit):
        return
    split = tier.amount
    if split.low_fen > split.high_fen:
        ledger.add("file_split_bounds", (*path, "amount", "low_fen"), low=split.low_fen, high=split.high_fen)
    elif ledger.sound((*path, "count")):
        least, most = tier.count * split.low_fen, tier.count * split.high_fen
        if not least <= split.total_fen <= most:
            ledger.add(
                "file_split_infeasible",
                (*path, "amount", "total_fen"),
                count=tier.count,
                low=split.low_fen,
                high=split.high_fen,
                given=split.total_fen,
                least=least,
                most=min(most, MAX_BUDGET_FEN),
            )


def _quota_counts(tier: Tier, path: Path, is_draw: bool, ledger: Ledger) -> None:
    where = (*path, "quotas")
    if not ledger.sound(where) or not tier.quotas:
        return
    if not is_draw:
        ledger.add("file_quotas_draw_only", where)
        return
    total = sum(quota.count for quota in tier.quotas)
    if ledger.sound((*path, "count")) and total != tier.count:
        ledger.add("file_quotas_sum", where, sum=total, count=tier.count)


def _draw(plan: DrawPlan, draft: Definition, ledger: Ledger) -> None:
    if ledger.sound(("per_person",)) and draft.per_person != 1:
        ledger.add("file_per_person_draw", ("per_person",))
    if ledger.sound(("issuing", "max_entries"), ("issuing", "tiers")):
        count = sum(tier.count for tier in plan.tiers)
        if plan.max_entries < count:
            ledger.add(
                "file_max_entries_low", ("issuing", "max_entries"), given=plan.max_entries, count=count
            )


def _openings(plan: RushPlan, ledger: Ledger) -> None:
    tiers_read = ledger.sound(("issuing", "tiers"))
    if not tiers_read or not isinstance(plan.openings, tuple):
        return
    counts = {tier.id: tier.count for tier in plan.tiers}
    given = dict.fromkeys(counts, 0)
    for i, opening in enumerate(plan.openings):
        path: Path = ("issuing", "openings", i)
        if not ledger.sound((*path, "tier")):
            continue
        if opening.tier not in counts:
            allowed = ", ".join(counts)[:200]
            ledger.add("file_tier_unknown", (*path, "tier"), given=opening.tier[:60], allowed=allowed)
        elif ledger.sound((*path, "count")):
            given[opening.tier] += opening.count
            if given[opening.tier] > counts[opening.tier]:
                ledger.add(
                    "file_openings_exceed",
                    (*path, "count"),
                    tier=opening.tier,
                    sum=given[opening.tier],
                    count=counts[opening.tier],
                )


def _budget(draft: Definition, ledger: Ledger) -> None:
    planned = sum(planned_fen(tier) for tier in draft.issuing.tiers)
    if planned > draft.budget_fen:
        ledger.add(
            "file_over_budget",
            ("budget_fen",),
            planned_fen=planned,
            planned=planned,
            budget_fen=draft.budget_fen,
        )
