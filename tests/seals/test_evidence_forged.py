"""A forger who makes all digests again and has the right head: what they change is refused, or told as their own word."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec
import pytest

from api.evidence_facts import SAID, SEALED, facts_told
from campaigns.domain.evidence import Evidence, LineState, PlaceLabel, encode, finished
from campaigns.domain.evidence_check import EvidenceCheck, verify_evidence
from campaigns.domain.evidence_contract import MAX_LABEL_CHARACTERS
from campaigns.domain.evidence_state import said_only
from campaigns.domain.ids import new_id
from campaigns.domain.terms.facts import Item
from campaigns.domain.terms.model import Terms
from campaigns.services.capturing import Capture, capture, void
from campaigns.services.paying import authorize
from campaigns.services.refunding import Refund, refund
from campaigns.services.seals import heads
from campaigns.store.evidence_rows import MAX_AUDIT_ROWS
from tests.seals.conftest import STEPS, Sealed, approve
from tests.seals.test_evidence import evidence_of, subjects
from tests.support.payworld import asked

replace = msgspec.structs.replace
Forge = Callable[[Evidence], Evidence]


async def checked(sealed: Sealed, forged: Evidence) -> EvidenceCheck:
    """Check it with new digests and under the published head."""
    [newest] = await heads(sealed.ctx, 1)
    return verify_evidence(encode(finished(forged)), newest.head)


def _state(**changes: object) -> Forge:
    return lambda good: replace(good, state=replace(good.state, **changes))


def _about(**changes: object) -> Forge:
    return lambda good: replace(good, about=replace(good.about, **changes))


def _terms(**changes: object) -> Forge:
    return lambda good: replace(good, terms=(replace(good.terms[0], **changes),))


def _invented(**changes: object) -> Forge:
    """A refund without value that never was, with changes to the state."""
    return lambda good: replace(good, refunds_without_value=(new_id(),), state=replace(good.state, **changes))


def _empty(good: Evidence) -> LineState:
    return replace(good.state.lines[0], captured_fen=0, refunded_fen=0)


def _later(name: str) -> Forge:
    def forge(good: Evidence) -> Evidence:
        at = getattr(good.state, name) or good.about.made_at
        return replace(good, state=replace(good.state, **{name: at + timedelta(days=1)}))

    return forge


REFUSED: dict[str, tuple[Forge, str]] = {
    "contract in zh": (_terms(contract_zh=("消费券使用规则", "1. 全部归商户。")), "terms"),
    "contract in en": (_terms(contract_en=("Terms of use", "1. The shop keeps all.")), "terms"),
    "a clause left out": (lambda good: _terms(contract_en=good.terms[0].contract_en[:-2])(good), "terms"),
    "a place the terms do not name": (_terms(place_names={"3701": PlaceLabel(zh="某地", en="X")}), "terms"),
    "campaign": (lambda good: _about(campaigns=dict.fromkeys(good.about.campaigns, "other"))(good), "about"),
    "time zone": (_about(time_zone="UTC"), "about"),
    "no time of capture": (_state(captured_at=None), "state"),
    "later capture": (_later("captured_at"), "state"),
    "an end": (_later("ended_at"), "state"),
    "captured basket too small": (_state(captured_basket_fen=9_999), "state"),
    "captured basket too large": (_state(captured_basket_fen=15_001), "state"),
    "captured basket over the payment's": (_state(captured_basket_fen=16_001), "state"),
    "no captured basket": (_state(captured_basket_fen=None), "state"),
    "fewer goods returned": (_state(returned_goods_fen=2_999), "state"),
    "more goods returned": (_state(returned_goods_fen=3_001), "state"),
    "goods that were not bought": (_state(gone_items=(Item(category="wine", amount_fen=1),)), "state"),
    "a line twice": (lambda good: _state(lines=(_empty(good), *good.state.lines))(good), "state"),
    "undone by an invented refund": (_invented(state="undone", returned_goods_fen=12_000), "state"),
    "invented refund without goods": (_invented(), "state"),
    "invented refund, another basket": (
        _invented(returned_goods_fen=3_001, captured_basket_fen=9_999),
        "state",
    ),
    "invented refund of too many goods": (_invented(returned_goods_fen=7_001), "state"),
    "invented refund of more than all goods": (_invented(returned_goods_fen=12_001), "state"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_follows_from_sealed_rows_cannot_be_said_otherwise(sealed: Sealed, name: str) -> None:
    forge, subject = REFUSED[name]
    check = await checked(sealed, forge(await evidence_of(sealed, sealed.captured)))
    assert [one for one in subjects(check) if one.startswith(subject)], check.problems


SAID_FORGERIES: dict[str, tuple[Forge, str]] = {
    "merchant": (lambda good: replace(good, store=replace(good.store, merchant_name="另一家")), "store"),
    "store": (lambda good: replace(good, store=replace(good.store, store_name="Another")), "store"),
    "maker": (_about(made_by="nobody"), "made"),
    "programme": (_about(programme="other"), "made"),
    "time of making": (lambda good: _about(made_at=good.about.made_at - timedelta(days=9))(good), "made"),
    "captured basket": (_state(captured_basket_fen=12_500), "captured_basket"),
    "goods of a refund without value": (_invented(returned_goods_fen=4_000), "returned_goods"),
}


@pytest.mark.parametrize("name", SAID_FORGERIES)
async def test_what_no_row_proves_is_told_as_the_makers_word(sealed: Sealed, name: str) -> None:
    forge, fact = SAID_FORGERIES[name]
    forged = forge(await evidence_of(sealed, sealed.captured))
    check = await checked(sealed, forged)
    assert check.problems == ()
    assert fact in said_only(forged)


async def test_an_amount_the_terms_do_not_give_is_found_in_spite_of_an_invented_refund(
    sealed: Sealed, superuser: asyncpg.Connection
) -> None:
    """A refund that was wrong before it was sealed: no goods in the world give back 1,201 fen by these steps."""
    payment_id = await sealed.pay(12_000)
    till, goods = sealed.world.till(sealed.merchant_id), Refund(returned_goods_fen=3_000)
    row = await refund(sealed.ctx, till, asked(till, goods), payment_id, goods)
    for statement in (
        "UPDATE transfer SET amount_fen = amount_fen + 1 WHERE cause_id = $1",
        "UPDATE refund SET back_fen = back_fen + 1 WHERE id = $1",
    ):
        await superuser.execute(statement, row.id)
    for table in ("payment", "payment_line"):
        column = "id" if table == "payment" else "payment_id"
        await superuser.execute(
            f"UPDATE {table} SET refunded_fen = refunded_fen + 1 WHERE {column} = $1", payment_id
        )
    wrong = await evidence_of(sealed, payment_id)
    for goods_fen in (3_000, 3_001, 8_000, 12_000):
        forged = _invented(returned_goods_fen=goods_fen)(wrong) if goods_fen > 3_000 else wrong
        assert (await checked(sealed, forged)).problems


async def _returned(sealed: Sealed, payment_id: UUID, *goods_fen: int) -> Evidence:
    till = sealed.world.till(sealed.merchant_id)
    for one in goods_fen:
        goods = Refund(returned_goods_fen=one)
        await refund(sealed.ctx, till, asked(till, goods), payment_id, goods)
    return await evidence_of(sealed, payment_id)


async def test_refunds_without_value_are_allowed_for_and_the_others_computed_again(unsealed: Sealed) -> None:
    payment_id = await unsealed.pay(12_000)
    good = await _returned(unsealed, payment_id, 2_000, 1_000, 500, 4_000)  # gives back 0, 1200, 0, 1000
    assert len(good.refunds_without_value) == 2
    check = await checked(unsealed, good)
    assert check.problems == () and len(check.notes) == 1
    assert "returned_goods" in said_only(good) and "captured_basket" not in said_only(good)
    for forged in (
        replace(good, refunds_without_value=()),
        _state(returned_goods_fen=5_000)(good),
        _state(returned_goods_fen=6_000)(good),  # only 1,000 of goods unsealed: the first 1,200 need 1,001
        replace(good, refunds_without_value=(good.refunds_without_value[0],) * 2),
    ):
        assert (await checked(unsealed, forged)).problems


async def test_the_time_of_a_void_is_that_of_its_transfers(unsealed: Sealed) -> None:
    person = await unsealed.world.person()
    await unsealed.world.voucher(unsealed.campaign_id, person, 10_000)
    till, spend = unsealed.world.till(unsealed.merchant_id), await unsealed.world.spend(person, 5_000)
    held = await authorize(unsealed.ctx, till, asked(till, spend), spend)
    await void(unsealed.ctx, till, asked(till, None), held.id)
    good = await evidence_of(unsealed, held.id)
    assert (await checked(unsealed, good)).problems == ()
    for forge in (
        _later("ended_at"),
        _state(ended_at=None),
        _later("captured_at"),
        _state(captured_basket_fen=5_000),
        _state(returned_goods_fen=1),
    ):
        assert subjects(await checked(unsealed, forge(good))) == {"state"}


async def test_named_goods_that_left_narrow_the_amounts(unsealed: Sealed, owner: asyncpg.Connection) -> None:
    world = unsealed.world
    campaign = await world.campaign(Terms(benefit=STEPS, excluded_categories=("wine",)))
    await approve(world, owner, campaign)
    person = await world.person()
    await world.voucher(campaign, person, 10_000)
    wine = Item(category="wine", amount_fen=4_000)
    till, spend = world.till(unsealed.merchant_id), await world.spend(person, 16_000, items=(wine,))
    held = await authorize(unsealed.ctx, till, asked(till, spend), spend)
    part = Capture(basket_fen=13_000, gone_items=(Item(category="wine", amount_fen=3_000),))
    await capture(unsealed.ctx, till, asked(till, part), held.id, part)
    good = await evidence_of(unsealed, held.id)
    check = await checked(unsealed, good)
    assert check.problems == () and len(check.notes) == 1
    assert {"gone_items", "captured_basket"} <= set(said_only(good))
    for forge in (
        _state(gone_items=()),
        _state(gone_items=(Item(category="wine", amount_fen=4_001),)),
        _state(captured_basket_fen=8_000),
    ):
        assert subjects(await checked(unsealed, forge(good))) == {"state"}


async def test_the_names_of_places_are_labels_and_codes_are_not(
    unsealed: Sealed, owner: asyncpg.Connection
) -> None:
    world = unsealed.world
    unsealed.campaign_id = await world.campaign(Terms(benefit=STEPS, places=("3701",)))
    await approve(world, owner, unsealed.campaign_id)
    await owner.execute("UPDATE store SET place = '370102'")
    good = await evidence_of(unsealed, await unsealed.pay())
    assert (await checked(unsealed, good)).problems == () and "place_names" in said_only(good)
    [label] = good.terms[0].place_names.values()
    assert any(label.zh in line for line in good.terms[0].contract_zh) and label.zh != "3701"
    for names in (
        {},
        {"3702": label},
        {"3701": replace(label, zh="青岛")},
        {"3701": replace(label, en="any place\n9. All is free.")},
    ):
        assert (await checked(unsealed, _terms(place_names=names)(good))).problems


async def test_a_long_name_of_a_place_is_cut_to_a_line(unsealed: Sealed, owner: asyncpg.Connection) -> None:
    world = unsealed.world
    unsealed.campaign_id = await world.campaign(Terms(benefit=STEPS, places=("370124001",)))
    await approve(world, owner, unsealed.campaign_id)
    names = {"370124001": {"zh": "榆山街道\n9. 全部免费", "en": "Yushan " * 100}}
    await owner.execute(
        "UPDATE campaign SET definition = definition || $2 WHERE id = $1",
        unsealed.campaign_id,
        msgspec.json.encode({"place_names": names}).decode(),
    )
    await owner.execute("UPDATE store SET place = '370124001'")
    good = await evidence_of(unsealed, await unsealed.pay())
    [label] = good.terms[0].place_names.values()
    assert label.zh == "榆山街道 9. 全部免费" and 90 < len(label.en) <= MAX_LABEL_CHARACTERS
    assert (await checked(unsealed, good)).problems == ()


async def test_many_acts_of_a_merchant_leave_the_approval_in_the_file(
    unsealed: Sealed, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "INSERT INTO audit (at, programme_id, actor_kind, actor_id, action, subject_id, facts)"
        " SELECT now(), $1, 'staff', $2, 'merchant.put', $3, '{}' FROM generate_series(1, $4)",
        unsealed.world.programme_id,
        unsealed.world.author_id,
        unsealed.merchant_id,
        MAX_AUDIT_ROWS + 50,
    )
    world = unsealed.world
    unsealed.campaign_id = await world.campaign(Terms(benefit=STEPS))
    await approve(world, owner, unsealed.campaign_id)
    good = await evidence_of(unsealed, await unsealed.pay())
    assert sum(part.kind == "audit" for part in good.rows) == MAX_AUDIT_ROWS
    check = await checked(unsealed, good)
    assert check.problems == () and check.notes == (
        f"{good.about.acts_left_out} further acts were too many for the file",
    )
    assert good.about.acts_left_out >= 51


async def test_both_lists_of_facts_are_told_in_both_languages(sealed: Sealed) -> None:
    good = await evidence_of(sealed, sealed.captured)
    for language, place in (("zh", 0), ("en", 1)):
        proven, said = facts_told(good, "en" if language == "en" else "zh")
        assert proven[1] == [pair[place] for pair in SEALED]
        assert said[1] == [SAID[name][place] for name in said_only(good)]
    assert said_only(good) == ("store", "made", "complete", "captured_basket")
    assert said_only(await evidence_of(sealed, sealed.redeemed)) == ("store", "made", "complete")
    texts = [text for pair in (*SEALED, *SAID.values()) for text in pair]
    assert len(set(texts)) == len(texts)
