"""Sums: the ledger against the payments, acknowledged <= final <= attempted in fen, and the caps counted anew."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.crash.final import Final
from tests.crash.history import CAPTURE, OK, PAYS, REDEEM, REFUND, UNDO, UNKNOWN, Operation
from tests.crash.violations import CAP, LEDGER, SUM, Violation

_NO_CAUSE = frozenset({"fund", "grant", "expire"})  # not caused by a payment or refund
_TAKEN = ("held", "captured")  # states whose uses count


class CapOf(NamedTuple):
    """A cap of a campaign as this suite counts it; None limits nothing. ``daily`` counts by the authorization's day."""

    campaign: str
    scope: str
    daily: bool
    uses: int | None
    amount_fen: int | None


def check_ledger(final: Final) -> Iterator[Violation]:
    """What moved by each cause is what its payment or refund says, and nothing moved by another cause."""
    due: dict[tuple[str, str], int] = {}
    for payment in final.payments.values():
        held = (payment.id, "authorize") in final.moved_fen
        if held:
            due[payment.id, "authorize"] = payment.subsidy_fen
        if payment.state in ("captured", "undone"):
            due[payment.id, "capture" if held else "redeem"] = payment.captured_fen
            due[payment.id, "release"] = payment.subsidy_fen - payment.captured_fen if held else 0
        elif payment.state in ("voided", "expired"):
            due[payment.id, "void" if payment.state == "voided" else "hold_expiry"] = payment.subsidy_fen
    for refund in final.refunds.values():
        due[refund.id, refund.kind] = refund.back_fen
    moved = {name: fen for name, fen in final.moved_fen.items() if name[1] not in _NO_CAUSE}
    for name in sorted(due.keys() | moved.keys()):
        if due.get(name, 0) != moved.get(name, 0):
            yield Violation(
                LEDGER, f"{name[1]} by {name[0]}: {moved.get(name, 0)} fen moved, due {due.get(name, 0)}"
            )


def check_bounds(operations: Mapping[int, Operation], final: Final) -> Iterator[Violation]:
    """Acknowledged <= final <= acknowledged + what unknown operations asked for, in captured and in returned fen."""
    captured_fen = sum(payment.captured_fen for payment in final.payments.values())
    back_fen = sum(refund.back_fen for refund in final.refunds.values())
    told_captured, more_captured = _bounds(operations.values(), (REDEEM, CAPTURE), "captured_fen", final)
    told_back, more_back = _bounds(operations.values(), (REFUND, UNDO), "back_fen", final)
    for what, low, found, more in (
        ("captured", told_captured, captured_fen, more_captured),
        ("returned", told_back, back_fen, more_back),
    ):
        if not low <= found <= low + more:
            yield Violation(SUM, f"{found} fen {what}: acknowledged {low}, unknown at most {more} more")


def _bounds(
    operations: Iterable[Operation], kinds: Sequence[str], member: str, final: Final
) -> tuple[int, int]:
    told = more = 0
    for one in operations:
        if one.kind not in kinds:
            continue
        if one.outcome == OK:
            told += one.answer[member]
        elif one.outcome == UNKNOWN:
            payment = final.payments.get(one.payment)
            whole_fen = 0 if payment is None else payment.basket_fen
            more += one.amount_fen if one.kind in PAYS or one.amount_fen else whole_fen
    return told, more


def check_caps(final: Final, caps: Sequence[CapOf]) -> Iterator[Violation]:
    """No cap counts more than it allows, counted from the payments themselves."""
    for cap in caps:
        uses: Counter[tuple[str, str]] = Counter()
        fen: Counter[tuple[str, str]] = Counter()
        for payment in final.payments.values():
            who = payment.person if cap.scope == "person" else payment.merchant
            bucket = (who, payment.day if cap.daily else "")
            for line in payment.lines if payment.state in _TAKEN else ():
                if line.campaign == cap.campaign:
                    uses[bucket] += 1
                    held = payment.state == "held"
                    fen[bucket] += line.authorized_fen if held else line.captured_fen - line.refunded_fen
        for counted, most in ((uses, cap.uses), (fen, cap.amount_fen)):
            for bucket, number in counted.items():
                if most is not None and number > most:
                    yield Violation(CAP, f"{cap.scope} {bucket}: {number} of {most} in {cap.campaign}")
