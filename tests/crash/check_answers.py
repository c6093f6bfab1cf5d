"""Answers by themselves: equal under one key, and only such as the service promises under fire."""

from collections.abc import Iterable, Iterator

from tests.crash.history import STATUS_NOTHING, STATUS_REFUSED, STATUS_UNKNOWN, Operation
from tests.crash.violations import ANSWERS, STATUS, Violation

PROMISED = frozenset({200, 201, *STATUS_REFUSED, *STATUS_NOTHING, STATUS_UNKNOWN})


def check_answers(operations: Iterable[Operation]) -> Iterator[Violation]:
    """Two stored answers of one key differ; or an answer is none that a sound request may get (500, 401, 422 ...)."""
    for one in operations:
        if len({(told.status, told.body) for told in one.final}) > 1:
            first, *others = one.final
            other = next(told for told in others if (told.status, told.body) != (first.status, first.body))
            yield Violation(
                ANSWERS, f"{one.kind} {one.op}: {first.status} {first.body} and {other.status} {other.body}"
            )
        for told in one.told:
            if told.status not in PROMISED:
                yield Violation(STATUS, f"{one.kind} {one.op}: {told.status} {told.body}")
