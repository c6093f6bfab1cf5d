"""A look at a payment shows what was acknowledged before it was asked for, and nothing that is not so at the end."""

from collections.abc import Iterator, Mapping

from tests.crash.final import Final
from tests.crash.history import CAPTURE, LOOK, OK, REFUND, UNDO, VOID, Operation
from tests.crash.violations import READ, Violation

_SHOWN = {CAPTURE: ("captured", "undone"), VOID: ("voided",), UNDO: ("undone",)}


def check_reads(operations: Mapping[int, Operation], final: Final) -> Iterator[Violation]:
    """Real time: an answer that had come before a look began must be seen in it."""
    known: dict[str, list[Operation]] = {}
    for one in operations.values():
        if one.payment and one.outcome == OK and one.kind != LOOK:
            known.setdefault(one.payment, []).append(one)
    for look in operations.values():
        if look.kind != LOOK or look.outcome != OK:
            continue
        shown = look.answer
        before = [one for one in known.get(look.payment, ()) if one.known_at < look.asked_at]
        for one in before:
            if one.kind in _SHOWN and shown["state"] not in _SHOWN[one.kind]:
                yield Violation(
                    READ, f"look {look.op} shows {shown['state']} after {one.kind} {one.op} was acknowledged"
                )
        back_fen = sum(one.answer["back_fen"] for one in before if one.kind in (REFUND, UNDO))
        end = final.payments.get(look.payment)
        most_fen = end.refunded_fen if end is not None else 0
        if not back_fen <= shown["refunded_fen"] <= most_fen:
            yield Violation(
                READ,
                f"look {look.op} shows {shown['refunded_fen']} fen refunded: acknowledged before {back_fen}, at the end {most_fen}",
            )
