"""Texts of the report beside the labels of its figures, in both languages, and how figures are written."""

from collections.abc import Mapping
from typing import Final, Literal

from campaigns.domain.definition.model import Text
from campaigns.domain.report_figures import FIGURES, TARGET_FIGURES

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")


def _text(zh: str, en: str) -> Text:
    return Text(zh=zh, en=en)


TEXTS: Final[Mapping[str, Text]] = {
    "title": _text("活动成效报告", "Uptake report"),
    "spending_window": _text("使用期", "Spending window"),
    "made_at": _text("截至", "As of"),
    "state": _text("状态", "State"),
    "language": _text("语言", "Language"),
    "simulated_note": _text(
        "演示数据。标“模拟”的数字由模拟居民的行为给定，其余由系统按规则得出；演示说明规则有效，不代表真实市民会怎样做。",
        "Demonstration data. Figures marked 'simulated' (sim.) were given by simulated residents; the rest follows from the rules. "
        "It shows that the rules work, not what real residents would do.",
    ),
    "targets": _text("目标完成情况", "Against the targets"),
    "key": _text("关键数字", "Key figures"),
    "funnel": _text("从报名到用完", "From entry to the last fen"),
    "days": _text("每日补贴支出", "Subsidy by day"),
    "days_note": _text("向上为扣款，向下为退回", "up: captured, down: given back"),
    "places": _text("按地区", "By district"),
    "scenarios": _text("按场景", "By scenario"),
    "merchants": _text("按商户（前十）", "By merchant (top ten)"),
    "refusals": _text("付款被拒原因", "Payments refused, by reason"),
    "refusals_note": _text(
        "共 {attempts} 次付款尝试，{refused} 次被拒", "{refused} of {attempts} payment attempts were refused"
    ),
    "funders": _text("出资方分摊", "The funders' parts"),
    "money": _text("资金现在何处", "Where the money lies now"),
    "figures": _text("全部数字", "All figures"),
    "figures_issued": _text("发放与使用", "Issued and used"),
    "figures_spent": _text("消费、商户与被拒", "Spending, merchants and refusals"),
    "figure": _text("项目", "Figure"),
    "count": _text("数量", "Count"),
    "value": _text("金额", "Value"),
    "kind": _text("性质", "Kind"),
    "share": _text("占比", "Share"),
    "merchant": _text("商户", "Merchant"),
    "payments": _text("笔数", "Payments"),
    "net": _text("净补贴", "Net subsidy"),
    "own": _text("自付", "Own money"),
    "day": _text("日期", "Day"),
    "reason": _text("原因", "Reason"),
    "times": _text("次数", "Times"),
    "funder": _text("出资方", "Funder"),
    "funded": _text("到账", "Paid in"),
    "part": _text("净支出分摊", "Part of net spending"),
    "returned": _text("已退回", "Given back"),
    "input": _text("模拟", "simulated"),
    "outcome": _text("结果", "outcome"),
    "simulated_label": _text("{label}（模拟）", "{label} (sim.)"),
    "reached": _text("达标", "reached"),
    "missed": _text("未达标", "missed"),
    "unknown": _text("尚无数据", "no data yet"),
    "goal_at_least": _text("目标 ≥ {goal}", "≥ {goal}"),
    "goal_below": _text("目标 < {goal}", "< {goal}"),
    "nothing": _text("尚无数据。", "Nothing yet."),
    "packets": _text("{count} 份", "{count}"),
    "people": _text("{count} 人", "{count}"),
    "odds": _text("{count} 人，平均 {odds} 人争 1 份", "{count}, {odds} for each packet"),
    "paid_times": _text("{count} 笔", "{count} payments"),
    "refused_times": _text("{count} 次", "{count}"),
    "rest": _text("其他", "All others"),
    "footer": _text(
        "净补贴支出 = 扣款 − 退回；拉动消费 = 净补贴支出 + 自付；出资方分摊按累计净支出的最大余额法计算。每个数字的口径见 docs/report.md。",
        "Net subsidy = captured − given back; spending in all = net subsidy + own money; the funders' parts are largest remainders "
        "of the cumulated net spending. What each figure means: docs/report.md.",
    ),
}

STATES: Final[Mapping[str, Text]] = {
    "draft": _text("草稿", "draft"),
    "submitted": _text("待审批", "submitted"),
    "approved": _text("已审批", "approved"),
    "published": _text("进行中", "published"),
    "paused": _text("已暂停", "paused"),
    "suspended": _text("已中止", "suspended"),
    "closed": _text("已结项", "closed"),
}


def text(name: str, language: Language, **parts: object) -> str:
    """A text of `TEXTS`, of a state (``state.closed``), of a target (``target.spent``) or a figure's label."""
    return _in(_find(name), language).format(**parts)


def _find(name: str) -> Text:
    if name in TEXTS:
        return TEXTS[name]
    section, _, rest = name.partition(".")
    if section == "state":
        return STATES[rest]
    figure = FIGURES[TARGET_FIGURES[rest] if section == "target" else name]
    return Text(zh=figure.zh, en=figure.en)


def _in(found: Text, language: Language) -> str:
    return found.zh if language == "zh" else found.en


def named(found: Text, language: Language) -> str:
    """A name in the language asked for."""
    return _in(found, language)


def percent(share_bp: int | None) -> str:
    """Basis points as people read them: ``9661`` is ``96.61%``; an en dash for None."""
    return "–" if share_bp is None else f"{share_bp // 100}.{share_bp % 100:02d}%"
