"""The plan of every attempt of a demonstration: what is accepted, bought, held, undone and returned, when and where.

Pure: from the seed, the behaviour file and who won, in public ids alone (entries, tills), never by database ids. Each
holder is planned by a chance of their own, so that the plan does not depend on the order of the list.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

ACCEPT: Final = "accept"
REDEEM: Final = "redeem"
HOLD: Final = "hold"
REFUND: Final = "refund"
HEADER: Final = "slot,entry,number,kind,terminal,basket_fen,tobacco_fen,then,then_fen,of,quote,expected"


class Step(NamedTuple):
    """One line of the plan: something a holder does in a slot.

    ``kind`` is accept, redeem, hold or refund. ``then`` follows a payment at once (capture, void, undo);
    ``then_fen`` is the basket captured (0: all of it) or, of a refund, the goods that come back, and ``of`` the number
    of the holder's step that paid for them. ``expected`` is the code of the refusal that is provoked, empty where none is.
    """

    slot: datetime
    entry: str
    number: int
    kind: str
    terminal: str = ""
    basket_fen: int = 0
    tobacco_fen: int = 0
    then: str = ""
    then_fen: int = 0
    of: int = 0
    quote: bool = False
    expected: str = ""

    @property
    def op(self) -> str:
        """The step's name in the journal and in request keys."""
        return f"{self.entry}-{self.number}"

    @property
    def pays(self) -> bool:
        return self.kind in (REDEEM, HOLD)


def write_plan(steps: Iterable[Step]) -> str:
    """The plan as CSV, in order of slot, entry and number; slots in local time."""
    lines = [HEADER]
    for step in sorted(steps):
        slot = f"{step.slot:%Y-%m-%d %H:%M}"
        lines.append(",".join([slot, *(str(int(v) if isinstance(v, bool) else v) for v in step[1:])]))
    return "\n".join(lines) + "\n"


def read_plan(text: str, zone_of_slots: object) -> list[Step]:
    """What `write_plan` wrote."""
    head, *lines = text.splitlines()
    assert head == HEADER, head
    steps = []
    for line in lines:
        slot, entry, number, kind, terminal, basket, tobacco, then, then_fen, of, quote, expected = (
            line.split(",")
        )
        at = datetime.strptime(slot, "%Y-%m-%d %H:%M").replace(tzinfo=zone_of_slots)  # type: ignore[arg-type]
        steps.append(
            Step(at, entry, int(number), kind, terminal, int(basket), int(tobacco), then, int(then_fen),
                 int(of), quote == "1", expected)
        )  # fmt: skip
    return steps


def by_slot(steps: Iterable[Step]) -> dict[datetime, list[Step]]:
    """Slots in order of time, each with its steps in order of entry and number."""
    slots: dict[datetime, list[Step]] = {}
    for step in sorted(steps):
        slots.setdefault(step.slot, []).append(step)
    return slots


def chains(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps of one slot by holder: a holder's own come one after the other, in order."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        found.setdefault(step.entry, []).append(step)
    return list(found.values())
