"""What a checked campaign file will issue, as data and as lines for people: packets, money, windows, remainder."""

from typing import Any

from campaigns.domain.definition.labels import place_label
from campaigns.domain.definition.model import Definition
from campaigns.domain.definition.plan import ANY_PLACE, PlannedTier, funding_plan, issue_plan
from campaigns.domain.money import format_yuan
from campaigns.domain.scenarios import scenario_name

WORDS: dict[str, tuple[str, str]] = {
    "valid": ("活动文件有效", "The campaign file is valid"),
    "campaign": ("活动", "Campaign"),
    "scenario": ("场景", "Scenario"),
    "places": ("地区", "Places"),
    "windows": ("时间", "Windows"),
    "registration": ("报名", "registration"),
    "draw": ("抽签", "draw"),
    "acceptance": ("领取", "acceptance"),
    "spending": ("使用", "spending"),
    "issuing": ("发放", "Issuing"),
    "method_draw": ("抽签", "draw"),
    "method_list": ("名单", "list"),
    "method_rush": ("限时领取", "rush"),
    "any": ("不限地区", "any place"),
    "each": ("每份 {amount}", "{amount} each"),
    "split": ("每份 {low} 至 {high}，合计 {total}", "{low} to {high} each, {total} in all"),
    "total": ("共 {count} 份，{planned}，预算 {budget}", "{count} vouchers, {planned} of a budget of {budget}"),
    "funding": ("出资与存管", "Money by funder and custody operator"),
    "remainder": ("不发放、关闭时退回", "Not issued, returns at closing"),
}  # fmt: skip


def summarize(definition: Definition) -> dict[str, Any]:
    """The plan as JSON data: amounts in fen, times as in the file."""
    plan = issue_plan(definition)
    return {
        "programme": definition.programme,
        "code": definition.code,
        "method": _method(definition),
        "windows": {name: {"start": start, "end": end} for name, start, end in _windows(definition)},
        "budget_fen": definition.budget_fen,
        "planned_fen": plan.planned_fen,
        "remainder_fen": plan.remainder_fen,
        "count": plan.count,
        "tiers": [
            {
                "number": tier.number,
                "tier": tier.tier_id,
                "stratum": tier.stratum,
                "count": tier.count,
                "amount_fen": tier.amount_fen,
                "total_fen": tier.total_fen,
                "units": dict(tier.units),
            }
            for tier in plan.tiers
        ],
        "funding": [
            {"funder": funder, "custody_operator": operator, "amount_fen": amount_fen}
            for funder, operator, amount_fen in funding_plan(definition)
        ],
        "remainder_by_funder": dict(plan.remainder_by_funder),
    }


def summary_lines(definition: Definition, language: str) -> list[str]:
    """The plan for people in ``zh`` or ``en``."""
    plan = issue_plan(definition)
    name = definition.name.zh if language == "zh" else definition.name.en
    label = place_label(definition, language)
    places = ", ".join(label(code) for code in definition.places)
    lines = [
        _word("valid", language),
        f"{_word('campaign', language)}: {name} ({definition.code})",
        f"{_word('scenario', language)}: {scenario_name(definition.scenario, language)}",
        f"{_word('places', language)}: {places}",
        f"{_word('windows', language)} ({definition.time_zone}):",
    ]
    lines += [f"  {_word(stage, language)}: {start} – {end}" for stage, start, end in _windows(definition)]
    lines.append(f"{_word('issuing', language)} ({_word(f'method_{_method(definition)}', language)}):")
    names = {tier.id: tier.name for tier in definition.issuing.tiers}
    for tier in plan.tiers:
        shown = names[tier.tier_id].zh if language == "zh" else names[tier.tier_id].en
        place = _word("any", language) if tier.stratum == ANY_PLACE else label(tier.stratum)
        lines.append(f"  {tier.number}. {shown}, {place}: {tier.count} × {_amount(tier, language)}")
    money = {"planned": format_yuan(plan.planned_fen), "budget": format_yuan(definition.budget_fen)}
    lines.append("  " + _word("total", language).format(count=f"{plan.count:,}", **money))
    lines.append(f"{_word('funding', language)}:")
    for funder, operator, amount_fen in funding_plan(definition):
        lines.append(f"  {funder} → {operator}: {format_yuan(amount_fen)}")
    lines.append(f"{_word('remainder', language)}: {format_yuan(plan.remainder_fen)}")
    if plan.remainder_fen:
        lines += [f"  {funder}: {format_yuan(fen)}" for funder, fen in plan.remainder_by_funder]
    return lines


def _amount(tier: PlannedTier, language: str) -> str:
    if tier.split is None:
        assert tier.amount_fen is not None
        return _word("each", language).format(amount=format_yuan(tier.amount_fen))
    return _word("split", language).format(
        low=format_yuan(tier.split.low_fen),
        high=format_yuan(tier.split.high_fen),
        total=format_yuan(tier.split.total_fen),
    )


def _windows(definition: Definition) -> list[tuple[str, str, str]]:
    stages = ("registration", "draw", "acceptance", "spending")
    found = [(stage, getattr(definition.windows, stage)) for stage in stages]
    return [(stage, window.start, window.end) for stage, window in found if window is not None]


def _method(definition: Definition) -> str:
    tag = definition.issuing.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def _word(key: str, language: str) -> str:
    return WORDS[key][0 if language == "zh" else 1]
