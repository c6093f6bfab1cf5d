"""docs/payments.md in both languages: its tables are the code's, and its examples come out as printed."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from campaigns.domain import refunds
from campaigns.domain.codes import CODES
from campaigns.domain.codes.decide import CODES as DECIDE
from campaigns.domain.ledger import Lines, TransferKind
from campaigns.domain.terms.amount import amount
from campaigns.domain.terms.buckets import bucket
from campaigns.domain.terms.decide import RULES
from campaigns.domain.terms.facts import Allowed, Voucher
from campaigns.domain.terms.model import Percentage, SpendAndSave, Step, StoredValue, Terms
from campaigns.domain.terms.stacking import Offer, choose
from tests.docs.tables import DOCS, rows

DOCUMENTS = ("payments.md", "payments.zh.md")
HEADS = {
    "payments.md": {"rules": "rule", "buckets": "period", "transfers": "transfer", "steps": "step"},
    "payments.zh.md": {"rules": "规则", "buckets": "周期", "transfers": "分录", "steps": "步骤"},
}
TOLD = {"yes": True, "no": False, "可以": True, "不可以": False}
A, B = UUID(int=1), UUID(int=2)
NOW = datetime(2026, 11, 18, 4, tzinfo=UTC)

documents = pytest.mark.parametrize("document", DOCUMENTS)


def _codes(text: str) -> list[str]:
    return re.findall(r"[a-z_]+(?:\{scope\}_\{period\})?", text)


@documents
def test_rules_stand_in_their_order_with_their_codes(document: str) -> None:
    table = rows(document, HEADS[document]["rules"])
    assert [row[0] for row in table] == [rule.__name__ for rule in RULES]
    told = [code for row in table for code in _codes(row[2])]
    refused = [code for code, meaning in DECIDE.items() if meaning.kind == "refused"]
    assert told.pop() == "cap_reached_{scope}_{period}"
    assert told == [code for code in refused if not code.startswith("cap_reached_")]
    for row in table[:-1]:
        assert {CODES[code].public for code in _codes(row[2])} == {TOLD[row[3]]}, row
    public = {scope: CODES[f"cap_reached_{scope}_day"].public for scope in ("person", "merchant", "campaign")}
    assert public == {"person": False, "merchant": True, "campaign": True}


@documents
def test_buckets_are_those_of_the_code(document: str) -> None:
    for period, _, example in rows(document, HEADS[document]["buckets"]):
        assert bucket(period, NOW, ZoneInfo("Asia/Shanghai")) == date.fromisoformat(example)  # type: ignore[arg-type]


def _written(kind: TransferKind) -> set[tuple[str, str]]:
    """Debit and credit account of every transfer that verbs of this kind write."""
    lines = Lines(A)
    verbs = {
        "fund": lambda: lines.fund(A, B, A, 1),
        "grant": lambda: lines.grant(A, A, 1),
        "redeem": lambda: lines.redeem(A, A, B, 1),
        "authorize": lambda: lines.authorize(A, A, 1),
        "capture": lambda: lines.capture(A, A, B, 1),
        "release": lambda: [lines.release(A, A, 1, expired=one) for one in (False, True)],
        "void": lambda: [lines.void(A, A, 1, expired=one) for one in (False, True)],
        "hold_expiry": lambda: [lines.hold_expiry(A, A, 1, expired=one) for one in (False, True)],
        "expire": lambda: lines.expire(A, A, 1),
        "pay_out": lambda: lines.pay_out(A, A, B, 1),
        "bank_return": lambda: lines.bank_return(A, A, B, 1),
        "close": lambda: lines.close(A, A, B, 1),
    }
    if kind in ("refund", "undo"):
        for expired in (False, True):
            lines.back(kind, A, A, B, 1, expired=expired)
        lines.back_to_funder(kind, A, A, B, A, 1)
    else:
        verbs[kind]()
    return {(one.debit.kind, one.credit.kind) for one in lines.transfers if one.kind == kind}


@documents
def test_transfers_are_those_of_the_ledger(document: str) -> None:
    table = rows(document, HEADS[document]["transfers"])
    assert {row[0] for row in table} == set(TransferKind.__args__)
    for kind, debit, credits, by in table:
        assert _written(kind) == {(debit, credit) for credit in credits.split(", ")} and by  # type: ignore[arg-type]


def _numbers(row: Sequence[str]) -> list[int]:
    return [int(cell.replace(",", "")) for cell in row[1:]]


def _examples(document: str) -> tuple[list[list[int]], list[list[int]]]:
    steps = [_numbers(row) for row in rows(document, HEADS[document]["steps"])]
    return [row for row in steps if len(row) == 4], [row for row in steps if len(row) == 5]


STEPS = ((5_000, 1_000), (10_000, 2_200), (15_000, 3_000))
SAVING = Terms(benefit=SpendAndSave(steps=tuple(Step(spend_fen=a, save_fen=b) for a, b in STEPS)))


@documents
def test_the_first_example_comes_out(document: str) -> None:
    hold, captured, first, second = _examples(document)[0]
    basket_fen = hold[0]
    held_fen = amount(SAVING, basket_fen, 10_000)
    assert hold == [basket_fen, held_fen, held_fen, basket_fen - held_fen]
    line = refunds.Line(terms=SAVING, eligible_fen=basket_fen, available_fen=10_000, held_fen=held_fen)
    kept_fen = captured[0]
    (taken_fen,) = refunds.capture([line], basket_fen, kept_fen)
    own_fen = kept_fen - taken_fen
    assert captured == [kept_fen, taken_fen, held_fen - taken_fen, hold[3] - own_fen]
    back_fen = 0
    for row in (first, second):
        line = refunds.Line(
            terms=SAVING, eligible_fen=basket_fen, available_fen=10_000, held_fen=0, captured_fen=taken_fen,
            refunded_fen=back_fen,
        )  # fmt: skip
        (moved_fen,) = refunds.refund([line], basket_fen, kept_fen, kept_fen - row[0])
        back_fen += moved_fen
        left_own_fen = row[0] - (taken_fen - back_fen)
        assert row == [row[0], taken_fen - back_fen, moved_fen, own_fen - left_own_fen]
        own_fen = left_own_fen


def _offer(number: int, stacking_class: str, given_fen: int, basket_fen: int, available_fen: int) -> Offer:
    voucher = Voucher(
        id=UUID(int=number), state="live", balance_fen=available_fen, face_fen=available_fen, uses=0,
        granted_at=NOW, expires_at=NOW,
    )  # fmt: skip
    allowed = Allowed(amount_fen=given_fen, eligible_fen=basket_fen, available_fen=available_fen, at=NOW)
    return Offer(voucher=voucher, stacking_class=stacking_class, allowed=allowed)


@documents
def test_the_second_example_comes_out(document: str) -> None:
    redeemed, refunded = _examples(document)[1]
    basket_fen, terms = (
        redeemed[0],
        (Terms(benefit=StoredValue()), Terms(benefit=Percentage(basis_points=2_000, cap_fen=2_000))),
    )
    given = [amount(one, basket_fen, 5_000) for one in terms]
    offers = [_offer(n, str(n), fen, basket_fen, 5_000) for n, fen in enumerate(given)]
    chosen = [line.amount_fen for line in choose(reversed(offers), basket_fen)]
    assert redeemed == [basket_fen, sum(chosen), *chosen, basket_fen - sum(chosen)]
    lines = [
        refunds.Line(terms=one, eligible_fen=basket_fen, available_fen=5_000, held_fen=0, captured_fen=fen)
        for one, fen in zip(terms, chosen, strict=True)
    ]
    back = refunds.refund(lines, basket_fen, basket_fen, basket_fen - refunded[0])
    own_fen = basket_fen - refunded[0] - sum(back)
    assert refunded == [refunded[0], sum(chosen) - sum(back), *back, own_fen]


def test_both_languages_have_the_same_tables_and_codes() -> None:
    english, chinese = ((DOCS / document).read_text(encoding="utf-8") for document in DOCUMENTS)
    assert english.count("\n|") == chinese.count("\n|")
    assert set(re.findall(r"`([^`\n]+)`", english)) == set(re.findall(r"`([^`\n]+)`", chinese))
