"""Capture and refunds of a payment, computed again from sealed amounts under its terms. Pure.

What left the basket without moving money is sealed nowhere. The file may state such goods; then there must be some that
lead to every sealed amount, one refund after the other, and never more than is stated. So a stated refund without value
widens what can have been, and switches nothing off.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from campaigns.domain import refunds
from campaigns.domain.evidence import Evidence, Row, rows_of
from campaigns.domain.evidence_lines import Line
from campaigns.domain.terms.amount import excluded_amount
from campaigns.domain.terms.rules import Rules

Found = list[tuple[str, str]]


class _Basket(NamedTuple):
    """A captured basket: what its lines give for goods left, when none or all of the named goods were excluded ones."""

    basket_fen: int
    captured_basket_fen: int
    taken_fen: int
    none: list[refunds.Line]
    most: list[refunds.Line]

    def least_back_fen(self, goods_fen: int) -> int:
        return self._back(self.most, goods_fen)

    def most_back_fen(self, goods_fen: int) -> int:
        return self._back(self.none, goods_fen)

    def _back(self, lines: list[refunds.Line], goods_fen: int) -> int:
        gone_fen = self.basket_fen - self.captured_basket_fen + goods_fen
        return min(self.taken_fen - refunds.amount_left(lines, self.basket_fen, gone_fen), goods_fen)


def check_follow(
    evidence: Evidence, payment: Row, lines: Sequence[Line], rules: dict[int, Rules]
) -> tuple[Found, list[str]]:
    """What differs, and what the file cannot show. The state must have been found to fit the sealed rows."""
    state, payment_id = evidence.state, payment.id("id")
    if state.captured_basket_fen is None:
        return [], []
    taken_fen = sum(
        row.fen("amount_fen")
        for row in rows_of(evidence, "transfer")
        if row.id("cause_id") == payment_id and row.text("kind") in ("capture", "redeem")
    )
    basket = _Basket(
        payment.fen("basket_fen"), state.captured_basket_fen, taken_fen,
        _lines(evidence, lines, rules, named=False), _lines(evidence, lines, rules, named=True),
    )  # fmt: skip
    held_fen = sum(line.authorized_fen for line in lines)
    gone_fen = basket.basket_fen - basket.captured_basket_fen
    least, most = (
        min(held_fen, refunds.amount_left(some, basket.basket_fen, gone_fen))
        for some in (basket.none, basket.most)
    )
    if not least <= taken_fen <= most:
        return [("state", "captured again, the lines come to other amounts")], []
    found = [*_each_line(evidence, lines, taken_fen), *_refunds(evidence, basket)]
    return found, _notes(evidence)


def _each_line(evidence: Evidence, lines: Sequence[Line], taken_fen: int) -> Found:
    """Of a known sum each line's part is known: what is not taken and what is given back moves on the last line first."""
    held = [line.authorized_fen for line in lines]
    back_fen = sum(row.fen("back_fen") for row in rows_of(evidence, "refund"))
    if not back_fen <= taken_fen <= sum(held):
        return [("state", "more was given back than was captured")]
    rest = refunds.from_last(held, sum(held) - taken_fen)
    taken = [whole - part for whole, part in zip(held, rest, strict=True)]
    back = refunds.from_last(taken, back_fen)
    expected = {line.line: (taken[i], back[i]) for i, line in enumerate(lines)}
    if {one.line: (one.captured_fen, one.refunded_fen) for one in evidence.state.lines} != expected:
        return [("state", "captured again, the lines come to other amounts")]
    return []


def _refunds(evidence: Evidence, basket: _Basket) -> Found:
    rows = sorted(rows_of(evidence, "refund"), key=lambda row: (row.at("at"), row.id("id")))
    spare_fen = evidence.state.returned_goods_fen - sum(row.fen("returned_goods_fen") for row in rows)
    if spare_fen < 0 or bool(spare_fen) != bool(evidence.refunds_without_value):
        return [("state", "the goods returned are not those of the refunds")]
    back_fen = goods_fen = unsealed_fen = 0
    for row in rows:
        before_fen = goods_fen
        goods_fen += row.fen("returned_goods_fen")
        after_fen = back_fen + row.fen("back_fen")
        if row.text("kind") == "undo":
            more_fen = basket.captured_basket_fen - goods_fen
            fits = row is rows[-1] and after_fen == basket.taken_fen and unsealed_fen <= more_fen == spare_fen
        else:
            more_fen = _least_more(basket, goods_fen, unsealed_fen, spare_fen, after_fen)
            fits = more_fen <= spare_fen and basket.least_back_fen(goods_fen + more_fen) <= after_fen
        if not fits or basket.least_back_fen(before_fen + more_fen) > back_fen:
            computed_fen = basket.most_back_fen(goods_fen) - back_fen
            return [(row.name, f"computed again it gives back {computed_fen} fen")]
        back_fen, unsealed_fen = after_fen, more_fen
    if back_fen < basket.taken_fen and basket.least_back_fen(goods_fen + spare_fen) > back_fen:
        return [("state", "for the goods returned the terms give more back")]
    return []


def _least_more(basket: _Basket, goods_fen: int, unsealed_fen: int, spare_fen: int, after_fen: int) -> int:
    """The least of unsealed goods with which as much goes back; more than ``spare_fen`` where none do."""
    return bisect_left(
        range(spare_fen + 1),
        after_fen,
        lo=unsealed_fen,
        key=lambda more: basket.most_back_fen(goods_fen + more),
    )


def _notes(evidence: Evidence) -> list[str]:
    notes = []
    if evidence.refunds_without_value:
        notes.append(
            "refunds without value are not sealed: the sealed amounts follow from the terms for some of the goods said to"
            " be returned"
        )
    if evidence.state.gone_items:
        notes.append(
            "which named goods left, and when, is not sealed: the sealed amounts lie between what the terms give with and"
            " without them"
        )
    return notes


def _lines(
    evidence: Evidence, lines: Sequence[Line], rules: dict[int, Rules], *, named: bool
) -> list[refunds.Line]:
    gone = evidence.state.gone_items if named else ()
    return [
        refunds.Line(
            terms=rules[line.terms_version_id].terms, eligible_fen=line.eligible_fen, available_fen=line.available_fen,
            held_fen=line.authorized_fen,
            gone_excluded_fen=excluded_amount(gone, rules[line.terms_version_id].excluded_categories),
        )
        for line in lines
    ]  # fmt: skip
