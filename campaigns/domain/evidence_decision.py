"""The decision of a payment, made again from the facts that were kept of it, under terms that were approved. Pure.

Kept are the basket, the items, channel and position, the time, and of each line the eligible part and the most the voucher
could give (balance, caps and the most for one use are in that). Not kept are the caps' counters, the wallets and
what the store was then: where the rules about the store say no today, a note says so instead of a verdict.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from campaigns.domain.errors import Invalid
from campaigns.domain.evidence import Evidence, EvidenceError, Row, rows_of
from campaigns.domain.evidence_follow import check_follow
from campaigns.domain.evidence_lines import Line
from campaigns.domain.evidence_state import kept_purchase
from campaigns.domain.terms.amount import amount
from campaigns.domain.terms.compile import read_compiled
from campaigns.domain.terms.decide import decide
from campaigns.domain.terms.facts import Denial, Holder, Purchase, Store, Used, Voucher
from campaigns.domain.terms.rules import Rules, compile_terms

Found = list[tuple[str, str]]
# Rules about the store, whose facts are those of today.
STORE_CODES: Final = frozenset(
    {"place_not_allowed", "merchant_not_listed", "scenario_not_allowed", "mcc_not_allowed"}
)


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
    changed, unclear = check_follow(evidence, payment, lines, rules)
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
    kept, store = kept_purchase(payment), evidence.store
    return Purchase(
        basket_fen=payment.fen("basket_fen"), channel=kept.channel, items=kept.items, position=kept.position,
        store=Store(
            merchant=store.merchant, merchant_id=payment.id("merchant_id"), store_id=payment.id("store_id"),
            place=store.place, zones=frozenset(store.zones), tags=frozenset(store.tags), mcc=store.mcc,
            scenario=store.scenario,
        ),
    )  # fmt: skip
