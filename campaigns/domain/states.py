"""State tables: which verb moves what from where to where. Nothing changes a state except along these."""

from collections.abc import Mapping
from typing import Final

from campaigns.domain.errors import Refused

StateTable = Mapping[tuple[str, str], str]

CAMPAIGN: Final[StateTable] = {
    ("draft", "revise"): "draft",
    ("draft", "submit"): "submitted",
    ("submitted", "withdraw"): "draft",
    ("submitted", "approve"): "approved",
    ("approved", "publish"): "published",
    ("approved", "close"): "closed",
    ("published", "pause"): "paused",
    ("paused", "resume"): "published",
    ("published", "suspend"): "suspended",
    ("paused", "suspend"): "suspended",
    ("suspended", "resume"): "published",
    ("published", "close"): "closed",
    ("paused", "close"): "closed",
}
DRAW: Final[StateTable] = {
    ("open", "freeze"): "frozen",
    ("frozen", "draw"): "drawn",
    ("drawn", "award"): "awarded",
}
ALLOTMENT: Final[StateTable] = {
    ("free", "award"): "awarded",
    ("free", "grant"): "granted",
    ("awarded", "grant"): "granted",
    ("awarded", "release"): "free",
}
AWARD: Final[StateTable] = {
    ("live", "accept"): "granted",
    ("live", "lapse"): "lapsed",
    ("live", "decline"): "declined",
}
PAYMENT: Final[StateTable] = {
    ("held", "capture"): "captured",
    ("held", "void"): "voided",
    ("held", "expire"): "expired",
    ("captured", "refund"): "captured",
    ("captured", "undo"): "undone",
}
VOUCHER: Final[StateTable] = {
    ("live", "expire"): "expired",
}
# What no caller asks for: hongbao does it itself.
OUR_OWN: Final = frozenset({"suspend", "expire", "lapse", "release"})
TABLES: Final[Mapping[str, StateTable]] = {
    "campaign": CAMPAIGN,
    "draw": DRAW,
    "allotment": ALLOTMENT,
    "award": AWARD,
    "payment": PAYMENT,
    "voucher": VOUCHER,
}


def next_state(table: StateTable, state: str, verb: str) -> str:
    """Answer the state after ``verb``. Raises Refused ``wrong_state`` when the table has no such move."""
    after = table.get((state, verb))
    if after is None:
        raise wrong_state(table, state, verb)
    return after


def wrong_state(table: StateTable, state: str, verb: str) -> Refused:
    """The refusal of a verb in a state, with the verbs that somebody could do instead (``-`` where there is none)."""
    possible = [move for before, move in table if before == state and move not in OUR_OWN]
    return Refused("wrong_state", state=state, verb=verb, possible=", ".join(possible) or "-")
