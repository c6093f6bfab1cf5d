"""Invariant 2 once more, written apart from the demonstration's own checker: its journal against the database."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from campaigns.runtime.engines import engines
from campaigns.runtime.settings import Settings

_PAYMENTS = """
SELECT p.id, p.state, p.subsidy_fen, p.captured_fen, array_agg(e.code) AS entries
FROM payment p JOIN entry e ON e.person_id = p.person_id GROUP BY p.id
"""
_REFUNDS = "SELECT id, payment_id, kind, back_fen FROM refund"
_BOOKS = """
SELECT coalesce(sum(amount_fen) FILTER (WHERE credit_kind = 'payable'), 0) AS paid_fen,
       coalesce(sum(amount_fen) FILTER (WHERE debit_kind = 'payable' AND credit_kind <> 'paid'), 0) AS back_fen
FROM transfer
"""
_STATES = {
    "redeem": {"captured", "undone"},
    "capture": {"captured", "undone"},
    "hold": {"held", "captured", "voided", "expired", "undone"},
    "void": {"voided"},
}


@dataclass
class Told:
    """The successes that a client wrote down, by what it had asked for; ``differing`` were answered in two ways."""

    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    differing: list[str] = field(default_factory=list)


def told_in(journal: Path) -> Told:
    """Read the client's own log of acknowledgements; whole lines alone."""
    told = Told()
    for line in _lines(journal):
        answer = json.loads(line)
        if answer["what"] != "answer" or answer["status"] >= 300:
            continue
        known = told.done.setdefault(answer["op"], answer)
        if any(known[name] != answer[name] for name in ("payment", "refund", "amount_fen")):
            told.differing.append(f"{answer['op']} was answered twice, differently")
    return told


def _lines(journal: Path) -> Iterator[str]:
    if journal.exists():
        for line in journal.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield line


@dataclass(frozen=True)
class Found:
    """How many acknowledgements the database bears out, and every difference."""

    told: int
    found: int
    differences: list[str]


async def compare(data_dir: Path, told: Told) -> Found:
    """Start the engines of a demonstration that has ended and compare, in both directions and in sum."""
    settings = Settings.from_env({"HONGBAO_MODE": "demo", "HONGBAO_DATA_DIR": str(data_dir)})
    with engines(settings) as opened:
        connection = await asyncpg.connect(opened.owner_dsn)
        try:
            payments = {row["id"]: row for row in await connection.fetch(_PAYMENTS)}
            refunds = {row["id"]: row for row in await connection.fetch(_REFUNDS)}
            books = await connection.fetchrow(_BOOKS)
        finally:
            await connection.close()
        opened.close(wait=True)
    wrong = [
        f"{op}: {text}" for op, one in told.done.items() if (text := _difference(one, payments, refunds))
    ]
    return Found(
        told=len(told.done),
        found=len(told.done) - len(wrong),
        differences=[*told.differing, *wrong, *_beyond(told, payments, refunds, books)],
    )


def _difference(one: dict[str, Any], payments: dict[UUID, Any], refunds: dict[UUID, Any]) -> str:
    payment = payments.get(UUID(one["payment"]))
    if payment is None:
        return "no such payment"
    if one["entry"] not in payment["entries"]:
        return "a payment of somebody else"
    if one["refund"]:
        refund = refunds.get(UUID(one["refund"]))
        if refund is None:
            return "no such refund"
        same = (refund["payment_id"], refund["kind"], refund["back_fen"])
        return "" if same == (payment["id"], one["kind"], one["amount_fen"]) else f"the refund is {same}"
    if payment["state"] not in _STATES[one["kind"]]:
        return f"the payment is {payment['state']}"
    fen = payment["captured_fen"] if one["kind"] == "capture" else payment["subsidy_fen"]
    return (
        ""
        if fen == one["amount_fen"] or one["kind"] == "void"
        else f"{fen} fen instead of {one['amount_fen']}"
    )


def _beyond(told: Told, payments: dict[UUID, Any], refunds: dict[UUID, Any], books: Any) -> list[str]:
    """What the database holds that the client was never told of: at the end every outcome is known."""
    answers = list(told.done.values())
    found = [
        f"payment {id_} was not told" for id_ in payments.keys() - {UUID(one["payment"]) for one in answers}
    ]
    known = {UUID(one["refund"]) for one in answers if one["refund"]}
    found += [f"refund {id_} was not told" for id_ in refunds.keys() - known]
    for kinds, name in ((("redeem", "capture"), "paid_fen"), (("undo", "refund"), "back_fen")):
        told_fen = sum(one["amount_fen"] for one in answers if one["kind"] in kinds)
        if books[name] != told_fen:
            found.append(f"{name} of the ledger is {books[name]}, told were {told_fen}")
    return found
