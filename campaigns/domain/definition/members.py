"""What every member of a campaign file means, in both languages, with an example: editors and messages use it."""

from typing import NamedTuple


class Help(NamedTuple):
    """``example`` is YAML as one would write it after the member's name."""

    zh: str
    en: str
    example: str


_WINDOW = '{start: "2023-10-01 00:00", end: "2023-10-31 24:00"}'
_TIERS = '[{id: standard, name: {zh: "普通", en: "Standard"}, count: 500, amount: {kind: fixed, amount_fen: 20000}}]'
_NAME = '{zh: "中文名称", en: "English name"}'

MEMBERS: dict[str, dict[str, Help]] = {
    "Definition": {
        "schema": Help("文件格式版本", "Version of this file format", "hongbao/campaign/1"),
        "programme": Help("所属试点方案的编号", "Id of the programme the campaign belongs to", "pingyin-2023"),
        "code": Help("活动编号，也是抽签编号的开头", "Id of the campaign; draws are named after it", "pingyin-autumn-2023"),
        "name": Help("活动名称", "Public name", _NAME),
        "about": Help("给市民看的一段说明", "A paragraph for residents", _NAME),
        "places": Help("活动地区：GB/T 2260 代码有效数字，街镇用九位", "Where the campaign is held: significant digits of GB/T 2260 codes, nine digits for a township", '["370124"]'),
        "scenario": Help("支付什么（场景编号）", "What is paid for (a scenario id)", "retail"),
        "windows": Help("各阶段起止时间", "When each stage starts and ends", "{spending: " + _WINDOW + "}"),
        "budget_fen": Help("预算总额，单位分", "The whole budget in fen", "30000000"),
        "funders": Help("出资方，份额合计 10000", "Who pays; shares add up to 10,000", f"[{{id: county-finance, name: {_NAME}, share_bp: 10000}}]"),
        "custody_operators": Help("资金存管机构，份额合计 10000", "Where the money lies; shares add up to 10,000", f"[{{id: bank-a, name: {_NAME}, share_bp: 10000}}]"),
        "issuing": Help("发放方式：抽签、名单或限时领取", "How value is handed out: draw, list or rush", f"{{method: list, tiers: {_TIERS}}}"),
        "terms": Help("消费券使用规则", "The rules enforced at payment", "{benefit: {kind: stored_value}}"),
        "merchants": Help("商户白名单；空清单表示不限", "Merchants where it may be spent; an empty list allows all", "{tags: [pingyin-2023]}"),
        "registration": Help("谁可以报名", "Who may enter", '{places: ["370124"]}'),
        "time_zone": Help("活动时区", "Time zone of every time in this file", "Asia/Shanghai"),
        "per_person": Help("每人最多份数；抽签只能为 1", "Vouchers a person may get; 1 in a draw", "1"),
        "refund_days": Help("活动关闭后仍受理退款的天数", "Days after closing in which refunds are taken", "30"),
        "place_names": Help("九位街镇代码和专区的名称", "Names of nine-digit townships and of zones", '{"370124001": {zh: "榆山街道", en: "Yushan"}}'),
    },
    "Text": {
        "zh": Help("中文", "Chinese", '"中文"'),
        "en": Help("英文", "English", '"English"'),
    },
    "LocalWindow": {
        "start": Help("开始（含），当地时间", "Start, included, local time", '"2023-10-01 00:00"'),
        "end": Help("结束（不含），当地时间，24:00 为次日零点", "End, excluded, local time; 24:00 is the next midnight", '"2023-10-31 24:00"'),
    },
    "Windows": {
        "spending": Help("使用期", "When vouchers may be spent", _WINDOW),
        "registration": Help("报名期（仅抽签）", "When residents may enter (draw only)", _WINDOW),
        "draw": Help("抽签期（仅抽签）", "When the draw is held (draw only)", _WINDOW),
        "acceptance": Help("领取期（抽签、名单）", "When winners accept (draw and list)", _WINDOW),
    },
    "Funder": {
        "id": Help("出资方编号", "Id of the funder", "county-finance"),
        "name": Help("出资方名称", "Name of the funder", _NAME),
        "share_bp": Help("份额，万分之几", "Share in basis points", "7500"),
    },
    "CustodyOperator": {
        "id": Help("运营机构编号", "Id of the operator", "bank-a"),
        "name": Help("运营机构名称", "Name of the operator", _NAME),
        "share_bp": Help("份额，万分之几", "Share in basis points", "5000"),
    },
    "Fixed": {"amount_fen": Help("每份面额，单位分", "Face value of each voucher in fen", "2000")},
    "RandomSplit": {
        "total_fen": Help("总额，单位分", "Sum over the tier in fen", "400000"),
        "low_fen": Help("最低面额，单位分", "Smallest voucher in fen", "500"),
        "high_fen": Help("最高面额，单位分", "Largest voucher in fen", "5000"),
    },
    "Quota": {
        "place": Help("报名人所选地区，须在报名地区之列", "Place the entrant named; one of the places of registration", '"370124001"'),
        "count": Help("该地区份数", "Vouchers kept for that place", "200"),
    },
    "Tier": {
        "id": Help("档次编号", "Id of the tier", "gold"),
        "name": Help("档次名称", "Name of the tier", _NAME),
        "count": Help("份数", "Number of vouchers", "300"),
        "amount": Help("面额：固定或随机拆分", "Face value: fixed or a random split", "{kind: fixed, amount_fen: 2000}"),
        "quotas": Help("地区名额，合计等于份数；只用于抽签", "Places and their numbers, adding up to count; draw only", '[{place: "370124001", count: 100}]'),
    },
    "Source": {
        "kind": Help("随机源", "Source of randomness", "drand"),
        "due": Help("截止时间，在抽签期内", "When it is due, within the draw window", '"2023-09-21 10:00"'),
    },
    "DrawPlan": {
        "tiers": Help("档次，按优先顺序", "Tiers in order of precedence", _TIERS),
        "sources": Help("随机源，按截止时间排列，最后一个须无人能左右", "Sources by due time; the last is one nobody can choose or withhold", '[{kind: drand, due: "2023-09-21 10:00"}]'),
        "waitlist": Help("候补人数", "Length of the waitlist", "600"),
        "spill": Help("名额未用完时是否开放给其他地区", "Whether unused quotas open to other places", "open"),
        "max_entries": Help("最多报名人数", "Most entries taken", "200000"),
    },
    "ListPlan": {"tiers": Help("档次", "Tiers", _TIERS)},
    "RushPlan": {
        "tiers": Help("档次", "Tiers", _TIERS),
        "openings": Help("各场次", "Openings", '[{at: "2023-11-11 10:00", tier: standard, count: 500}]'),
    },
    "Opening": {
        "at": Help("开放时间，当地时间", "When it opens, local time", '"2023-11-11 10:00"'),
        "tier": Help("档次编号", "Id of the tier", "standard"),
        "count": Help("份数", "Number of vouchers", "500"),
    },
    "Registration": {
        "places": Help("报名人可选的地区；空则为活动地区", "Places an entrant may name; empty means the campaign's", '["370124"]'),
        "wallet_operators": Help("须持有其中一家的钱包", "A wallet at one of these operators is needed", "[bank-a]"),
    },
    "Whitelist": {
        "merchants": Help("商户编号", "Merchant codes", "[m-0001]"),
        "tags": Help("办公室自定标签，有一个相同即可", "The office's labels; one in common is enough", "[pingyin-2023]"),
        "places": Help("门店所在地区", "Places of the store", '["370124"]'),
        "zones": Help("专区编号", "Zones", "[yinzuo]"),
        "mcc": Help("ISO 18245 商户类别码", "ISO 18245 category codes", '["5411"]'),
    },
    "Terms": {
        "benefit": Help("优惠：储值、满减或比例", "Benefit: stored value, spend-and-save or percentage", "{kind: stored_value}"),
        "weekdays": Help("可用的星期", "Weekdays on which it may be spent", "[mon, tue, wed, thu, fri, sat, sun]"),
        "hours": Help("可用时段，不跨零点", "Hours of the day, never across midnight", '["06:00-22:00"]'),
        "blackout_dates": Help("不可用日期", "Dates on which it may not be spent", '["2023-10-15"]'),
        "days": Help("按法定节假日和调休限定", "Limit by public holidays and make-up workdays", "any"),
        "holidays": Help("年份对应的放假和补班日期", "Public holidays and make-up workdays by year", '{"2027": {holidays: ["2027-01-01"], workdays: []}}'),
        "valid_days": Help("领取后有效天数，领取当天为第 1 天", "Days of validity; the day of acceptance is day 1", "14"),
        "places": Help("门店所在地区", "Places of the store", '["370124"]'),
        "scenarios": Help("可用场景", "Scenarios in which it may be spent", "[retail]"),
        "mcc": Help("ISO 18245 商户类别码", "ISO 18245 category codes", '["5411"]'),
        "excluded_categories": Help("不计入的商品类别", "Kinds of goods that do not count", "[lottery, tobacco]"),
        "channels": Help("可用渠道", "Channels in which it may be spent", "[in_store, online]"),
        "min_spend_fen": Help("最低消费，单位分", "Least basket in fen", "2000"),
        "max_per_use_fen": Help("单笔最高优惠，单位分", "Most subsidy in one payment, in fen", "3000"),
        "max_uses": Help("每张券最多使用次数", "Most uses of one voucher", "3"),
        "caps": Help("限次、限额", "Caps on uses or money", "[{scope: person, period: day, uses: 3}]"),
        "first_purchase": Help("是否仅限在该商户首次使用", "Only a person's first purchase at a merchant", "false"),
        "wallet_operators": Help("须以其中一家的钱包支付", "Paid from a wallet at one of these operators", "[bank-a]"),
        "geofence": Help("电子围栏", "Circles inside which it may be spent", "[{latitude_e6: 36289000, longitude_e6: 116456000, radius_m: 3000}]"),
        "stacking_class": Help("叠加类别，同类只用一张", "Class for stacking: one voucher of a class per payment", "default"),
        "undo_seconds": Help("可撤回时间，秒", "Seconds in which a redemption can be undone", "600"),
        "hold_seconds": Help("预授权有效时间，秒", "Seconds a hold lives", "600"),
    },
    "SpendAndSave": {"steps": Help("满减档，由低到高", "Steps, ascending", "[{spend_fen: 5000, save_fen: 1000}]")},
    "Step": {
        "spend_fen": Help("满多少分", "Spend at least, in fen", "5000"),
        "save_fen": Help("减多少分", "Save, in fen", "1000"),
    },
    "StoredValue": {},
    "Percentage": {
        "basis_points": Help("比例，万分之几", "Share of the basket in basis points", "1000"),
        "cap_fen": Help("单笔封顶，单位分", "Most for one payment, in fen", "2000"),
    },
    "Cap": {
        "scope": Help("按谁计", "Whose uses are counted", "person"),
        "period": Help("按什么周期计", "Over which period", "day"),
        "uses": Help("最多次数", "Most payments", "3"),
        "amount_fen": Help("最多金额，单位分", "Most subsidy in fen", "5000"),
    },
    "Circle": {
        "latitude_e6": Help("纬度（WGS 84）乘以一百万", "Latitude (WGS 84) times 1,000,000", "36289000"),
        "longitude_e6": Help("经度（WGS 84）乘以一百万", "Longitude (WGS 84) times 1,000,000", "116456000"),
        "radius_m": Help("半径，米", "Radius in metres", "3000"),
    },
    "HolidayYear": {
        "holidays": Help("放假日期", "Public holidays", '["2027-01-01"]'),
        "workdays": Help("周末补班日期", "Weekend days worked", '["2027-01-10"]'),
    },
}  # fmt: skip


def example_of(struct: str | None, member: str) -> str:
    """An example of ``member`` on one line; without ``struct``, of the first struct that has such a member."""
    structs = [struct] if struct else list(MEMBERS)
    for name in structs:
        found = MEMBERS.get(name, {}).get(member)
        if found is not None:
            return found.example
    return "…"
