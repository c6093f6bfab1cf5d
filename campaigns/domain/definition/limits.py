"""How long each list of a campaign file may be, and how large its numbers."""

from campaigns.domain.definition.problems import Path
from campaigns.domain.money import BASIS_POINTS, MAX_AMOUNT_FEN

MAX_LIST = 200
MAX_BUDGET_FEN = 1_000_000_000_000
MAX_COUNT = 10_000_000
MAX_ENTRIES = 100_000_000
MAX_PER_PERSON = 20
MAX_REFUND_DAYS = 365
MAX_VALID_DAYS = 400
MAX_SPENDING_DAYS = 731
MAX_USES = 1_000_000
MAX_HOLD_SECONDS = 86_400
MAX_UNDO_SECONDS = 86_400
MAX_RADIUS_M = 1_000_000

LISTS: dict[str, int] = {
    "tiers": 50,
    "quotas": 200,
    "funders": 20,
    "custody_operators": 20,
    "sources": 8,
    "openings": 100,
    "caps": 24,
    "steps": 20,
    "hours": 12,
    "weekdays": 7,
    "channels": 3,
    "geofence": 50,
    "merchants": 5_000,
    "tags": 200,
    "zones": 200,
    "mcc": 200,
    "blackout_dates": 366,
    "holidays": 366,
    "workdays": 60,
    "wallet_operators": 50,
    "excluded_categories": 50,
    "scenarios": 50,
    "places": 200,
    "place_names": 1_000,
}

RANGES: dict[str, tuple[int, int]] = {
    "budget_fen": (1, MAX_BUDGET_FEN),
    "share_bp": (1, BASIS_POINTS),
    "amount_fen": (1, MAX_AMOUNT_FEN),
    "low_fen": (1, MAX_AMOUNT_FEN),
    "high_fen": (1, MAX_AMOUNT_FEN),
    "total_fen": (1, MAX_BUDGET_FEN),
    "spend_fen": (1, MAX_AMOUNT_FEN),
    "save_fen": (1, MAX_AMOUNT_FEN),
    "cap_fen": (1, MAX_AMOUNT_FEN),
    "min_spend_fen": (0, MAX_AMOUNT_FEN),
    "max_per_use_fen": (1, MAX_AMOUNT_FEN),
    "basis_points": (1, BASIS_POINTS),
    "count": (1, MAX_COUNT),
    "waitlist": (0, MAX_COUNT),
    "max_entries": (1, MAX_ENTRIES),
    "max_uses": (1, MAX_USES),
    "uses": (1, MAX_USES),
    "valid_days": (1, MAX_VALID_DAYS),
    "undo_seconds": (0, MAX_UNDO_SECONDS),
    "hold_seconds": (1, MAX_HOLD_SECONDS),
    "per_person": (1, MAX_PER_PERSON),
    "refund_days": (0, MAX_REFUND_DAYS),
    "latitude_e6": (-90_000_000, 90_000_000),
    "longitude_e6": (-180_000_000, 180_000_000),
    "radius_m": (1, MAX_RADIUS_M),
}
# A cap over people or shops sums many payments, so its money is bounded by the budget's limit.
RANGES_INSIDE: dict[tuple[str, str], tuple[int, int]] = {("caps", "amount_fen"): (1, MAX_BUDGET_FEN)}


def list_limit(path: Path) -> int:
    """The most items the list at ``path`` may hold; `MAX_LIST` where nothing else is named."""
    names = [step for step in path if isinstance(step, str)]
    return LISTS.get(names[-1], MAX_LIST) if names else MAX_LIST


def integer_range(path: Path) -> tuple[int, int] | None:
    """The smallest and the largest integer allowed at ``path``."""
    names = [step for step in path if isinstance(step, str)]
    if len(names) > 1 and (names[-2], names[-1]) in RANGES_INSIDE:
        return RANGES_INSIDE[names[-2], names[-1]]
    return RANGES.get(names[-1]) if names else None
