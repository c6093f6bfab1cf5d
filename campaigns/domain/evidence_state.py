"""What a file states of the payment beside sealed rows: what follows from them, and what is only its maker's word. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from campaigns.domain.evidence import Evidence, EvidenceError, Row, rows_of
from campaigns.domain.evidence_lines import Line
from campaigns.domain.terms.amount import excluded_amount
from campaigns.domain.terms.facts import Item, Position
from campaigns.domain.terms.model import Channel

TAKES = frozenset({"redeem", "capture", "release"})
ENDS = {"void": "voided", "hold_expiry": "expired"}
Said = Literal[
    "store", "place_names", "made", "complete", "captured_basket", "gone_items", "returned_goods", "undo"
]


class Kept(Struct, frozen=True, kw_only=True):
    """What a payment's row keeps of the purchase beside the basket."""

    channel: Channel
    items: tuple[Item, ...]
    position: Position | None


def kept_purchase(payment: Row) -> Kept:
    """The purchase in a payment's row. Raises EvidenceError."""
    try:
        return msgspec.convert(payment.json("purchase"), Kept)
    except msgspec.ValidationError as error:
        raise EvidenceError(f"{payment.name}: its purchase cannot be read") from error


def said_only(evidence: Evidence) -> tuple[Said, ...]:
    """What no sealed row proves, of a file without a problem."""
    said: list[Said] = ["store", "made", "complete"]
    if any(part.place_names for part in evidence.terms):
        said.insert(1, "place_names")
    state = evidence.state
    kinds = set(_times(evidence))
    unsealed = bool(evidence.refunds_without_value)
    if kinds & TAKES and "redeem" not in kinds and (unsealed or _undo(evidence) is None):
        said.append("captured_basket")
    if state.gone_items:
        said.append("gone_items")
    if unsealed:
        said.append("returned_goods")
    if unsealed and _undo(evidence) is None and state.captured_fen == state.refunded_fen:
        said.append("undo")
    return tuple(said)


def check_state(evidence: Evidence, payment: Row, lines: Sequence[Line]) -> Iterator[tuple[str, str]]:
    """State, times and baskets are those that the sealed rows lead to, as far as these know them."""
    state, times, undo = evidence.state, _times(evidence), _undo(evidence)
    taken = {at for kind, found in times.items() if kind in TAKES for at in found}
    ended = {at for kind, found in times.items() if kind in ENDS for at in found}
    nothing_left = bool(evidence.refunds_without_value) and state.captured_fen == state.refunded_fen
    if taken:
        possible = {"undone"} if undo else {"captured", "undone"} if nothing_left else {"captured"}
    else:
        possible = {name for kind, name in ENDS.items() if kind in times} or {"held"}
    if state.state not in possible:
        yield "state", f"it is said to be {state.state}, and its transfers say otherwise"
    if {state.captured_at} - {None} != taken:
        yield "state", "the time of capture is not that of the transfers"
    if undo is not None:
        ended = {undo.at("at")}
    elif taken and state.state == "undone" and state.ended_at is not None:
        ended = {state.ended_at}
    if {state.ended_at} - {None} != ended or (taken and ended and min(ended) < max(taken)):
        yield "state", "the time of its end is not that of the sealed rows"
    held = {line.line: line.authorized_fen if state.state == "held" else 0 for line in lines}
    if {one.line: one.held_fen for one in state.lines} != held:
        yield "state", "what its lines hold is not what the state says"
    yield from _baskets(evidence, payment, bool(taken), "redeem" in times)


def _baskets(evidence: Evidence, payment: Row, taken: bool, at_once: bool) -> Iterator[tuple[str, str]]:
    state, basket_fen = evidence.state, payment.fen("basket_fen")
    captured_fen, returned_fen = state.captured_basket_fen, state.returned_goods_fen
    if not taken or captured_fen is None:
        if taken or captured_fen is not None or returned_fen or state.gone_items:
            yield "state", "it states a captured basket and goods, and its transfers say otherwise"
        return
    if not 0 <= captured_fen <= basket_fen or (at_once and captured_fen != basket_fen):
        yield "state", "the captured basket is not that of the payment"
    if not 0 <= returned_fen <= captured_fen or (state.state == "undone" and returned_fen != captured_fen):
        yield "state", "the goods returned do not fit the captured basket"
    items, gone = kept_purchase(payment).items, state.gone_items
    if (
        any(item.amount_fen < 0 for item in gone)
        or sum(item.amount_fen for item in gone) > basket_fen - captured_fen + returned_fen
        or any(
            excluded_amount(gone, {name}) > excluded_amount(items, {name})
            for name in {item.category for item in gone}
        )
    ):
        yield "state", "the goods that left are not of the basket"
    ids = evidence.refunds_without_value
    sealed = {row.id("id") for row in rows_of(evidence, "refund")}
    if len(set(ids)) != len(ids) or sealed & set(ids):
        yield "refunds_without_value", "a refund stands twice"


def _times(evidence: Evidence) -> dict[str, set[datetime]]:
    """Of the payment's own transfers: when those of each kind were made."""
    times: dict[str, set[datetime]] = {}
    for row in rows_of(evidence, "transfer"):
        if row.id("cause_id") == evidence.about.payment_id:
            times.setdefault(row.text("kind"), set()).add(row.at("at"))
    return times


def _undo(evidence: Evidence) -> Row | None:
    return next((row for row in rows_of(evidence, "refund") if row.text("kind") == "undo"), None)
