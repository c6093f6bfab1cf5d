"""A report of the size a county's campaign has, made up: for looking at the page and for tests of it."""

from datetime import UTC, date, datetime, timedelta

from campaigns.domain.definition.model import Text
from campaigns.domain.money import largest_remainder
from campaigns.domain.report import (
    REST,
    REST_NAME,
    Day,
    FunderPart,
    Funnel,
    Merchants,
    Money,
    RefusalCount,
    Refusals,
    Report,
    Slice,
    Spending,
    Stage,
    own_per_yuan_fen,
    share_bp,
    targets,
)
from campaigns.domain.report_figures import kinds_of
from campaigns.services.reporting import general_sentence

SPENT_FEN, OWN_FEN, ACCEPTED_FEN = 17_411_800, 55_930_245, 18_520_000
_PLACES = (
    ("370124001", "榆山街道", "Yushan Subdistrict"), ("370124002", "锦水街道", "Jinshui Subdistrict"),
    ("370124101", "东阿镇", "Dong'e Town"), ("370124102", "孝直镇", "Xiaozhi Town"),
    ("370124103", "孔村镇", "Kongcun Town"), ("370124104", "洪范池镇", "Hongfanchi Town"),
    ("370124105", "玫瑰镇", "Meigui Town"), ("370124106", "安城镇", "Ancheng Town"),
)  # fmt: skip
_CODES = (
    ("below_minimum_spend", 131), ("cap_reached_person_merchant_day", 74), ("merchant_not_listed", 52), ("hour_not_allowed", 40),
    ("blackout_date", 33), ("voucher_expired", 21), ("category_excluded", 18), ("uses_exhausted", 11), ("place_not_allowed", 9),
    ("window_not_open", 4),
)  # fmt: skip


def _slices(names: tuple[tuple[str, str, str], ...], weights: list[int]) -> tuple[Slice, ...]:
    columns = [largest_remainder(total, weights) for total in (7_906, SPENT_FEN, OWN_FEN)]
    return tuple(
        Slice(key=key, name=Text(zh=zh, en=en), payments=payments, spent_fen=spent_fen, own_fen=own_fen)
        for (key, zh, en), payments, spent_fen, own_fen in zip(names, *columns, strict=True)
    )


def sample_report(mode: str = "demo") -> Report:
    """Pingyin's autumn packets, as they may have gone."""
    start = datetime(2023, 10, 15, 16, tzinfo=UTC)
    shops = tuple((f"shop-{n:03d}", f"平阴第{n}超市", f"平阴第{n}超市") for n in range(1, 11))
    by_day = largest_remainder(SPENT_FEN + 402_500, [9, 7, 6, 5, 5, 8, 9, 0, 6, 5, 4, 4, 7, 8, 5])
    refused = sum(times for _, times in _CODES)
    claimed = Stage(count=2_931, value_fen=ACCEPTED_FEN)
    found = {
        "claimed": share_bp(2_931, 3_000), "spent": share_bp(SPENT_FEN, ACCEPTED_FEN),
        "merchants_active": share_bp(93, 100), "refused": share_bp(refused, refused + 8_011),
    }  # fmt: skip
    return Report(
        campaign_id="0190c0de-0000-7000-8000-000000000001",
        code="pingyin-autumn-2023",
        name=Text(zh="平阴金秋数字人民币满减红包", en="Pingyin Autumn e-CNY Spend-and-Save Red Packets"),
        programme=Text(zh="平阴县数字人民币试点", en="Pingyin e-CNY Pilot"),
        state="closed",
        mode=mode,
        time_zone="Asia/Shanghai",
        made_at=start + timedelta(days=20),
        spending_start=start,
        spending_end=start + timedelta(days=15),
        closed_at=start + timedelta(days=16),
        targets=targets(found),
        funnel=Funnel(
            registered=Stage(count=30_000), struck=214, offered=Stage(count=3_000, value_fen=19_000_000),
            drawn=Stage(count=3_000, value_fen=19_000_000), called_in=187, lapsed=160, declined=27, accepted=claimed,
            first_use=Stage(count=2_894, value_fen=18_300_000), fully_used=Stage(count=2_340, value_fen=14_620_000),
            expired=Stage(count=591, value_fen=1_108_200), returned=Stage(count=660, value_fen=2_588_200),
            claimed_bp=found["claimed"], spent_bp=found["spent"],
        ),
        spending=Spending(
            payments=7_906, undone=41, released=105, refunds=133, captured_fen=SPENT_FEN + 402_500, refunded_fen=402_500,
            spent_fen=SPENT_FEN, own_fen=OWN_FEN, value_fen=SPENT_FEN + OWN_FEN,
            own_per_yuan_fen=own_per_yuan_fen(OWN_FEN, SPENT_FEN),
        ),
        days=tuple(
            Day(day=date(2023, 10, 16) + timedelta(days=n), payments=fen // 2_200, captured_fen=fen, refunded_fen=fen // 44)
            for n, fen in enumerate(by_day)
        ),
        places=_slices(_PLACES, [30, 26, 12, 10, 9, 5, 4, 4]),
        scenarios=_slices(
            (("retail", "零售消费", "Retail"), ("culture_tourism_sports", "文旅体育", "Culture, tourism and sports")), [83, 17]
        ),
        by_merchant=_slices((*shops, (REST, REST_NAME.zh, REST_NAME.en)), [9, 8, 7, 6, 6, 5, 4, 4, 3, 3, 45]),
        merchants=Merchants(listed=100, active=93, active_bp=found["merchants_active"]),
        refusals=Refusals(
            attempts=refused + 8_011, refused=refused, refused_bp=found["refused"], other_acts=7, unattributed=12,
            by_code=tuple(RefusalCount(code=code, times=times, sentence=general_sentence(code)) for code, times in _CODES),
        ),
        funders=(
            FunderPart(code="county-finance", name=Text(zh="平阴县财政局", en="Pingyin County Finance Bureau"), share_bp=7_500,
                       funded_fen=15_000_000, spent_fen=13_058_850, returned_fen=1_941_150),
            FunderPart(code="commerce-centre", name=Text(zh="平阴县商务发展中心", en="Pingyin County Commerce Development Centre"),
                       share_bp=2_500, funded_fen=5_000_000, spent_fen=4_352_950, returned_fen=647_050),
        ),
        money=Money(funded_fen=20_000_000, escrow_fen=0, outstanding_fen=0, held_fen=0, payable_fen=17_411_800, paid_fen=0,
                    returned_fen=2_588_200),
        kinds=kinds_of(mode),
    )  # fmt: skip
