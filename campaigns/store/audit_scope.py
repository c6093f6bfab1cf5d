"""What an audit reads: all rows, or those that rows written since the last clean audit point to.

A check's text names its relations as ``@name`` and values as ``#name#``. The same text so serves the full audit, where
a relation is its table, and the incremental one, where it is the rows of the touched keys.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_RELATION: Final = re.compile(r"@([a-z_]+)")
_VALUE: Final = re.compile(r"#([a-z_]+)#")


def _keyed(table: str, column: str, keys: str) -> str:
    """The rows of ``table`` whose ``column`` is one of the keys, each key found through an index."""
    return f"(SELECT found.* FROM unnest(#{keys}#::uuid[]) AS asked (id) JOIN {table} AS found ON found.{column} = asked.id)"


FLOWS: Final = """(
    SELECT campaign_id, operator_id, kind::text, debit_kind::text, credit_kind::text,
           CASE WHEN debit_kind IN ('payable', 'paid') THEN NULL ELSE debit_id END AS debit_id,
           CASE WHEN credit_kind IN ('payable', 'paid') THEN NULL ELSE credit_id END AS credit_id,
           sum(amount_fen) AS amount_fen
    FROM transfer GROUP BY 1, 2, 3, 4, 5, 6, 7)"""
_VOUCHER_TALLY: Final = """(
    SELECT campaign_id, operator_id, terms_version_id, count(*) AS vouchers, sum(face_fen) AS face,
           sum(balance_fen) AS balance, sum(taken_back_fen) AS taken_back, sum(uses) AS uses,
           sum(held_fen + captured_fen - refunded_fen) AS spent
    FROM voucher GROUP BY 1, 2, 3)"""
_ALLOTMENT_TALLY: Final = """(
    SELECT campaign_id, operator_id, state, count(*) AS allotments, sum(face_fen) AS face
    FROM allotment GROUP BY 1, 2, 3)"""

# What the sums of a relation hold, for those that are read once and handed to every check of an audit.
TALLIES: Final[Mapping[str, tuple[str, str]]] = {
    "flow": (
        FLOWS,
        "campaign_id uuid, operator_id uuid, kind text, debit_kind text, credit_kind text, debit_id uuid, credit_id uuid,"
        " amount_fen numeric",
    ),
    "voucher_tally": (
        _VOUCHER_TALLY,
        "campaign_id uuid, operator_id uuid, terms_version_id bigint, vouchers numeric, face numeric, balance numeric,"
        " taken_back numeric, uses numeric, spent numeric",
    ),
    "allotment_tally": (
        _ALLOTMENT_TALLY,
        "campaign_id uuid, operator_id uuid, state text, allotments numeric, face numeric",
    ),
}

_TABLES: Final[Mapping[str, str]] = {
    "transfer_written": "transfer", "transfer_of_payment": "transfer", "transfer_of_refund": "transfer",
    "transfer_of_voucher": "transfer", "transfer_of_funding": "transfer", "payment": "payment",
    "line_of_payment": "payment_line", "line_of_voucher": "payment_line", "refund": "refund", "voucher": "voucher",
    "voucher_written": "voucher", "allotment": "allotment", "allotment_of_tier": "allotment", "turn": "turn",
    "award_of_tier": "award", "voucher_of_person": "voucher", "award_of_person": "award",
}  # fmt: skip
_TIERS: Final = (
    "unnest(#tier_campaigns#::uuid[], #tier_windows#::uuid[], #tiers#::smallint[])"
    " AS asked (campaign_id, window_id, tier)"
)
_TURNS: Final = (
    "unnest(#turn_campaigns#::uuid[], #turn_windows#::uuid[], #turn_persons#::uuid[])"
    " AS asked (campaign_id, window_id, person_id)"
)
_TOUCHED: Final[Mapping[str, str]] = {
    "transfer_written": "(SELECT * FROM transfer WHERE tx >= #tx#::text::xid8)",
    "transfer_of_payment": _keyed("transfer", "cause_id", "payments"),
    "transfer_of_refund": _keyed("transfer", "cause_id", "refunds"),
    "transfer_of_voucher": _keyed("transfer", "cause_id", "new_vouchers"),
    "transfer_of_funding": """(
        SELECT t.* FROM transfer t JOIN funding f ON f.id = t.cause_id WHERE t.kind = 'fund'
        UNION SELECT * FROM transfer WHERE tx >= #tx#::text::xid8 AND kind = 'fund')""",
    "payment": _keyed("payment", "id", "payments"),
    "line_of_payment": _keyed("payment_line", "payment_id", "payments"),
    "line_of_voucher": _keyed("payment_line", "voucher_id", "vouchers"),
    "refund": _keyed("refund", "payment_id", "payments"),
    "voucher": _keyed("voucher", "id", "vouchers"),
    "voucher_written": _keyed("voucher", "id", "new_vouchers"),
    "allotment": _keyed("allotment", "id", "allotments"),
    "allotment_of_tier": f"(SELECT found.* FROM {_TIERS} JOIN allotment AS found USING (campaign_id, window_id, tier))",
    "award_of_tier": f"(SELECT found.* FROM {_TIERS} JOIN award AS found USING (campaign_id, window_id, tier))",
    "turn": f"(SELECT found.* FROM {_TURNS} JOIN turn AS found USING (campaign_id, window_id, person_id))",
    "voucher_of_person": f"""(
        SELECT v.* FROM {_TURNS} JOIN voucher v USING (campaign_id, person_id)
        JOIN allotment a ON a.id = v.allotment_id AND a.window_id = asked.window_id)""",
    "award_of_person": f"(SELECT found.* FROM {_TURNS} JOIN award AS found USING (campaign_id, window_id, person_id))",
}


class Scope(NamedTuple):
    """How relations read, and the values their texts name."""

    relations: Mapping[str, str]
    values: Mapping[str, object]

    def statement(self, text: str) -> tuple[str, list[object]]:
        """``text`` as PostgreSQL reads it, and its arguments in order."""
        whole = _RELATION.sub(lambda found: self.relations[found[1]], text)
        names = list(dict.fromkeys(_VALUE.findall(whole)))
        numbered = _VALUE.sub(lambda found: f"${names.index(found[1]) + 1}", whole)
        return numbered, [self.values[name] for name in names]

    def having(self, **values: object) -> "Scope":
        """The same scope with more values."""
        return Scope(self.relations, {**self.values, **values})

    def sharing(self, tallies: Mapping[str, str]) -> "Scope":
        """The same scope whose tallies are read already: each a JSON array of its rows."""
        texts = {
            name: f"jsonb_to_recordset(#{name}#::text::jsonb) AS given ({TALLIES[name][1]})"
            for name in tallies
        }
        relations = {name: f"(SELECT * FROM {text})" for name, text in texts.items()}
        return Scope({**self.relations, **relations}, {**self.values, **tallies})


EVERYTHING: Final = Scope({**_TABLES, **{name: text for name, (text, _) in TALLIES.items()}}, {})


def touched(keys: Mapping[str, object]) -> Scope:
    """The scope of an incremental audit: ``keys`` as `campaigns.store.audit_touched` finds them."""
    return Scope({**EVERYTHING.relations, **_TOUCHED}, keys)
