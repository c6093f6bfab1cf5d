"""What a check found: the promise that was broken, by a stable name, and the row or operation it is about."""

from typing import NamedTuple

LOST = "acknowledged_lost"
CHANGED = "acknowledged_differs"
UNASKED = "nobody_asked"
TWICE = "done_twice"
REFUSED_EFFECT = "effect_of_refused"
ANSWERS = "answers_differ"
STATUS = "answer_not_promised"
READ = "read_misses_acknowledged"
LEDGER = "ledger_differs"
SUM = "sum_out_of_bounds"
CAP = "cap_exceeded"
HOLD = "hold_outlived"
AUDIT = "audit"
RECOVERY = "not_recovered"


class Violation(NamedTuple):
    """``name`` is one of this module's, ``what`` says which operation or row and how it differs."""

    name: str
    what: str
