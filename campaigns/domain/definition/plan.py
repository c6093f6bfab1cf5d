"""What a definition will issue, and how its money is laid out: tiers, funders, custody operators, remainder.

The budget is funded whole. What the plan does not hand out returns to the funders in proportion. Every
division is exact: by largest remainder, earlier lines of the file first where two are equal.
"""

from dataclasses import dataclass

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
    """The plan of a checked definition. Asserts that it fits the budget."""
    groups = _groups(definition)
    units = _lay_out(groups, _targets(definition))
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

    Rows add up to each funder's part of the budget and columns to each operator's, both to the fen. An operator's
    part is its share of the budget, unless whole vouchers do not allow that: then it is what its vouchers are
    worth, and the rest of the budget goes to those below their share.
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


def _targets(definition: Definition) -> list[int]:
    """Each operator's share of the budget in fen."""
    return largest_remainder(
        definition.budget_fen, [operator.share_bp for operator in definition.custody_operators]
    )


def _operator_sums(definition: Definition) -> list[int]:
    """What each operator is paid: the worth of its vouchers and its part of what is not issued."""
    targets, groups = _targets(definition), _groups(definition)
    worth = [0] * len(targets)
    for group, parts in zip(groups, _lay_out(groups, targets), strict=True):
        for j, part in enumerate(parts):
            worth[j] += part * _piece(group) // (group.count if group.split else 1)
    below = [max(0, target - value) for target, value in zip(targets, worth, strict=True)]
    rest = definition.budget_fen - sum(worth)
    spread = largest_remainder(rest, below) if rest else [0] * len(worth)
    return [value + part for value, part in zip(worth, spread, strict=True)]


def _lay_out(groups: list[_Group], targets: list[int]) -> list[list[int]]:
    """Units of each group at each operator, near the operators' targets, every voucher whole at one of them.

    A split group stays whole, as its amounts are not known before the seed; the largest value is placed first.
    """
    room = list(targets)
    units: list[list[int]] = [[] for _ in groups]
    order = sorted(range(len(groups)), key=lambda g: (groups[g].split is None, -_piece(groups[g]), g))
    for g in order:
        group, piece = groups[g], _piece(groups[g])
        parts = _deal(1 if group.split else group.count, piece, room)
        for j, part in enumerate(parts):
            room[j] -= part * piece
        units[g] = [part * group.count for part in parts] if group.split else parts
    return units


def _piece(group: _Group) -> int:
    """What must lie whole with one operator."""
    return group.total_fen if group.split else group.amount_fen or 0


def _deal(pieces: int, piece: int, room: list[int]) -> list[int]:
    """Deal pieces in proportion to the room of each operator; indexes stand for operators.

    Room is filled first; fewer pieces than operators are left then, each for whoever has the most room.
    """
    free = [max(0, space) for space in room]
    shares = largest_remainder(pieces, free) if any(free) else [0] * len(room)
    parts = [min(share, space // piece) for share, space in zip(shares, free, strict=True)]
    missing = pieces - sum(parts)
    for j in sorted(range(len(room)), key=lambda j: (parts[j] * piece - room[j], j)):
        extra = min(missing, free[j] // piece - parts[j])
        parts[j] += extra
        missing -= extra
    for _ in range(missing):
        parts[max(range(len(room)), key=lambda j: (room[j] - parts[j] * piece, -j))] += 1
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
