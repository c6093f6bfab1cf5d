"""The checker: acknowledged within final within attempted, no operation twice, refused means no effect. Pure."""

from collections.abc import Iterable, Sequence

from tests.crash.check_answers import check_answers
from tests.crash.check_changes import check_changes
from tests.crash.check_payments import check_payments
from tests.crash.check_reads import check_reads
from tests.crash.check_sums import CapOf, check_bounds, check_caps, check_ledger
from tests.crash.final import Final
from tests.crash.history import Event, operations
from tests.crash.violations import Violation


def check(events: Iterable[Event], final: Final, caps: Sequence[CapOf] = ()) -> list[Violation]:
    """Everything that is not as promised, by name."""
    asked = operations(events)
    return [
        *check_answers(asked.values()),
        *check_payments(asked, final),
        *check_changes(asked, final),
        *check_reads(asked, final),
        *check_bounds(asked, final),
        *check_ledger(final),
        *check_caps(final, caps),
    ]
