"""The invariants as queries: each answers the rows that break it, so an empty answer is the good one.

Numbers are those of docs/invariants.md. All of them run on one snapshot. Every query answers
(campaign_id, subject, id, expected, found).
"""

from typing import Final, NamedTuple
from uuid import UUID

from campaigns.store import audit_queries as q
from campaigns.store.audit_counters import COUNTER_OF_PAYMENTS, COUNTERS_ADD_UP
from campaigns.store.audit_scope import EVERYTHING, Scope
from campaigns.store.pool import Connection

MAX_ROWS_PER_CHECK = 100


class Check(NamedTuple):
    """One query: the invariant's number, a stable name, and what it finds when it is broken.

    ``whole`` is a check that reads every payment, which only the full audit does. A row may name another check, and its
    invariant, after its five columns: where one pass finds both.
    """

    invariant: int
    name: str
    text: str
    whole: bool = False


class Violation(NamedTuple):
    """A row that breaks an invariant."""

    invariant: int
    name: str
    campaign_id: str
    subject: str
    id: str
    expected: str
    found: str


NO_CAMPAIGN: Final = str(None)  # as a null from the database is told
LINES: Final = "line_of_one_person"  # which names decided_in_time too
CHECKS: Final[tuple[Check, ...]] = (
    Check(1, "holders_within_allotments", q.HOLDINGS_PER_TIER),
    Check(1, "allotment_state", q.ALLOTMENT_STATE),
    Check(1, "allotments_add_up", q.ALLOTMENTS_ADD_UP),
    Check(1, "voucher_as_allotted", q.VOUCHER_OF_ALLOTMENT),
    Check(1, "granted_within_funds", q.GRANTED_WITHIN_FUNDS),
    Check(3, "turns_per_person", q.TURNS),
    Check(4, "voucher_parts", q.VOUCHER_PARTS),
    Check(4, "voucher_against_lines", q.VOUCHER_OF_LINES),
    Check(4, LINES, q.LINES_OF_VOUCHER),
    Check(4, "payment_against_lines", q.PAYMENT_OF_LINES),
    Check(5, "payment_in_books", q.PAYMENT_IN_BOOKS),
    Check(5, "payable_of_its_merchant", q.PAYABLE_OF_MERCHANT),
    Check(5, "accounts_against_rows", q.ACCOUNTS),
    Check(5, "funding_in_books", q.FUNDING_IN_BOOKS),
    Check(5, "grant_in_books", q.GRANT_IN_BOOKS),
    Check(6, "no_negative_account", q.NO_NEGATIVE_ACCOUNT),
    Check(6, "campaign_adds_up", q.CAMPAIGN_SUM),
    Check(6, "legal_transfers", q.LEGAL_TRANSFERS),
    Check(8, "commitment_before_seed", q.COMMITMENT_FIRST),
    Check(14, "decided_in_time", q.DECIDED_IN_TIME),
    Check(15, "counters_add_up", COUNTERS_ADD_UP),
    Check(15, "counter_of_its_payments", COUNTER_OF_PAYMENTS, whole=True),
)


# Whole sets by themselves: a limit in the query's own plan makes it walk row by row in the hope of an early end.
_FIRST = """
WITH broken (campaign_id, subject, id, expected, found) AS MATERIALIZED ({text})
SELECT * FROM broken {condition} LIMIT {most}
"""
# Of one programme: a campaign of its own, or a payment of its own that no campaign's line names.
_OF_PROGRAMME = """
WHERE campaign_id::text IN (SELECT id::text FROM campaign WHERE programme_id = #programme#)
   OR campaign_id IS NULL AND subject = 'payment'
      AND id::text IN (SELECT id::text FROM payment WHERE programme_id = #programme#)
"""


async def run_check(
    connection: Connection, check: Check, programme_id: UUID | None = None, scope: Scope = EVERYTHING
) -> list[Violation]:
    """Answer the first rows (at most MAX_ROWS_PER_CHECK) that break ``check``, of one programme if it is named.

    A check that names touched keys alone asks nothing where none of them was touched.
    """
    _, keys = scope.statement(check.text)
    if keys and all(key == [] for key in keys):
        return []
    condition = "" if programme_id is None else _OF_PROGRAMME
    text = _FIRST.format(text=check.text, condition=condition, most=MAX_ROWS_PER_CHECK)
    query, arguments = scope.having(programme=programme_id).statement(text)
    rows = await connection.fetch(query, *arguments)
    found = []
    for row in rows:
        values = [str(value) for value in row.values()]
        invariant, name = tuple(row.values())[5:] if len(values) > 5 else (check.invariant, check.name)
        found.append(Violation(invariant, name, *values[:5]))
    return found


async def campaigns_of_programme(connection: Connection, programme_id: UUID | None) -> frozenset[UUID] | None:
    """The campaigns whose rows an audit of one programme may name; None where it is of all."""
    if programme_id is None:
        return None
    rows = await connection.fetch("SELECT id FROM campaign WHERE programme_id = $1", programme_id)
    return frozenset(row["id"] for row in rows)
