"""The report of a campaign whose figures are known, and the arithmetic of shares, slices, days and targets."""

from datetime import UTC, date, timedelta
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from campaigns.domain.codes import decide, payment
from campaigns.domain.definition.model import Text
from campaigns.domain.errors import Refused
from campaigns.domain.report import (
    REST,
    Day,
    Report,
    Slice,
    Stage,
    Target,
    fill_days,
    own_per_yuan_fen,
    share_bp,
    slices,
    targets,
)
from campaigns.domain.report_figures import FIGURES, TARGET_FIGURES, kinds_of
from campaigns.domain.terms.model import Terms
from campaigns.services.clock import shift_clock, void_codes
from campaigns.services.context import Context
from campaigns.services.paying import redeem
from campaigns.services.reporting import campaign_named, general_sentence, report
from campaigns.services.sweeping import sweep
from tests.support.payworld import STORED, PayWorld, asked
from tests.support.report_world import counted_campaign, spend_known_sums


async def test_every_figure_of_a_counted_campaign(ctx: Context, owner: asyncpg.Connection) -> None:
    counted = await counted_campaign(ctx, owner)
    await spend_known_sums(counted)
    found = await report(ctx, counted.campaign_id)

    funnel = found.funnel
    assert funnel.registered == Stage(count=5)
    assert (funnel.struck, funnel.called_in, funnel.lapsed, funnel.declined) == (1, 1, 1, 1)
    assert funnel.offered == Stage(count=6, value_fen=37_000)
    assert funnel.drawn == Stage(count=5, value_fen=30_000)
    assert funnel.accepted == Stage(count=4, value_fen=25_000)
    assert funnel.first_use == Stage(count=2, value_fen=16_000)  # what was undone is no use
    assert funnel.fully_used == Stage(count=1, value_fen=10_000)
    assert funnel.expired == Stage(count=0, value_fen=0)
    assert funnel.returned == Stage(count=0, value_fen=0)
    assert (funnel.claimed_bp, funnel.spent_bp) == (6_666, 5_200)

    spending = found.spending
    assert (spending.payments, spending.undone, spending.released, spending.refunds) == (3, 1, 1, 1)
    assert (spending.captured_fen, spending.refunded_fen, spending.spent_fen) == (17_000, 4_000, 13_000)
    assert (spending.own_fen, spending.value_fen, spending.own_per_yuan_fen) == (2_000, 15_000, 15)

    assert [(s.key, s.name.zh, s.name.en, s.payments, s.spent_fen, s.own_fen) for s in found.places] == [
        ("370124", "平阴县", "平阴县 (370124)", 2, 10_000, 2_000),
        ("370124001", "榆山街道", "Yushan Subdistrict", 1, 3_000, 0),
    ]
    assert [(s.key, s.name.en, s.spent_fen) for s in found.scenarios] == [
        ("retail", "Retail", 10_000),
        ("medical", "Medical care", 3_000),
    ]
    assert [(s.payments, s.spent_fen) for s in found.by_merchant] == [(2, 10_000), (1, 3_000)]
    assert (found.merchants.listed, found.merchants.active, found.merchants.active_bp) == (3, 2, 6_666)

    refusals = found.refusals
    assert (refusals.attempts, refusals.refused, refusals.refused_bp) == (5, 1, 2_000)
    assert [(r.code, r.times) for r in refusals.by_code] == [("below_minimum_spend", 1)]
    assert (refusals.other_acts, refusals.unattributed) == (0, 0)

    assert [(f.share_bp, f.funded_fen, f.spent_fen, f.returned_fen) for f in found.funders] == [
        (7_500, 30_000, 9_750, 0),
        (2_500, 10_000, 3_250, 0),
    ]
    money = found.money
    assert (money.funded_fen, money.escrow_fen, money.outstanding_fen) == (40_000, 15_000, 12_000)
    assert (money.held_fen, money.payable_fen, money.paid_fen, money.returned_fen) == (0, 13_000, 0, 0)
    assert [(t.id, t.found_bp, t.reached) for t in found.targets] == [
        ("claimed", 6_666, False),
        ("spent", 5_200, False),
        ("merchants_active", 6_666, False),
        ("refused", 2_000, False),
    ]
    assert (found.name.zh, found.programme.en, found.mode) == ("平阴金秋满减红包", "Pilot", "test")


async def test_the_parts_add_up_to_the_whole(ctx: Context, owner: asyncpg.Connection) -> None:
    counted = await counted_campaign(ctx, owner)
    await spend_known_sums(counted)
    found = await report(ctx, counted.campaign_id)
    for parts in (found.places, found.scenarios, found.by_merchant):
        assert sum(part.spent_fen for part in parts) == found.spending.spent_fen
        assert sum(part.own_fen for part in parts) == found.spending.own_fen
        assert sum(part.payments for part in parts) == found.spending.payments
    assert sum(day.captured_fen - day.refunded_fen for day in found.days) == found.spending.spent_fen
    assert sum(day.payments for day in found.days) == found.spending.payments
    assert sum(funder.spent_fen for funder in found.funders) == found.spending.spent_fen
    money = msgspec.to_builtins(found.money)
    assert money.pop("funded_fen") == sum(money.values())


async def test_a_later_day_and_the_end_of_the_vouchers(ctx: Context, owner: asyncpg.Connection) -> None:
    counted = await counted_campaign(ctx, owner)
    await spend_known_sums(counted)
    first = await report(ctx, counted.campaign_id)
    await void_codes(ctx)
    await shift_clock(ctx, timedelta(days=31))
    await sweep(ctx)
    await counted.world.close(counted.campaign_id)
    last = await report(ctx, counted.campaign_id)
    assert last.made_at - first.made_at > timedelta(days=30)
    assert last.days == first.days
    # Of ¥60, ¥60 and ¥30 accepted, ¥30, ¥60 and ¥30 came back; with the two packets never accepted that is five.
    assert last.funnel.expired == Stage(count=3, value_fen=12_000)
    assert last.funnel.returned == Stage(count=5, value_fen=27_000)
    assert (last.money.escrow_fen, last.money.outstanding_fen, last.money.returned_fen) == (0, 0, 27_000)
    assert (last.state, last.closed_at is not None) == ("closed", True)


async def test_the_day_is_the_campaigns_own(ctx: Context, owner: asyncpg.Connection) -> None:
    counted = await counted_campaign(ctx, owner)
    await spend_known_sums(counted)
    await owner.execute(
        "UPDATE campaign SET time_zone = 'Pacific/Kiritimati' WHERE id = $1", counted.campaign_id
    )
    east = await report(ctx, counted.campaign_id)
    await owner.execute(
        "UPDATE campaign SET time_zone = 'Pacific/Pago_Pago' WHERE id = $1", counted.campaign_id
    )
    west = await report(ctx, counted.campaign_id)
    assert (east.days[0].day - west.days[0].day).days in (1, 2)  # 25 hours apart
    assert east.made_at.astimezone(UTC).date() >= west.days[0].day


async def test_a_campaign_without_any_life_has_a_report(ctx: Context) -> None:
    world = await PayWorld(ctx).start()
    campaign_id = await world.campaign()
    found = await report(ctx, campaign_id)
    assert found.funnel.registered is None
    assert (found.funnel.claimed_bp, found.funnel.spent_bp, found.spending.own_per_yuan_fen) == (None,) * 3
    assert {target.reached for target in found.targets} == {None}
    assert (found.days, found.places, found.refusals.by_code) == ((), (), ())


async def test_who_asks_for_a_foreign_campaign_hears_not_found(ctx: Context) -> None:
    world = await PayWorld(ctx).start()
    campaign_id = await world.campaign()
    assert (await report(ctx, campaign_id, world.programme_id)).campaign_id == str(campaign_id)
    for asked_id, programme_id in ((campaign_id, uuid4()), (uuid4(), None)):
        with pytest.raises(Refused) as refused:
            await report(ctx, asked_id, programme_id)
        assert (refused.value.code, refused.value.status) == ("not_found", 404)


async def test_a_campaign_is_named_by_code_or_id(ctx: Context) -> None:
    world = await PayWorld(ctx).start()
    campaign_id = await world.campaign()
    code = (await report(ctx, campaign_id)).code
    assert await campaign_named(ctx, code) == campaign_id
    assert await campaign_named(ctx, str(campaign_id)) == campaign_id
    with pytest.raises(Refused):
        await campaign_named(ctx, "nothing")


async def test_refusals_before_a_campaign_was_known_stand_apart(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    counted = await counted_campaign(ctx, owner)
    stranger = await counted.world.person()
    till = counted.world.till(counted.shops[0])
    spend = await counted.world.spend(stranger, 5_000)
    with pytest.raises(Refused):
        await redeem(ctx, till, asked(till, spend), spend)
    found = (await report(ctx, counted.campaign_id)).refusals
    assert (found.attempts, found.refused, found.unattributed) == (0, 0, 1)


async def test_a_payment_of_two_campaigns_counts_for_each_by_its_part(ctx: Context) -> None:
    world = await PayWorld(ctx).start()
    person, shop = await world.person(), await world.merchant()
    found = []
    for name, face_fen in (("one", 1_000), ("two", 3_000)):
        campaign_id = await world.campaign(Terms(benefit=STORED, stacking_class=name))
        await world.voucher(campaign_id, person, face_fen)
        found.append(campaign_id)
    till, spend = world.till(shop), await world.spend(person, 10_000)
    await redeem(ctx, till, asked(till, spend), spend)
    sums = [(await report(ctx, campaign_id)).spending for campaign_id in found]
    assert [(s.payments, s.spent_fen, s.own_fen, s.own_per_yuan_fen) for s in sums] == [
        (1, 1_000, 1_500, 150),
        (1, 3_000, 4_500, 150),
    ]


def test_every_figure_has_a_kind_and_a_label() -> None:
    sections = {"funnel", "spending", "refusals", "merchants", "money"}
    leaves = {
        f"{field.name}.{leaf.name}" if field.name in sections else field.name
        for field in msgspec.structs.fields(Report)
        for leaf in (msgspec.structs.fields(field.type) if field.name in sections else (field,))
    }
    head = {
        "campaign_id", "code", "name", "programme", "state", "mode", "time_zone", "made_at", "spending_start",
        "spending_end", "closed_at", "targets", "kinds",
    }  # fmt: skip
    assert leaves - head == set(FIGURES)
    assert all(figure.zh and figure.en for figure in FIGURES.values())
    assert {target.id for target in targets(dict.fromkeys(TARGET_FIGURES))} == set(TARGET_FIGURES)


def test_only_a_production_database_has_real_people() -> None:
    assert set(kinds_of("production").values()) == {"outcome"}
    for mode in ("demo", "test"):
        kinds = kinds_of(mode)
        assert kinds["funnel.registered"] == kinds["spending.own_fen"] == "input"
        assert kinds["funnel.drawn"] == kinds["spending.spent_fen"] == kinds["refusals.refused"] == "outcome"


@pytest.mark.parametrize(
    ("found_bp", "goal", "reached"),
    [
        (9_600, "claimed", True), (9_599, "claimed", False), (None, "claimed", None),
        (499, "refused", True), (500, "refused", False),
    ],
)  # fmt: skip
def test_a_target_at_its_edge(found_bp: int | None, goal: str, reached: bool | None) -> None:
    found: dict[str, Target] = {
        target.id: target for target in targets(dict.fromkeys(TARGET_FIGURES) | {goal: found_bp})
    }
    assert found[goal].reached is reached


def test_shares_round_down_and_nothing_has_no_share() -> None:
    assert (share_bp(1, 3), share_bp(0, 3), share_bp(3, 3), share_bp(0, 0)) == (3_333, 0, 10_000, None)
    assert (own_per_yuan_fen(199, 100), own_per_yuan_fen(0, 7), own_per_yuan_fen(5, 0)) == (199, 0, None)


def _slice(key: str, spent_fen: int) -> Slice:
    return Slice(key=key, name=Text(zh=key, en=key), payments=1, spent_fen=spent_fen, own_fen=2)


def test_slices_of_one_key_are_added_and_the_smallest_become_the_rest() -> None:
    parts = [_slice("a", 1), _slice("b", 5), _slice("a", 3), _slice("c", 2), _slice("d", 1)]
    found = slices(parts, most=2)
    assert [(s.key, s.spent_fen, s.payments, s.own_fen) for s in found] == [
        ("b", 5, 1, 2), ("a", 4, 2, 4), (REST, 3, 2, 4),
    ]  # fmt: skip
    assert [s.key for s in slices(parts, most=4)] == ["b", "a", "c", "d"]


def test_days_without_a_payment_are_shown_too() -> None:
    days = [Day(day=date(2026, 3, d), payments=1, captured_fen=10, refunded_fen=0) for d in (3, 1)]
    found = fill_days(days)
    assert [(day.day.day, day.payments) for day in found] == [(1, 1), (2, 0), (3, 1)]
    assert fill_days([]) == ()
    far = [*days, Day(day=date(2036, 1, 1), payments=1, captured_fen=1, refunded_fen=0)]
    assert len(fill_days(far)) == 3


@pytest.mark.parametrize("code", [*decide.CODES, *payment.CODES])
def test_a_general_sentence_names_no_case(code: str) -> None:
    text = general_sentence(code)
    for sentence in (text.zh, text.en):
        assert sentence and "{" not in sentence and "?" not in sentence
