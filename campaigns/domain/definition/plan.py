"""What a definition will issue, and how its money is laid out: tiers, funders, custody operators, remainder.

The budget is funded whole. What the plan does not hand out returns to the funders in proportion. Every
division is exact: by largest remainder, earlier lines of the file first where two are equal.
"""

from dataclasses import dataclass
from typing import NamedTuple

from campaigns.domain.definition.model import Definition, DrawPlan, Fixed, RandomSplit, Tier
from campaigns.domain.money import largest_remainder

ANY_PLACE = "*"


@dataclass(frozen=True, slots=True)
class PlannedTier:
    """A group of allotments with one stratum, numbered from 1 in order of precedence.

    ``amount_fen`` is the face value of each, or None where ``split`` divides a total over the group by the draw's
    seed. ``units`` tells how many of the group lie with each custody operator, in the order of the file.
    """

    number: int
    tier_id: str
    stratum: str
    count: int
    amount_fen: int | None
    split: RandomSplit | None
    units: tuple[tuple[str, int], ...]

    @property
    def total_fen(self) -> int:
        """Value of the whole group in fen."""
        if self.split is not None:
            return self.split.total_fen
        assert self.amount_fen is not None
        return self.amount_fen * self.count


@dataclass(frozen=True, slots=True)
class IssuePlan:
    """Groups in order of precedence; ``remainder_fen`` of the budget is never issued and returns."""

    tiers: tuple[PlannedTier, ...]
    count: int
    planned_fen: int
    remainder_fen: int
    remainder_by_funder: tuple[tuple[str, int], ...]


class Indivisible(NamedTuple):
    """Custody shares that cannot be cut into whole vouchers: ``short_fen`` are missing at ``operator_id``.

    A budget of ``enough_fen`` is enough.
    """

    operator_id: str
    short_fen: int
    enough_fen: int


class _Short(NamedTuple):
    """``fen`` are missing at the operator with this position before another whole piece fits there."""

    operator: int
    fen: int


@dataclass(frozen=True, slots=True)
class _Group:
    tier_id: str
    stratum: str
    count: int
    amount_fen: int | None
    split: RandomSplit | None

    @property
    def total_fen(self) -> int:
        return self.split.total_fen if self.split else (self.amount_fen or 0) * self.count


def issue_plan(definition: Definition) -> IssuePlan:
    """The plan of a checked definition. Asserts that it fits the budget and the custody shares."""
    groups = _groups(definition)
    units = _lay_out(groups, _operator_sums(definition))
    assert not isinstance(units, _Short), "check refuses such a definition"
    ids = [operator.id for operator in definition.custody_operators]
    tiers = tuple(
        PlannedTier(
            number=number,
            tier_id=group.tier_id,
            stratum=group.stratum,
            count=group.count,
            amount_fen=group.amount_fen,
            split=group.split,
            units=tuple((ids[i], n) for i, n in enumerate(parts) if n),
        )
        for number, (group, parts) in enumerate(zip(groups, units, strict=True), start=1)
    )
    planned = sum(tier.total_fen for tier in tiers)
    remainder = definition.budget_fen - planned
    assert remainder >= 0, "check refuses such a definition"
    shares = largest_remainder(remainder, [funder.share_bp for funder in definition.funders])
    returning = tuple((funder.id, part) for funder, part in zip(definition.funders, shares, strict=True))
    return IssuePlan(tiers, sum(tier.count for tier in tiers), planned, remainder, returning)


def funding_plan(definition: Definition) -> list[tuple[str, str, int]]:
    """Who pays how much to which custody operator: (funder id, operator id, fen), lines of 0 left out.

    Rows add up to each funder's part of the budget and columns to each operator's, both exact.
    """
    rows = largest_remainder(definition.budget_fen, [funder.share_bp for funder in definition.funders])
    columns = _operator_sums(definition)
    cells = _matrix(rows, columns)
    return [
        (funder.id, operator.id, cells[i][j])
        for i, funder in enumerate(definition.funders)
        for j, operator in enumerate(definition.custody_operators)
        if cells[i][j]
    ]


def planned_fen(tier: Tier) -> int:
    """Value of a whole tier in fen."""
    return tier.amount.amount_fen * tier.count if isinstance(tier.amount, Fixed) else tier.amount.total_fen


def custody_problem(definition: Definition) -> Indivisible | None:
    """Whether the operators' shares of the budget can hold the planned vouchers, each whole at one operator."""
    groups, shares = _groups(definition), [operator.share_bp for operator in definition.custody_operators]
    short = _lay_out(groups, largest_remainder(definition.budget_fen, shares))
    if not isinstance(short, _Short):
        return None
    extra = short.fen
    # Room grows with the budget for every operator, so doubling ends: at the latest when each alone holds it all.
    while isinstance(_lay_out(groups, largest_remainder(definition.budget_fen + extra, shares)), _Short):
        extra *= 2
    operator = definition.custody_operators[short.operator].id
    return Indivisible(operator, short.fen, definition.budget_fen + extra)


def _groups(definition: Definition) -> list[_Group]:
    groups: list[_Group] = []
    for tier in definition.issuing.tiers:
        places = [(quota.place, quota.count) for quota in tier.quotas] or [(ANY_PLACE, tier.count)]
        if not isinstance(definition.issuing, DrawPlan):
            places = [(ANY_PLACE, tier.count)]
        if isinstance(tier.amount, Fixed):
            groups += [_Group(tier.id, place, n, tier.amount.amount_fen, None) for place, n in places]
            continue
        totals = largest_remainder(tier.amount.total_fen, [n for _, n in places])
        for (place, n), total in zip(places, totals, strict=True):
            split = RandomSplit(total_fen=total, low_fen=tier.amount.low_fen, high_fen=tier.amount.high_fen)
            groups.append(_Group(tier.id, place, n, None, split))
    return groups


def _operator_sums(definition: Definition) -> list[int]:
    return largest_remainder(
        definition.budget_fen, [operator.share_bp for operator in definition.custody_operators]
    )


def _lay_out(groups: list[_Group], sums: list[int]) -> list[list[int]] | _Short:
    """Units of each group at each operator, so that no operator holds more value than its part of the budget.

    A split group stays whole, as its amounts are not known before the seed; the largest value is placed first.
    """
    room = list(sums)
    units: list[list[int]] = [[] for _ in groups]
    order = sorted(range(len(groups)), key=lambda g: (groups[g].split is None, -_piece(groups[g]), g))
    for g in order:
        group, piece = groups[g], _piece(groups[g])
        pieces = 1 if group.split else group.count
        parts = _deal(pieces, piece, room)
        if isinstance(parts, _Short):
            return parts
        for j, part in enumerate(parts):
            room[j] -= part * piece
        units[g] = [part * group.count for part in parts] if group.split else parts
    return units


def _piece(group: _Group) -> int:
    """What must lie whole with one operator."""
    return group.total_fen if group.split else group.amount_fen or 0


def _deal(pieces: int, piece: int, room: list[int]) -> list[int] | _Short:
    """Deal pieces in proportion to the room of each operator, never beyond it; indexes stand for operators."""
    fits = [space // piece for space in room]
    if sum(fits) < pieces:
        widest = max(range(len(room)), key=lambda j: (room[j] % piece, -j))
        return _Short(widest, (pieces - sum(fits)) * piece - room[widest] % piece)
    parts = [min(part, fit) for part, fit in zip(largest_remainder(pieces, room), fits, strict=True)]
    missing = pieces - sum(parts)
    for j in sorted(range(len(room)), key=lambda j: (parts[j] * piece - room[j], j)):
        extra = min(missing, fits[j] - parts[j])
        parts[j] += extra
        missing -= extra
    assert missing == 0
    return parts


def _matrix(rows: list[int], columns: list[int]) -> list[list[int]]:
    """Whole cells near row times column over the total, with exact sums both ways.

    Cells are rounded down; the fen left over go to the largest remainders whose row and column still lack one,
    and what that leaves (rare) fills row by row.
    """
    total = sum(rows)
    assert total == sum(columns) > 0
    cells = [[row * column // total for column in columns] for row in rows]
    lacking_rows = [row - sum(line) for row, line in zip(rows, cells, strict=True)]
    lacking_columns = [c - sum(line[j] for line in cells) for j, c in enumerate(columns)]
    order = sorted(
        ((i, j) for i in range(len(rows)) for j in range(len(columns))),
        key=lambda cell: (-(rows[cell[0]] * columns[cell[1]] % total), cell),
    )
    for most in (1, total):
        for i, j in order:
            part = min(most, lacking_rows[i], lacking_columns[j])
            cells[i][j] += part
            lacking_rows[i] -= part
            lacking_columns[j] -= part
    assert not any(lacking_rows) and not any(lacking_columns)
    return cells
