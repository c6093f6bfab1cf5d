"""The printed contract: every rule that is set is there, in both languages, and nothing else."""

from typing import Any

import pytest
from hypothesis import given, settings

from campaigns.domain.terms.compile import digest
from campaigns.domain.terms.contract import contract_text, sentences
from campaigns.domain.terms.model import (
    CHANNELS,
    WEEKDAYS,
    Cap,
    Circle,
    HolidayYear,
    Percentage,
    SpendAndSave,
    Step,
    Terms,
    Whitelist,
)
from campaigns.domain.terms.names import CHANNEL_NAMES, PERIOD_NAMES, SCOPE_NAMES, WEEKDAY_NAMES
from tests.domain.decide_cases import compiled, day, stored
from tests.domain.decide_strategies import TERMS, WHITELISTS

BARE = stored(excluded_categories=())

# member, value, words that must stand in the zh and in the en clause it adds
CLAUSES: list[tuple[str, Any, tuple[str, ...], tuple[str, ...]]] = [
    ("weekdays", ("sat", "sun"), ("仅限周六、周日使用",), ("Only on Saturday, Sunday",)),
    ("hours", ("10:00-14:00", "17:00-24:00"), ("10:00-14:00、17:00-24:00",), ("10:00-14:00, 17:00-24:00",)),
    ("blackout_dates", (day("2020-10-14"),), ("不可用：2020-10-14",), ("Not on these dates: 2020-10-14",)),
    ("days", "workday", ("仅限工作日", "调休", "2020-10-17、2020-10-18"), ("Only on workdays", "make-up", "2020-10-17, 2020-10-18")),
    ("days", "rest_day", ("仅限休息日", "2020-10-17、2020-10-18"), ("Only on days of rest", "2020-10-17, 2020-10-18")),
    ("valid_days", 3, ("3 天内有效", "第 3 天 24:00"), ("valid for 3 days", "24:00 of day 3")),
    ("places", ("370124", "3203"), ("门店须位于：370124、3203",), ("Stores in: 370124, 3203",)),
    ("scenarios", ("retail", "culture_tourism_sports"), ("适用场景：零售消费、文旅体育",), ("purposes: Retail; Culture, tourism and sports.",)),
    ("mcc", ("5812",), ("商户类别码仅限：5812",), ("(MCC): 5812",)),
    ("excluded_categories", ("lottery", "tobacco"), ("彩票、烟草", "不计入"), ("Not for lottery, tobacco", "do not count")),
    ("channels", ("online", "unattended"), ("线上、无人值守设备",), ("online, at unattended machines only",)),
    ("min_spend_fen", 123_450, ("须满 ¥1,234.50",), ("at least ¥1,234.50",)),
    ("max_per_use_fen", 5_000, ("单次最高抵扣 ¥50.00",), ("at most ¥50.00",)),
    ("max_uses", 2, ("最多使用 2 次",), ("at most 2 times",)),
    ("first_purchase", True, ("首次消费",), ("first purchase",)),
    ("wallet_operators", ("icbc", "abc"), ("icbc、abc",), ("icbc, abc",)),
    ("geofence", (Circle(latitude_e6=36_290_001, longitude_e6=-116_450_000, radius_m=150),), ("36.290001, -116.450000", "150 米", "无位置信息不可用"), ("36.290001, -116.450000", "150 m", "without a position")),
]  # fmt: skip


def both(terms: Terms, whitelist: Whitelist | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    version = compiled(terms, whitelist)
    return sentences(version, "zh"), sentences(version, "en")


def added(terms: Terms, whitelist: Whitelist | None = None) -> tuple[str, str]:
    """The one clause that these terms have beyond the bare ones."""
    new = [
        [line for line in got if line not in bare]
        for got, bare in zip(both(terms, whitelist), both(BARE), strict=True)
    ]
    assert [len(lines) for lines in new] == [1, 1]
    return new[0][0], new[1][0]


@pytest.mark.parametrize(("member", "value", "zh_words", "en_words"), CLAUSES)
def test_a_rule_that_is_set_is_printed(
    member: str, value: Any, zh_words: tuple[str, ...], en_words: tuple[str, ...]
) -> None:
    holidays = {"2020": HolidayYear(holidays=())} if member == "days" else {}
    zh, en = added(stored(**{"excluded_categories": (), "holidays": holidays, member: value}))
    assert all(word in zh for word in zh_words), zh
    assert all(word in en for word in en_words), en
    assert zh.endswith("。") and en.endswith(".")


def test_every_member_of_terms_has_its_clause() -> None:
    tested_below = {"benefit", "caps", "stacking_class", "undo_seconds", "hold_seconds"}
    only_data = {"holidays"}  # goes into the rest days of the clause on days
    assert {member for member, *_ in CLAUSES} | tested_below | only_data == set(Terms.__struct_fields__)


@pytest.mark.parametrize("scope", SCOPE_NAMES)
@pytest.mark.parametrize("period", PERIOD_NAMES)
def test_caps(scope: str, period: str) -> None:
    cap = Cap(scope=scope, period=period, uses=2, amount_fen=5_000)  # type: ignore[arg-type]
    zh, en = added(stored(excluded_categories=(), caps=(cap,)))
    assert zh == f"{SCOPE_NAMES[scope][0]}{PERIOD_NAMES[period][0]}最多 2 次、优惠 ¥50.00。"
    assert (
        en == f"At most 2 payments and ¥50.00 of subsidy {SCOPE_NAMES[scope][1]}, {PERIOD_NAMES[period][1]}."
    )


def test_caps_of_one_kind() -> None:
    uses = added(stored(excluded_categories=(), caps=(Cap(scope="person", period="day", uses=2),)))
    assert uses == ("每人每天最多 2 次。", "At most 2 payments per person, a day.")
    fen = added(stored(excluded_categories=(), caps=(Cap(scope="campaign", period="whole", amount_fen=1),)))
    assert "¥0.01" in fen[0] and "次" not in fen[0] and "payments" not in fen[1]


@pytest.mark.parametrize("member", Whitelist.__struct_fields__)
def test_whitelist(member: str) -> None:
    zh, en = added(BARE, Whitelist(**{member: ("first", "second")}))
    assert "first、second" in zh and "first, second" in en


def test_benefits() -> None:
    zh, en = both(BARE)
    assert any("可分次使用" in line for line in zh) and any("spent in parts" in line for line in en)
    two_steps = SpendAndSave(
        steps=(Step(spend_fen=10_000, save_fen=3_000), Step(spend_fen=20_000, save_fen=7_000))
    )
    zh, en = both(Terms(benefit=two_steps))
    assert (
        "满 ¥100.00 减 ¥30.00。" in zh
        and "满 ¥200.00 减 ¥70.00。" in zh
        and any("不拆分" in line for line in zh)
    )
    assert "Spend ¥100.00, save ¥30.00." in en and "Spend ¥200.00, save ¥70.00." in en
    assert any("whole or not at all" in line for line in en)
    zh, en = both(Terms(benefit=Percentage(basis_points=1_250, cap_fen=2_000)))
    assert any("12.50%" in line and "¥20.00" in line and "不足一分舍去" in line for line in zh)
    assert any("12.50%" in line and "¥20.00" in line and "rounded down" in line for line in en)
    assert any(" 10% " in line for line in both(Terms(benefit=Percentage(basis_points=1_000, cap_fen=1)))[0])


def test_handling() -> None:
    zh, en = both(stored(stacking_class="food", undo_seconds=61, hold_seconds=62))
    for lines, words in ((zh, ("food", "61 秒", "62 秒")), (en, ("food", "61 seconds", "62 seconds"))):
        assert all(any(word in line for line in lines) for word in words)
    assert any("退货" in line for line in zh) and any("return" in line for line in en)


def test_window_is_local() -> None:
    zh, en = both(BARE)
    assert zh[0] == "使用时间：2020-10-12 18:00 至 2020-10-18 24:00（时区 Asia/Shanghai，不含结束时刻）。"
    assert en[0].startswith("Vouchers can be spent from 2020-10-12 18:00 until 2020-10-18 24:00")


@settings(max_examples=150, deadline=None)
@given(TERMS, WHITELISTS)
def test_both_languages_keep_step(terms: Terms, whitelist: Whitelist) -> None:
    zh, en = both(terms, whitelist)
    assert len(zh) == len(en) >= 5
    assert all("None" not in line for line in zh + en)


def test_numbered_text_with_digest() -> None:
    version = compiled(stored(max_uses=2), version=3)
    for language, title, mark in (
        ("zh", "消费券使用规则 pingyin-2020 第 3 版", "规则摘要"),
        ("en", "Terms of use, pingyin-2020, version 3", "Digest"),
    ):
        lines = contract_text(version, language).splitlines()  # type: ignore[arg-type]
        assert lines[0] == title
        clauses = sentences(version, language)  # type: ignore[arg-type]
        assert lines[1:-1] == [f"{number}. {clause}" for number, clause in enumerate(clauses, start=1)]
        assert lines[-1].startswith(mark) and lines[-1].endswith(digest(version))


def test_places_can_be_named() -> None:
    version = compiled(stored(places=("370124",)), Whitelist(places=("3701",)))
    names = {"370124": "平阴县", "3701": "济南市"}
    text = contract_text(version, "zh", names.__getitem__)
    assert "平阴县" in text and "济南市" in text and "370124" not in text


def test_names_cover_the_enumerations() -> None:
    assert tuple(WEEKDAY_NAMES) == WEEKDAYS
    assert tuple(CHANNEL_NAMES) == CHANNELS


def test_one_payment_is_not_payments_and_an_amount_alone_reads_well() -> None:
    once = Cap(scope="person", period="day", uses=1)
    assert added(stored(excluded_categories=(), caps=(once,))) == (
        "每人每天最多 1 次。",
        "At most 1 payment per person, a day.",
    )
    money = Cap(scope="merchant", period="day", amount_fen=5_000)
    assert added(stored(excluded_categories=(), caps=(money,)))[0] == "每商户每天最多优惠 ¥50.00。"
