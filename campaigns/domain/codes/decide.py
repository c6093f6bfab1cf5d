"""Codes of `decide` in the order of its rules, and of terms that cannot be read.

``public=False`` where the sentence tells about the holder: it goes to their own chat, never to the till.
"""

from campaigns.domain.codes.model import Code


def _told(zh: str, en: str) -> Code:
    return Code("refused", 409, zh, en)


def _personal(zh: str, en: str) -> Code:
    return Code("refused", 409, zh, en, public=False)


_CAP_SUBJECTS = {
    "person": ("您", "You have used this voucher's campaign"),
    "merchant": ("本商户", "This merchant has received subsidies"),
    "person_merchant": ("您在本商户", "You have used this voucher's campaign at this merchant"),
    "campaign": ("本活动", "The campaign has given subsidies"),
}
_CAP_PERIODS = {
    "day": ("当日", "today", "{again_on} 起恢复。", "Again from {again_on}."),
    "week": ("本周", "this week", "{again_on} 起恢复。", "Again from {again_on}."),
    "month": ("本月", "this month", "{again_on} 起恢复。", "Again from {again_on}."),
    "whole": ("活动期间", "in the campaign", "", ""),
}


def _caps() -> dict[str, Code]:
    codes = {}
    for scope, (who_zh, who_en) in _CAP_SUBJECTS.items():
        for period, (when_zh, when_en, again_zh, again_en) in _CAP_PERIODS.items():
            codes[f"cap_reached_{scope}_{period}"] = Code(
                "refused",
                409,
                f"{who_zh}{when_zh}的优惠次数或金额已达上限。{again_zh}",
                f"{who_en} as often or for as much as allowed {when_en}. {again_en}".strip(),
                public=scope in ("merchant", "campaign"),
            )
    return codes


def _unreadable(zh: str, en: str) -> Code:
    return Code("invalid", 422, zh, en)


CODES: dict[str, Code] = {
    "basket_invalid": _told("订单金额 {basket_fen} 或商品明细有误。", "The basket of {basket_fen} or its items are wrong: items are not negative and add up to no more than the basket."),
    "window_not_open": _told("尚未到使用时间：{starts} 开始，{ends} 结束。", "Too early: vouchers can be spent from {starts} until {ends}."),
    "window_over": _told("使用时间已于 {ends} 结束。", "Too late: the time to spend ended at {ends}."),
    "voucher_not_live": _personal("该消费券当前不可用（状态：{state}）。", "This voucher cannot be spent now (state: {state})."),
    "voucher_expired": _personal("您于 {granted} 领取的消费券已于 {expired} 到期。", "Your voucher of {granted} expired at {expired}."),
    "weekday_not_allowed": _told("今天不可用，仅限{weekdays_zh}使用。", "Not today: this voucher can be spent on {weekdays_en} only."),
    "hour_not_allowed": _told("当前时段不可用，可用时段：{hours}。", "Not at this hour: this voucher can be spent during {hours}."),
    "blackout_date": _told("{date} 为停用日期，不可使用。", "On {date} this voucher cannot be spent."),
    "holiday_not_allowed": _told("{date} 为休息日，仅限工作日使用。", "{date} is a day of rest: this voucher can be spent on workdays only."),
    "workday_not_allowed": _told("{date} 为工作日，仅限休息日使用。", "{date} is a workday: this voucher can be spent on days of rest only."),
    "place_not_allowed": _told("本门店不在可用地区内（地区代码：{places}）。", "This store is outside the places where the voucher can be spent (region codes {places})."),
    "merchant_not_listed": _told("本门店不在活动商户名单内。", "This store is not on the campaign's list of merchants."),
    "scenario_not_allowed": _told("本门店的场景（{scenario}）不适用，适用场景：{scenarios}。", "Not for this kind of purchase ({scenario}): only for {scenarios}."),
    "mcc_not_allowed": _told("本门店的商户类别码 {mcc} 不适用，适用：{allowed}。", "Merchant category {mcc} is not allowed: only {allowed}."),
    "category_excluded": _told("{categories_zh}不适用消费券，订单中没有可用券的商品。", "Vouchers do not pay for {categories_en}, and nothing else is in this basket."),
    "channel_not_allowed": _told("该消费渠道不可用，仅限{channels_zh}使用。", "Not through this channel: this voucher can be spent {channels_en} only."),
    "geofence_no_position": _told("须提供位置信息，请在终端或手机上开启定位后重试。", "A position is required: turn on location on the terminal or the phone and try again."),
    "geofence_outside": _told("本次付款的位置不在可用范围内。", "The position of this payment is outside the area where the voucher can be spent."),
    "wallet_operator_required": _personal("须绑定以下运营机构的钱包：{operators}。", "You need a wallet with one of these operators: {operators}."),
    "first_purchase_only": _personal("仅限首次在本商户消费时使用，您已在本商户消费过。", "For a first purchase at this merchant only, and you have bought here before."),
    "uses_exhausted": _personal("该消费券最多使用 {most_uses} 次，已用完。", "This voucher can be spent {most_uses} times at most, and all of them are used."),
    "below_minimum_spend": _told("可用券商品金额 {eligible_fen} 未达到 {minimum_fen}。", "Goods that count come to {eligible_fen}; at least {minimum_fen} is needed."),
    "nothing_to_pay": _told("可用券商品金额 {eligible_fen} 过小，优惠不足一分。", "Goods that count come to {eligible_fen}, too little for a subsidy of one fen."),
    "balance_too_small": _personal("消费券余额 {balance_fen} 不足以抵扣。", "The balance of {balance_fen} is too small to give this saving."),
    "most_per_use_too_small": _told("单次最高优惠 {most_fen} 不足以抵扣。", "The most for one payment, {most_fen}, is too small to give this saving."),
    **_caps(),
    "terms_time_zone_unknown": _unreadable("时区“{name}”不存在，请写如 Asia/Shanghai。", "There is no time zone '{name}': write e.g. Asia/Shanghai."),
    "terms_local_time_bad": _unreadable("时间“{text}”有误，请写如 2026-10-01 09:00（当天结束写 24:00）。", "'{text}' is not a time: write e.g. 2026-10-01 09:00 (24:00 for the end of a day)."),
    "terms_window_empty": _unreadable("时间窗口为空：{start} 不早于 {end}。", "The window is empty: {start} is not before {end}."),
    "terms_window_unthinkable": _unreadable("年份须在 {first_year} 至 {last_year} 之间。", "Years are {first_year} to {last_year}."),
    "terms_window_too_long": _unreadable("时间窗口为 {days} 天，最长 {most_days} 天。", "The window has {days} days; the most is {most_days}."),
    "terms_hours_bad": _unreadable("时段“{text}”有误，请写如 10:00-22:00；跨午夜请分成两段。", "'{text}' is not a range of hours: write e.g. 10:00-22:00; a night that passes midnight is two ranges."),
    "terms_calendar_year_missing": _unreadable("尚无 {year} 年的节假日安排，请在 terms.holidays 中写明该年的 holidays 与 workdays。", "Public holidays of {year} are not known: write that year's holidays and workdays into terms.holidays."),
}  # fmt: skip
