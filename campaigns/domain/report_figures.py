"""The figures of the report: their names, and which of them a simulation decides.

In a demonstration the residents, their baskets and their errands come from a behaviour file: figures that say what
*people* did are ``input``. What hongbao's rules made of it (who won, what was paid, refused, taken back) is
``outcome``. In production people are real, and every figure is an outcome. docs/report.md shows this table.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from campaigns.domain.report import Kind


class Figure(NamedTuple):
    """``simulated``: decided by the behaviour file wherever people are simulated. ``zh``/``en``: the label."""

    zh: str
    en: str
    simulated: bool


FIGURES: Final[Mapping[str, Figure]] = {
    "funnel.registered": Figure("报名", "Registered", True),
    "funnel.struck": Figure("冻结时剔除或撤回", "Struck or withdrawn", False),
    "funnel.offered": Figure("发放份数", "Packets on offer", False),
    "funnel.drawn": Figure("中签", "Drawn", False),
    "funnel.called_in": Figure("候补递补", "Called in from the waitlist", False),
    "funnel.lapsed": Figure("逾期未领", "Not accepted in time", True),
    "funnel.declined": Figure("主动放弃", "Declined", True),
    "funnel.accepted": Figure("领取", "Accepted", True),
    "funnel.first_use": Figure("首次使用", "Used at least once", True),
    "funnel.fully_used": Figure("全部用完", "Fully used", False),
    "funnel.expired": Figure("到期收回", "Expired with value left", False),
    "funnel.returned": Figure("退回出资方", "Returned to the funders", False),
    "funnel.claimed_bp": Figure("领取率", "Claimed", True),
    "funnel.spent_bp": Figure("资金使用率", "Value spent", False),
    "spending.payments": Figure("付款笔数", "Payments", True),
    "spending.undone": Figure("其中已撤回", "of these undone", True),
    "spending.released": Figure("预授权未扣款", "Holds that ended unused", True),
    "spending.refunds": Figure("退款笔数", "Refunds", True),
    "spending.captured_fen": Figure("补贴扣款", "Subsidy captured", False),
    "spending.refunded_fen": Figure("退回补贴", "Subsidy given back", False),
    "spending.spent_fen": Figure("净补贴支出", "Net subsidy spent", False),
    "spending.own_fen": Figure("市民自付", "Residents' own money", True),
    "spending.value_fen": Figure("拉动消费", "Spending in all", True),
    "spending.own_per_yuan_fen": Figure("每元补贴带动自付", "Own money per yuan of subsidy", True),
    "days": Figure("每日支出", "By day", False),
    "places": Figure("按地区", "By district", False),
    "scenarios": Figure("按场景", "By scenario", False),
    "by_merchant": Figure("按商户", "By merchant", False),
    "merchants.listed": Figure("可用商户", "Merchants that may take part", True),
    "merchants.active": Figure("有交易商户", "Merchants active", True),
    "merchants.active_bp": Figure("商户活跃率", "Merchant activity", True),
    "refusals.attempts": Figure("付款尝试", "Payment attempts", True),
    "refusals.refused": Figure("被拒", "Refused", False),
    "refusals.refused_bp": Figure("付款被拒率", "Refused attempts", False),
    "refusals.by_code": Figure("付款被拒原因", "Refusals by reason", False),
    "refusals.other_acts": Figure("其他操作被拒", "Other acts refused", False),
    "refusals.unattributed": Figure("识别出活动之前被拒", "Refused before a campaign was known", False),
    "funders": Figure("出资方分摊", "Funders' parts", False),
    "money.funded_fen": Figure("到账资金", "Funded", False),
    "money.escrow_fen": Figure("托管未发放", "In escrow", False),
    "money.outstanding_fen": Figure("已发放未使用", "Outstanding with residents", False),
    "money.held_fen": Figure("预授权冻结", "Held", False),
    "money.payable_fen": Figure("应付商户", "Payable to merchants", False),
    "money.paid_fen": Figure("已划付商户", "Paid out to merchants", False),
    "money.returned_fen": Figure("已退回出资方", "Returned to the funders", False),
}

TARGET_FIGURES: Final[Mapping[str, str]] = {
    "claimed": "funnel.claimed_bp",
    "spent": "funnel.spent_bp",
    "merchants_active": "merchants.active_bp",
    "refused": "refusals.refused_bp",
}


def kinds_of(mode: str) -> dict[str, Kind]:
    """The kind of every figure in a database of this mode; only a production database has real people."""
    return {
        name: "input" if figure.simulated and mode != "production" else "outcome"
        for name, figure in FIGURES.items()
    }
