"""What the sealed rows of one payment must say together: owners, sums, terms, and the decision made again. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from campaigns.domain.evidence import Evidence, Row, rows_of
from campaigns.domain.evidence_contract import check_contracts
from campaigns.domain.evidence_decision import check_decision
from campaigns.domain.evidence_lines import Line, lines_of
from campaigns.domain.evidence_state import check_state

Purse = tuple[UUID, UUID]  # campaign and custody operator
ENDS_HOLD = ("capture", "release", "void", "hold_expiry")


class Problem(NamedTuple):
    """What is wrong with which part of the file."""

    subject: str
    what: str


def check_content(evidence: Evidence) -> tuple[list[Problem], list[str]]:
    """What is wrong, and notes on what could not be judged. Raises EvidenceError for a row that cannot be read."""
    payments = rows_of(evidence, "payment")
    if len(payments) != 1 or payments[0].id("id") != evidence.about.payment_id:
        return [Problem("rows", f"not exactly one payment, {evidence.about.payment_id}")], []
    payment = payments[0]
    lines = lines_of(payment)
    terms = list(_terms(evidence, lines))
    problems = [
        *_keys(evidence),
        *terms,
        *_vouchers(evidence, payment, lines),
        *_transfers(evidence, payment, lines),
        *_refunds(evidence, payment),
    ]
    states = [Problem(subject, what) for subject, what in check_state(evidence, payment, lines)]
    problems += states
    if terms:
        return problems, ["the decision was not made again, since the terms are not those that were approved"]
    problems += [Problem(subject, what) for subject, what in check_contracts(evidence.about, evidence.terms)]
    if states:
        return problems, ["the decision was not made again, since the state is not that of the sealed rows"]
    decision, notes = check_decision(evidence, payment, lines)
    if evidence.about.acts_left_out:
        notes.append(f"{evidence.about.acts_left_out} further acts were too many for the file")
    return problems + [Problem(subject, what) for subject, what in decision], notes


def _keys(evidence: Evidence) -> Iterable[Problem]:
    """Each row's key is what its text says, and no row stands twice."""
    seen: Counter[tuple[str, str]] = Counter()
    for part in evidence.rows:
        row = Row(part)
        key = row.text("cause_id" if part.kind == "transfer" else "id")
        if part.kind == "transfer":
            key = f"{key}/{row.text('kind')}/{row.text('line')}"
        if key != part.key:
            yield Problem(row.name, f"its text is of {key}")
        seen[part.kind, key] += 1
    yield from (Problem(f"{kind} {key}", "it stands twice") for (kind, key), n in seen.items() if n > 1)


def _terms(evidence: Evidence, lines: list[Line]) -> Iterable[Problem]:
    """Each version is there once, is of its digest, and its digest was sealed when it was approved."""
    there = {part.version_id: part for part in evidence.terms}
    needed = {line.terms_version_id for line in lines}
    if set(there) != needed or len(evidence.terms) != len(there):
        yield Problem("terms", "they are not those of the payment's lines")
    approved = set()
    for row in rows_of(evidence, "audit"):
        facts = row.json("facts")
        if isinstance(facts, dict) and row.json("action") in ("campaign.approve", "terms.approve"):
            approved.add((row.text("campaign_id"), facts.get("terms_digest", facts.get("digest"))))
    for part in evidence.terms:
        name = f"terms {part.version_id}"
        if sha256(part.compiled.encode()).hexdigest() != part.digest:
            yield Problem(name, "the text is not of its digest")
        if (str(part.campaign_id), part.digest) not in approved:
            yield Problem(name, "no sealed act of approval names its digest")
        if any(
            one.terms_version_id == part.version_id and one.campaign_id != part.campaign_id for one in lines
        ):
            yield Problem(name, "it is of another campaign")


def _vouchers(evidence: Evidence, payment: Row, lines: list[Line]) -> Iterable[Problem]:
    """Each line's voucher is the payer's own, was granted before and lived."""
    vouchers = {row.id("id"): row for row in rows_of(evidence, "voucher")}
    grants = {
        row.id("cause_id"): row.fen("amount_fen")
        for row in rows_of(evidence, "transfer")
        if row.text("kind") == "grant"
    }
    if set(vouchers) != {line.voucher_id for line in lines}:
        yield Problem("rows", "the vouchers are not those of the payment's lines")
    at = payment.at("authorized_at")
    for line in lines:
        row = vouchers.get(line.voucher_id)
        if row is None:
            continue
        fixed = (
            row.id("campaign_id"),
            row.id("operator_id"),
            row.fen("terms_version_id"),
            row.text("person_id"),
        )
        if fixed != (line.campaign_id, line.operator_id, line.terms_version_id, payment.text("person_id")):
            yield Problem(row.name, f"it is not what line {line.line} of the payment says")
        if not row.at("granted_at") <= at < row.at("expires_at"):
            yield Problem(row.name, "it did not live when the payment was made")
        if grants.get(line.voucher_id) != row.fen("face_fen"):
            yield Problem(row.name, "it was not granted for its face value")


def _transfers(evidence: Evidence, payment: Row, lines: list[Line]) -> Iterable[Problem]:
    """What was held, captured and released adds up line by line of campaign and operator, and to the state stated."""
    moved: defaultdict[Purse, Counter[str]] = defaultdict(Counter)
    payment_id, merchant = payment.id("id"), payment.id("merchant_id")
    for row in rows_of(evidence, "transfer"):
        kind = row.text("kind")
        for account, holder in (row.account("debit"), row.account("credit")):
            if account == "payable" and holder != merchant:
                yield Problem(row.name, "it is about another merchant")
        if row.id("cause_id") == payment_id:
            moved[row.id("campaign_id"), row.id("operator_id")][kind] += row.fen("amount_fen")
    authorized: Counter[Purse] = Counter()
    captured: Counter[Purse] = Counter()
    held: Counter[Purse] = Counter()
    states = {one.line: one for one in evidence.state.lines}
    if set(states) != {line.line for line in lines} or len(states) != len(evidence.state.lines):
        yield Problem("state", "its lines are not those of the payment")
        return
    for line in lines:
        purse = line.campaign_id, line.operator_id
        authorized[purse] += line.authorized_fen
        captured[purse] += states[line.line].captured_fen
        held[purse] += states[line.line].held_fen
    for purse in authorized.keys() | moved.keys():
        sums = moved[purse]
        if sums["authorize"] + sums["redeem"] != authorized[purse]:
            yield Problem(
                "transfers", f"what was authorized for campaign {purse[0]} is not what the lines say"
            )
        if sums["capture"] + sums["redeem"] != captured[purse]:
            yield Problem(
                "transfers", f"what was captured for campaign {purse[0]} is not what the state says"
            )
        if sums["authorize"] - sum(sums[kind] for kind in ENDS_HOLD) != held[purse]:
            yield Problem("transfers", f"what is held for campaign {purse[0]} is not what the state says")
    if sum(authorized.values()) != payment.fen("subsidy_fen"):
        yield Problem(payment.name, "its lines do not add up to its subsidy")
    if sum(captured.values()) != evidence.state.captured_fen:
        yield Problem("state", "its lines do not add up to what was captured")


def _refunds(evidence: Evidence, payment: Row) -> Iterable[Problem]:
    """Each refund is of this payment and moved what it says; together they are what the state says."""
    moved: Counter[UUID] = Counter()
    payment_id = payment.id("id")
    for row in rows_of(evidence, "transfer"):
        if row.text("kind") in ("refund", "undo"):
            moved[row.id("cause_id")] += row.fen("amount_fen")
    refunds = rows_of(evidence, "refund")
    for row in refunds:
        if row.id("payment_id") != payment_id:
            yield Problem(row.name, "it is of another payment")
        if moved[row.id("id")] != row.fen("back_fen"):
            yield Problem(row.name, "its transfers do not add up to it")
    if set(moved) - {row.id("id") for row in refunds}:
        yield Problem("rows", "a transfer gives back for a refund that is not there")
    if sum(moved.values()) != evidence.state.refunded_fen:
        yield Problem("state", "the refunds do not add up to it")
    if sum(one.refunded_fen for one in evidence.state.lines) != evidence.state.refunded_fen:
        yield Problem("state", "its lines do not add up to what was given back")
