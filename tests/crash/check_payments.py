"""Acknowledged within final within attempted, for payments: every basket is a mark that one operation alone asked for."""

from collections.abc import Iterator, Mapping

from tests.crash.final import Final, Payment
from tests.crash.history import HOLD, NOTHING, OK, PAYS, REDEEM, REFUSED, STORE_HOLD, Operation
from tests.crash.violations import CHANGED, LOST, REFUSED_EFFECT, TWICE, UNASKED, Violation

_STATES = {
    REDEEM: frozenset({"captured", "undone"}),
    HOLD: frozenset({"held", "captured", "voided", "expired", "undone"}),
    STORE_HOLD: frozenset({"held", "captured", "voided", "expired", "undone"}),
}


def check_payments(operations: Mapping[int, Operation], final: Final) -> Iterator[Violation]:
    """Each payment was asked for, once, by nobody who was refused; each acknowledged one exists as it was told."""
    pays = {
        (one.person, one.terminal, one.amount_fen): one for one in operations.values() if one.kind in PAYS
    }
    seen: dict[int, str] = {}
    for payment in final.payments.values():
        one = pays.get((payment.person, payment.terminal, payment.basket_fen))
        if one is None:
            yield Violation(UNASKED, f"payment {payment.id} of {payment.basket_fen} fen by {payment.person}")
        elif one.op in seen:
            yield Violation(TWICE, f"{one.kind} {one.op}: payments {seen[one.op]} and {payment.id}")
        elif one.outcome in (REFUSED, NOTHING):
            yield Violation(REFUSED_EFFECT, f"{one.kind} {one.op} ({one.outcome}): payment {payment.id}")
        if one is not None:
            seen.setdefault(one.op, payment.id)
    for one in pays.values():
        if one.outcome == OK:
            yield from _acknowledged(one, final.payments.get(one.answer["id"]))


def _acknowledged(one: Operation, payment: Payment | None) -> Iterator[Violation]:
    answer = one.answer
    if payment is None:
        yield Violation(LOST, f"{one.kind} {one.op}: payment {answer['id']}")
        return
    told = (one.person, one.terminal, one.amount_fen, answer["subsidy_fen"])
    found = (payment.person, payment.terminal, payment.basket_fen, payment.subsidy_fen)
    if told != found:
        yield Violation(CHANGED, f"{one.kind} {one.op}: told {told}, found {found}")
    if payment.state not in _STATES[one.kind]:
        yield Violation(CHANGED, f"{one.kind} {one.op}: payment {payment.id} is {payment.state}")
    if one.kind == REDEEM and answer["captured_fen"] != payment.captured_fen:
        yield Violation(
            CHANGED,
            f"{one.kind} {one.op}: told {answer['captured_fen']} fen, captured {payment.captured_fen}",
        )
