"""`rules.json`: who can win what. Groups in order of precedence, what happens to unfilled places, the waitlist."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from lottery.core.canonical import Reader, Value, dump_file, load_file
from lottery.core.entries import STRATUM
from lottery.core.errors import RulesError
from lottery.core.split import Split, check_split

ALGORITHM = "hashrank-1"
ANY_STRATUM = "*"
GROUPS_MAX = 10_000
CAPACITY_MAX = 10_000_000
WAITLIST_MAX = 10_000_000
ROUNDS_MAX = 99
AMOUNT_FEN_MAX = 100_000_000
SKIP_REASONS_MAX = 32
SKIP_REASONS = ("not_accepted", "withdrawn", "duplicate_person", "not_eligible")

Spill = Literal["none", "open"]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_REASON = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_MEMBERS = ("algorithm", "groups", "rounds", "skip_reasons", "spill", "waitlist")


@dataclass(frozen=True, slots=True)
class Group:
    """Places of one kind: `capacity` winners from `stratum` (a code or `*`).

    Each wins `amount_fen`, or a packet of `split` where that is given; exactly one of the two is set. A split may
    have more packets than the group has places, never fewer; packets nobody wins stay unspent.
    """

    name: str
    stratum: str
    capacity: int
    amount_fen: int | None = None
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a draw; a value of this type is always valid.

    Raises RulesError with the member's path when built from rules that contradict themselves.
    """

    groups: tuple[Group, ...]
    waitlist: int = 0
    spill: Spill = "none"
    rounds: int = 1
    skip_reasons: tuple[str, ...] = SKIP_REASONS

    def __post_init__(self) -> None:
        if not 1 <= len(self.groups) <= GROUPS_MAX:
            raise RulesError("groups", "group_count", f"from 1 to {GROUPS_MAX} groups")
        seen: set[tuple[str, str]] = set()
        for index, group in enumerate(self.groups):
            _check_group(group, f"groups[{index}]")
            if (group.name, group.stratum) in seen:
                raise RulesError(
                    f"groups[{index}]", "duplicate_group", "another group has this name and stratum"
                )
            seen.add((group.name, group.stratum))
        _check_range("waitlist", self.waitlist, 0, WAITLIST_MAX)
        _check_range("rounds", self.rounds, 1, ROUNDS_MAX)
        if self.spill not in ("none", "open"):
            raise RulesError("spill", "spill", "must be none or open")
        _check_reasons(self.skip_reasons)


def format_rules(rules: Rules) -> bytes:
    """The bytes of `rules.json`."""
    groups: list[Value] = [_group_value(group) for group in rules.groups]
    return dump_file(
        {
            "algorithm": ALGORITHM,
            "groups": groups,
            "rounds": rules.rounds,
            "skip_reasons": list(rules.skip_reasons),
            "spill": rules.spill,
            "waitlist": rules.waitlist,
        }
    )


def parse_rules(data: bytes) -> Rules:
    """Read `rules.json`; raises RulesError unless it is canonical, complete and free of contradictions."""
    members = Reader(load_file(data, RulesError), "", RulesError).members(_MEMBERS)
    if members["algorithm"].text() != ALGORITHM:
        members["algorithm"].fail("algorithm", f"only {ALGORITHM} is known")
    spill = members["spill"].text()
    if spill not in ("none", "open"):
        members["spill"].fail("spill", "must be none or open")
    return Rules(
        groups=tuple(_read_group(item) for item in members["groups"].items(GROUPS_MAX)),
        waitlist=members["waitlist"].integer(),
        spill="none" if spill == "none" else "open",
        rounds=members["rounds"].integer(),
        skip_reasons=tuple(item.text() for item in members["skip_reasons"].items(SKIP_REASONS_MAX)),
    )


def rules_digest(data: bytes) -> str:
    """The `rules_sha256` of a commitment: over the file's bytes."""
    return hashlib.sha256(data).hexdigest()


def _group_value(group: Group) -> dict[str, Value]:
    value: dict[str, Value] = {"capacity": group.capacity, "name": group.name, "stratum": group.stratum}
    if group.amount_fen is not None:
        value["amount_fen"] = group.amount_fen
    if group.split is not None:
        split = group.split
        value["split"] = {"count": split.count, "high": split.high, "low": split.low, "total": split.total}
    return value


def _read_group(reader: Reader) -> Group:
    members = reader.members(("capacity", "name", "stratum"), ("amount_fen", "split"))
    split = None
    if "split" in members:
        parts = members["split"].members(("count", "high", "low", "total"))
        split = Split(**{name: part.integer() for name, part in parts.items()})
    return Group(
        name=members["name"].text(),
        stratum=members["stratum"].text(),
        capacity=members["capacity"].integer(),
        amount_fen=members["amount_fen"].integer() if "amount_fen" in members else None,
        split=split,
    )


def _check_group(group: Group, where: str) -> None:
    if not _NAME.fullmatch(group.name):
        raise RulesError(f"{where}.name", "name", "must be 1-64 of A-Z a-z 0-9 _ . -")
    if group.stratum != ANY_STRATUM and not STRATUM.fullmatch(group.stratum):
        raise RulesError(f"{where}.stratum", "stratum", "must be * or 1-32 of A-Z a-z 0-9 _ . -")
    _check_range(f"{where}.capacity", group.capacity, 1, CAPACITY_MAX)
    if (group.amount_fen is None) == (group.split is None):
        raise RulesError(where, "amount_or_split", "exactly one of amount_fen and split must be given")
    if group.amount_fen is not None:
        _check_range(f"{where}.amount_fen", group.amount_fen, 1, AMOUNT_FEN_MAX)
    if group.split is not None:
        _check_group_split(group.split, group.capacity, f"{where}.split")


def _check_group_split(split: Split, capacity: int, where: str) -> None:
    problem = check_split(split)
    if problem:
        raise RulesError(where, "split", problem)
    _check_range(f"{where}.low", split.low, 1, AMOUNT_FEN_MAX)
    _check_range(f"{where}.high", split.high, 1, AMOUNT_FEN_MAX)
    if split.count < capacity:
        raise RulesError(f"{where}.count", "split_count", f"{split.count} packets for {capacity} places")


def _check_range(where: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise RulesError(where, "range", f"must be from {low} to {high}")


def _check_reasons(reasons: tuple[str, ...]) -> None:
    if len(reasons) > SKIP_REASONS_MAX:
        raise RulesError("skip_reasons", "too_many", f"more than {SKIP_REASONS_MAX} reasons")
    for index, reason in enumerate(reasons):
        if not _REASON.fullmatch(reason):
            raise RulesError(f"skip_reasons[{index}]", "reason", "must be 1-40 of a-z 0-9 _, a letter first")
    if len(set(reasons)) != len(reasons):
        raise RulesError("skip_reasons", "duplicate_reason", "a reason occurs twice")
