"""The ledger summed by where value went: campaign, operator, verb, account and account.

Payable and paid are summed over their merchants, so that a campaign has a few dozen flows however many payments it has.
A mark keeps them, and the next audit adds what was written since.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from campaigns.store.audit_scope import EVERYTHING
from campaigns.store.pool import Connection


class Flow(NamedTuple):
    """From which account by which verb to which; no holder where it is a merchant."""

    campaign_id: UUID
    operator_id: UUID
    kind: str
    debit_kind: str
    credit_kind: str
    debit_id: UUID | None
    credit_id: UUID | None


Flows = dict[Flow, int]

_COLUMNS: Final = """
SELECT campaign_id, operator_id, kind::text, debit_kind::text, credit_kind::text,
       CASE WHEN debit_kind IN ('payable', 'paid') THEN NULL ELSE debit_id END,
       CASE WHEN credit_kind IN ('payable', 'paid') THEN NULL ELSE credit_id END,
       sum(amount_fen)::bigint, coalesce(sum(amount_fen) FILTER (WHERE tx < $1::text::xid8), 0)::bigint,
       coalesce(sum(amount_fen) FILTER (WHERE tx < $2::text::xid8), 0)::bigint
FROM transfer"""
_GROUPS: Final = "GROUP BY 1, 2, 3, 4, 5, 6, 7"
_ALL: Final = f"{_COLUMNS} {_GROUPS}"
_SINCE: Final = f"{_COLUMNS} WHERE tx >= $2::text::xid8 {_GROUPS}"


class Sums(NamedTuple):
    """Flows of all transfers seen, of those of settled transactions, and of those before the last mark."""

    seen: Flows
    settled: Flows
    marked: Flows


async def sum_flows(connection: Connection, settled: int, marked: int, *, since: bool) -> Sums:
    """Sum the transfers (those written from transaction ``marked`` on, where ``since``)."""
    rows = await connection.fetch(_SINCE if since else _ALL, str(settled), str(marked))
    parts: list[Flows] = [{}, {}, {}]
    for row in rows:
        values = list(row.values())
        for part, amount_fen in zip(parts, values[7:], strict=True):
            if amount_fen:
                part[Flow(*values[:7])] = amount_fen
    return Sums(*parts)


def add_flows(one: Mapping[Flow, int], other: Mapping[Flow, int]) -> Flows:
    """Both together."""
    return {flow: one.get(flow, 0) + other.get(flow, 0) for flow in {**one, **other}}


def flows_json(flows: Mapping[Flow, int]) -> str:
    """The flows as the JSON rows that checks read."""
    rows = [{**flow._asdict(), "amount_fen": amount_fen} for flow, amount_fen in flows.items()]
    return msgspec.json.encode(rows).decode()


async def tallies(connection: Connection) -> dict[str, str]:
    """The sums over vouchers and over allotments, each read in one pass, as the JSON rows that checks read."""
    found: dict[str, str] = {}
    for name in ("voucher_tally", "allotment_tally"):
        query, _ = EVERYTHING.statement(
            f"SELECT coalesce(jsonb_agg(to_jsonb(one)), '[]')::text FROM @{name} AS one"
        )
        found[name] = await connection.fetchval(query)
    return found


def parse_flows(rows: Any) -> Flows:
    """Read back what `plain_flows` wrote."""
    return {
        Flow(UUID(r[0]), UUID(r[1]), r[2], r[3], r[4], r[5] and UUID(r[5]), r[6] and UUID(r[6])): r[7]
        for r in rows
    }


def plain_flows(flows: Mapping[Flow, int]) -> list[list[object]]:
    """The flows as plain data in one order, so that equal flows have equal text."""
    rows: list[list[object]] = [
        [str(part) if isinstance(part, UUID) else part for part in flow] + [amount_fen]
        for flow, amount_fen in flows.items()
    ]
    return sorted(rows, key=lambda row: [str(part) for part in row])
