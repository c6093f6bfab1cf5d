"""The decision of a payment, made again from the facts that were kept of it, under terms that were approved. Pure.

Kept are the basket, the items, channel and position, the time, and of each line the eligible part and the most the voucher
could give (balance, caps and the most for one use are in that). Not kept are the caps' counters, the wallets and
what the store was then: where the rules about the store say no today, a note says so instead of a verdict.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from campaigns.domain import refunds
from campaigns.domain.errors import Invalid
from campaigns.domain.evidence import Evidence, EvidenceError, Row, rows_of
from campaigns.domain.evidence_lines import Line
from campaigns.domain.terms.amount import amount
from campaigns.domain.terms.compile import read_compiled
from campaigns.domain.terms.decide import decide
from campaigns.domain.terms.facts import Denial, Holder, Item, Position, Purchase, Store, Used, Voucher
from campaigns.domain.terms.model import Channel
from campaigns.domain.terms.rules import Rules, compile_terms

Found = list[tuple[str, str]]
# Rules about the store, whose facts are those of today.
STORE_CODES: Final = frozenset(
    {"place_not_allowed", "merchant_not_listed", "scenario_not_allowed", "mcc_not_allowed"}
)


class Kept(Struct, frozen=True, kw_only=True):
    """What a payment's row keeps of the purchase beside the basket."""

    channel: Channel
    items: tuple[Item, ...]
    position: Position | None


def check_decision(evidence: Evidence, payment: Row, lines: Sequence[Line]) -> tuple[Found, list[str]]:
    """Decide again, and capture and give back again. Answers what differs, and what could not be judged."""
    found: Found = []
    notes: list[str] = []
    rules: dict[int, Rules] = {}
    for part in evidence.terms:
        try:
            rules[part.version_id] = compile_terms(read_compiled(part.compiled.encode()))
        except (msgspec.MsgspecError, Invalid) as error:
            raise EvidenceError(f"terms {part.version_id}: they cannot be read") from error
    rest_fen = payment.fen("basket_fen")
    for line in lines:
        whole_fen = amount(rules[line.terms_version_id].terms, line.eligible_fen, line.available_fen)
        if min(whole_fen, rest_fen) != line.authorized_fen:
            found.append(
                (
                    f"line {line.line}",
                    f"its terms give {min(whole_fen, rest_fen)} fen, it has {line.authorized_fen}",
                )
            )
        rest_fen -= line.authorized_fen
        problem, note = _decide(evidence, payment, line, rules[line.terms_version_id], whole_fen)
        found += problem
        notes += note
    changed, unclear = _follow(evidence, payment, lines, rules)
    return found + changed, notes + unclear


def _decide(
    evidence: Evidence, payment: Row, line: Line, rules: Rules, whole_fen: int
) -> tuple[Found, list[str]]:
    vouchers = [row for row in rows_of(evidence, "voucher") if row.id("id") == line.voucher_id]
    if not vouchers:
        return [], []  # named already
    voucher = Voucher(
        id=line.voucher_id, state="live", balance_fen=line.available_fen, face_fen=vouchers[0].fen("face_fen"),
        uses=0, granted_at=vouchers[0].at("granted_at"), expires_at=vouchers[0].at("expires_at"),
    )  # fmt: skip
    decision = decide(
        rules, voucher, Holder(wallet_operators=rules.wallet_operators), _purchase(evidence, payment),
        tuple(Used() for _ in rules.terms.caps), payment.at("authorized_at"),
    )  # fmt: skip
    if isinstance(decision, Denial):
        if decision.code in STORE_CODES:
            return [], [
                f"line {line.line}: with the store as it is on record today the answer is {decision.code}"
            ]
        return [(f"line {line.line}", f"decided again it is refused: {decision.code}")], []
    again = (decision.amount_fen, decision.eligible_fen)
    if again != (whole_fen, line.eligible_fen):
        return [(f"line {line.line}", f"decided again it gives {again[0]} fen for {again[1]} eligible")], []
    return [], []


def _purchase(evidence: Evidence, payment: Row) -> Purchase:
    try:
        kept = msgspec.convert(payment.json("purchase"), Kept)
    except msgspec.ValidationError as error:
        raise EvidenceError(f"{payment.name}: its purchase cannot be read") from error
    store = evidence.store
    return Purchase(
        basket_fen=payment.fen("basket_fen"), channel=kept.channel, items=kept.items, position=kept.position,
        store=Store(
            merchant=store.merchant, merchant_id=payment.id("merchant_id"), store_id=payment.id("store_id"),
            place=store.place, zones=frozenset(store.zones), tags=frozenset(store.tags), mcc=store.mcc,
            scenario=store.scenario,
        ),
    )  # fmt: skip


def _follow(
    evidence: Evidence, payment: Row, lines: Sequence[Line], rules: dict[int, Rules]
) -> tuple[Found, list[str]]:
    """Compute capture and refunds again; where goods of named categories left, the order is not kept."""
    state = evidence.state
    if state.captured_basket_fen is None:
        return [], []
    if state.gone_items or evidence.refunds_without_value:
        return [], [
            "capture and refunds are not computed again: goods of named categories left, or a refund moved nothing"
        ]
    found: Found = []
    basket_fen, stated = payment.fen("basket_fen"), {one.line: one for one in state.lines}
    if any(line.line not in stated for line in lines):
        return [], []  # named already
    taken = refunds.capture(
        _lines(lines, rules, [0] * len(lines), [0] * len(lines)), basket_fen, state.captured_basket_fen
    )
    if list(taken) != [stated[line.line].captured_fen for line in lines]:
        found.append(("state", "captured again, the lines come to other amounts"))
    back, goods_fen = [0] * len(lines), 0
    for row in sorted(rows_of(evidence, "refund"), key=lambda row: row.at("at")):
        goods_fen += row.fen("returned_goods_fen")
        if row.text("kind") == "undo":
            moved = tuple(captured - given for captured, given in zip(taken, back, strict=True))
        else:
            moved = refunds.refund(
                _lines(lines, rules, taken, back), basket_fen, state.captured_basket_fen, goods_fen
            )
        if sum(moved) != row.fen("back_fen"):
            found.append((row.name, f"computed again it gives back {sum(moved)} fen"))
        back = [given + more for given, more in zip(back, moved, strict=True)]
    return found, []


def _lines(
    lines: Sequence[Line], rules: dict[int, Rules], captured: Sequence[int], back: Sequence[int]
) -> list[refunds.Line]:
    return [
        refunds.Line(
            terms=rules[line.terms_version_id].terms, eligible_fen=line.eligible_fen, available_fen=line.available_fen,
            held_fen=line.authorized_fen, captured_fen=captured[i], refunded_fen=back[i],
        )
        for i, line in enumerate(lines)
    ]  # fmt: skip
