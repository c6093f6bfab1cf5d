"""The clauses of a contract: one small function per rule, each giving (zh, en) pairs or nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from campaigns.domain.money import format_yuan
from campaigns.domain.scenarios import scenario_name
from campaigns.domain.terms.model import (
    CHANNELS,
    WEEKDAYS,
    Cap,
    CompiledTerms,
    Percentage,
    SpendAndSave,
    Terms,
)
from campaigns.domain.terms.names import (
    CATEGORY_NAMES,
    CHANNEL_NAMES,
    PERIOD_NAMES,
    SCOPE_NAMES,
    WEEKDAY_NAMES,
    in_both,
)
from campaigns.domain.windows import local_end_text, local_text, zone_of

PlaceName = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is printed, and how places are called."""

    compiled: CompiledTerms
    place_name: PlaceName

    @property
    def terms(self) -> Terms:
        """The rules of the version."""
        return self.compiled.terms


Pairs = Iterator[tuple[str, str]]


def window(subject: Subject) -> Pairs:
    """When vouchers can be spent."""
    compiled = subject.compiled
    zone = zone_of(compiled.time_zone)
    start, end = local_text(compiled.spending_start, zone), local_end_text(compiled.spending_end, zone)
    yield (
        f"使用时间：{start} 至 {end}（时区 {compiled.time_zone}，不含结束时刻）。",
        f"Vouchers can be spent from {start} until {end}, the end not included (time zone {compiled.time_zone}).",
    )


def validity(subject: Subject) -> Pairs:
    """Valid N days."""
    days = subject.terms.valid_days
    if days is not None:
        yield (
            f"自领取当日起 {days} 天内有效，领取当日为第 1 天，第 {days} 天 24:00 到期，且不晚于使用时间结束。",
            f"A voucher is valid for {days} days, the day of acceptance being day 1: it ends at 24:00 of day {days}, "
            "at the latest with the time to spend.",
        )


def benefit(subject: Subject) -> Pairs:
    """What a voucher gives."""
    benefit = subject.terms.benefit
    if isinstance(benefit, SpendAndSave):
        for step in benefit.steps:
            spend, save = format_yuan(step.spend_fen), format_yuan(step.save_fen)
            yield f"满 {spend} 减 {save}。", f"Spend {spend}, save {save}."
        yield (
            "各档整档抵扣、不拆分：按可用券金额达到且余额与限额足以支付的最高一档抵扣。",
            "A step is given whole or not at all: the highest saving whose threshold is reached and which the "
            "balance and all limits cover.",
        )
    elif isinstance(benefit, Percentage):
        percent, cap = _percent(benefit.basis_points), format_yuan(benefit.cap_fen)
        yield (
            f"按可用券金额的 {percent} 抵扣，不足一分舍去，单次最高 {cap}。",
            f"It gives {percent} of the goods that count, rounded down to the fen, at most {cap} per payment.",
        )
    else:
        yield (
            "按面额抵扣，可分次使用：每次抵扣订单所需金额，直至余额用完。",
            "It has a fixed value that can be spent in parts: each payment takes what the basket needs, up to the balance.",
        )


def limits(subject: Subject) -> Pairs:
    """Minimum spend, most per use, number of uses."""
    terms = subject.terms
    if terms.min_spend_fen > 0:
        least = format_yuan(terms.min_spend_fen)
        yield f"可用券金额须满 {least}。", f"Goods that count must come to at least {least}."
    if terms.max_per_use_fen is not None:
        most = format_yuan(terms.max_per_use_fen)
        yield f"单次最高抵扣 {most}。", f"One payment gets at most {most}."
    if terms.max_uses is not None:
        yield f"每张最多使用 {terms.max_uses} 次。", f"A voucher can be spent at most {terms.max_uses} times."


def days(subject: Subject) -> Pairs:
    """Weekdays, hours, dates, holidays."""
    terms = subject.terms
    if set(terms.weekdays) != set(WEEKDAYS):
        zh, en = in_both(terms.weekdays, WEEKDAY_NAMES)
        yield f"仅限{zh}使用。", f"Only on {en}."
    if terms.hours:
        yield (
            f"每日可用时段：{'、'.join(terms.hours)}。",
            f"Only during these hours: {', '.join(terms.hours)}.",
        )
    if terms.blackout_dates:
        dates = [day.isoformat() for day in terms.blackout_dates]
        yield f"以下日期不可用：{'、'.join(dates)}。", f"Not on these dates: {', '.join(dates)}."
    if terms.days != "any":
        resting = [day.isoformat() for day in subject.compiled.rest_days]
        zh, en = "、".join(resting) or "无", ", ".join(resting) or "none"
        if terms.days == "workday":
            yield (
                f"仅限工作日（含调休上班日）使用；以下休息日不可用：{zh}。",
                f"Only on workdays, make-up workdays included; not on these days of rest: {en}.",
            )
        else:
            yield (
                f"仅限休息日（调休上班日除外）使用，即：{zh}。",
                f"Only on days of rest, make-up workdays excepted: {en}.",
            )


def stores(subject: Subject) -> Pairs:
    """Places, whitelist, scenarios, merchant categories."""
    terms, lists = subject.terms, subject.compiled.whitelist
    rows = (
        (tuple(map(subject.place_name, terms.places)), "门店须位于", "Stores in"),
        (lists.merchants, "仅限以下商户", "Only at these merchants"),
        (lists.tags, "仅限带有以下标签的商户", "Only at merchants labelled"),
        (
            tuple(map(subject.place_name, lists.places)),
            "仅限位于以下地区的名单商户",
            "Only at listed merchants in",
        ),
        (lists.zones, "仅限以下专区", "Only in these zones"),
        (lists.mcc, "名单商户类别码仅限", "Only at listed merchants of categories (MCC)"),
    )
    for values, zh, en in rows:
        if values:
            yield f"{zh}：{'、'.join(values)}。", f"{en}: {', '.join(values)}."
    if terms.scenarios:
        names_zh, names_en = [
            [scenario_name(s, language) for s in terms.scenarios] for language in ("zh", "en")
        ]
        yield f"适用场景：{'、'.join(names_zh)}。", f"Only for these purposes: {'; '.join(names_en)}."
    if terms.mcc:
        yield (
            f"商户类别码仅限：{'、'.join(terms.mcc)}。",
            f"Only for merchant categories (MCC): {', '.join(terms.mcc)}.",
        )


def goods(subject: Subject) -> Pairs:
    """Excluded categories."""
    if subject.terms.excluded_categories:
        zh, en = in_both(subject.terms.excluded_categories, CATEGORY_NAMES)
        yield (
            f"以下类别不适用，其金额不计入可用券金额：{zh}；此类门店不可用。",
            f"Not for {en}: such goods do not count, and stores of that kind are excluded.",
        )


def payment(subject: Subject) -> Pairs:
    """Channel, geofence, wallet, first purchase."""
    terms = subject.terms
    if set(terms.channels) != set(CHANNELS):
        zh, en = in_both(terms.channels, CHANNEL_NAMES)
        yield f"使用渠道：{zh}。", f"Can be spent {en} only."
    for circle in terms.geofence:
        centre = f"{circle.latitude_e6 / 1e6:.6f}, {circle.longitude_e6 / 1e6:.6f}"
        yield (
            f"付款位置可在以（{centre}）为中心 {circle.radius_m} 米范围内；无位置信息不可用。",
            f"The payment may happen within {circle.radius_m} m of ({centre}); without a position it is refused.",
        )
    if terms.wallet_operators:
        operators = terms.wallet_operators
        yield (
            f"须持有以下运营机构之一的钱包：{'、'.join(operators)}。",
            f"The holder needs a wallet with one of: {', '.join(operators)}.",
        )
    if terms.first_purchase:
        yield "仅限在该商户首次消费时使用。", "Only for the holder's first purchase at a merchant."


def caps(subject: Subject) -> Pairs:
    """One clause per cap."""
    for cap in subject.terms.caps:
        yield from _cap(cap)


def _cap(cap: Cap) -> Pairs:
    scope_zh, scope_en = SCOPE_NAMES[cap.scope]
    period_zh, period_en = PERIOD_NAMES[cap.period]
    most_zh, most_en = [], []
    if cap.uses is not None:
        most_zh.append(f" {cap.uses} 次")
        most_en.append(f"{cap.uses} payment{'' if cap.uses == 1 else 's'}")
    if cap.amount_fen is not None:
        most_zh.append(f"优惠 {format_yuan(cap.amount_fen)}")
        most_en.append(f"{format_yuan(cap.amount_fen)} of subsidy")
    if most_zh:
        yield (
            f"{scope_zh}{period_zh}最多{'、'.join(most_zh)}。",
            f"At most {' and '.join(most_en)} {scope_en}, {period_en}.",
        )


def handling(subject: Subject) -> Pairs:
    """Stacking, holds, undo, refunds."""
    terms = subject.terms
    yield (
        f"叠加类别“{terms.stacking_class}”：同类一次付款只用一张，一次付款最多叠加三类。",
        f"Stacking class '{terms.stacking_class}': one voucher of a class per payment, at most three classes together.",
    )
    yield (
        f"预授权保留 {terms.hold_seconds} 秒；核销后 {terms.undo_seconds} 秒内可整单撤回，并恢复使用次数。",
        f"A hold lives {terms.hold_seconds} seconds; a payment can be undone as a whole within {terms.undo_seconds} "
        "seconds, which gives the use back.",
    )
    yield (
        "退货后按保留商品重新计算优惠：不再满足条件的优惠退回消费券（已到期的退回资金方），退回优惠不超过退货金额。",
        "After a return the saving is computed again for the goods kept; what they no longer earn goes back to the "
        "voucher (to the funders' money if it has expired), never more than the goods returned.",
    )


def _percent(basis_points: int) -> str:
    whole, part = divmod(basis_points, 100)
    return f"{whole}.{part:02d}%" if part else f"{whole}%"


CLAUSES: tuple[Callable[[Subject], Pairs], ...] = (
    window,
    validity,
    benefit,
    limits,
    days,
    stores,
    goods,
    payment,
    caps,
    handling,
)
