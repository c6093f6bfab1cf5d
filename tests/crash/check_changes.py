"""Acknowledged within final within attempted, for what follows a payment: capture, void, expiry, refund, undo, wish."""

from collections.abc import Iterator, Mapping, Sequence

from tests.crash.final import Final, Payment, Refund
from tests.crash.history import CAPTURE, OK, REDEEM, REFUND, UNDO, UNKNOWN, VOID, WISH, Operation
from tests.crash.violations import (
    CHANGED,
    LOST,
    REFUSED_EFFECT,
    TWICE,
    UNASKED,
    Violation,
)


class _Asked:
    """The operations on one payment, by kind."""

    def __init__(self) -> None:
        self.by_kind: dict[str, list[Operation]] = {}
        self.redeemed = False

    def of(self, *kinds: str) -> list[Operation]:
        return [one for kind in kinds for one in self.by_kind.get(kind, ())]

    def acknowledged(self, kind: str) -> list[Operation]:
        return [one for one in self.of(kind) if one.outcome == OK]

    def possible(self, kind: str) -> list[Operation]:
        return [one for one in self.of(kind) if one.outcome in (OK, UNKNOWN)]


def check_changes(operations: Mapping[int, Operation], final: Final) -> Iterator[Violation]:
    """Every change of a payment was asked for and not refused; every acknowledged one is there, as it was told."""
    asked: dict[str, _Asked] = {}
    for one in operations.values():
        if one.payment:
            asked.setdefault(one.payment, _Asked()).by_kind.setdefault(one.kind, []).append(one)
    redeemed = {
        (one.person, one.terminal, one.amount_fen) for one in operations.values() if one.kind == REDEEM
    }
    returned: dict[str, list[Refund]] = {}
    for row in final.refunds.values():
        returned.setdefault(row.payment, []).append(row)
    for payment in final.payments.values():
        changes = asked.get(payment.id, _Asked())
        changes.redeemed = (payment.person, payment.terminal, payment.basket_fen) in redeemed
        yield from _state(payment, changes, final.now)
        yield from _captures(payment, changes)
        yield from _returns(payment, changes, returned.get(payment.id, ()))
    for payment_id in asked.keys() - final.payments.keys():
        for one in asked[payment_id].of(CAPTURE, VOID, REFUND, UNDO, WISH):
            if one.outcome == OK:
                yield Violation(LOST, f"{one.kind} {one.op}: its payment {payment_id} is gone")


def _state(payment: Payment, changes: _Asked, now: float) -> Iterator[Violation]:
    """The end that a payment came to, against the ends that were told."""
    name, state = f"payment {payment.id}", payment.state
    for kind, states in ((CAPTURE, ("captured", "undone")), (VOID, ("voided",)), (UNDO, ("undone",))):
        told = changes.acknowledged(kind)
        if told and state not in states:
            yield Violation(LOST, f"{kind} {told[0].op}: {name} is {state}")
        if len(told) > 1:
            yield Violation(TWICE, f"{kind} {told[0].op} and {told[1].op}: both acknowledged on {name}")
    if state == "voided" and not changes.possible(VOID):
        yield _uncalled(name, VOID, changes)
    if state == "undone" and not changes.possible(UNDO):
        yield _uncalled(name, UNDO, changes)
    if state == "expired" and payment.hold_until > now:
        yield Violation(UNASKED, f"{name} expired {payment.hold_until - now:.1f} s before its time")
    if changes.acknowledged(WISH) and not payment.wished:
        yield Violation(LOST, f"wish {changes.acknowledged(WISH)[0].op} on {name}")


def _uncalled(name: str, kind: str, changes: _Asked, what: str = "") -> Violation:
    """An effect nobody may have caused: of a refused operation where there is one, of nobody otherwise."""
    refused = changes.of(kind)
    if refused:
        return Violation(REFUSED_EFFECT, f"{kind} {refused[0].op} ({refused[0].outcome}): {name}{what}")
    return Violation(UNASKED, f"{kind} of {name}{what}")


def _captures(payment: Payment, changes: _Asked) -> Iterator[Violation]:
    if payment.state not in ("captured", "undone") or changes.redeemed:
        return
    fits = [
        one
        for one in changes.possible(CAPTURE)
        if (one.amount_fen or payment.basket_fen) == payment.captured_basket_fen
    ]
    if not fits:
        yield _uncalled(
            f"payment {payment.id}", CAPTURE, changes, f", basket {payment.captured_basket_fen} captured"
        )
    for one in changes.acknowledged(CAPTURE):
        told = (one.answer["captured_basket_fen"], one.answer["captured_fen"])
        found = (payment.captured_basket_fen, payment.captured_fen)
        if told != found:
            yield Violation(CHANGED, f"capture {one.op}: told {told}, found {found}")


def _returns(payment: Payment, changes: _Asked, rows: Sequence[Refund]) -> Iterator[Violation]:
    """Each row of goods returned is one operation's (the amounts of one payment's refunds all differ)."""
    by_goods = {one.amount_fen: one for one in changes.of(REFUND)}
    seen: set[int] = set()
    for row in rows:
        if row.kind == UNDO:
            continue
        one = by_goods.get(row.goods_fen)
        name = f"refund {row.id} of {row.goods_fen} fen on payment {payment.id}"
        if one is None:
            yield Violation(UNASKED, name)
        elif one.op in seen:
            yield Violation(TWICE, f"refund {one.op}: {name}")
        elif one.outcome not in (OK, UNKNOWN):
            yield Violation(REFUSED_EFFECT, f"refund {one.op} ({one.outcome}): {name}")
        if one is not None:
            seen.add(one.op)
    undone = [row for row in rows if row.kind == UNDO]
    if len(undone) > 1:
        yield Violation(TWICE, f"undo of payment {payment.id}: {undone[0].id} and {undone[1].id}")
    by_id = {row.id: row for row in rows}
    for one in (*changes.acknowledged(REFUND), *changes.acknowledged(UNDO)):
        found = by_id.get(one.answer["id"])
        if found is None or found.kind != one.kind:
            yield Violation(LOST, f"{one.kind} {one.op}: {one.answer['id']} on payment {payment.id}")
            continue
        told = (one.answer["returned_goods_fen"], one.answer["back_fen"])
        if told != (found.goods_fen, found.back_fen) or (one.kind == REFUND and told[0] != one.amount_fen):
            yield Violation(
                CHANGED, f"{one.kind} {one.op}: told {told}, found {(found.goods_fen, found.back_fen)}"
            )
    sums = (sum(row.goods_fen for row in rows), sum(row.back_fen for row in rows))
    if sums != (payment.returned_goods_fen, payment.refunded_fen):
        yield Violation(
            CHANGED,
            f"payment {payment.id}: refunds come to {sums}, it says {(payment.returned_goods_fen, payment.refunded_fen)}",
        )
