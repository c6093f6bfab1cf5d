"""The campaign file of a demonstration, whole or smaller in the same shape (``--scale``, for tests)."""

from importlib.resources import files
from typing import Any

import yaml

WHOLE = 1.0
LEAST_SCALE = 0.02


def campaign_source(file: str, scale: float = WHOLE) -> str:
    """The text of a packaged campaign file; scaled down, every count and amount of its plan shrinks in proportion."""
    source = files("campaigns.programmes").joinpath(file).read_text(encoding="utf-8")
    if scale == WHOLE:
        return source
    plain: dict[str, Any] = yaml.safe_load(source)
    planned_fen = sum(_shrink_tier(tier, scale) for tier in plain["issuing"]["tiers"])
    plain["issuing"]["waitlist"] = scaled(plain["issuing"]["waitlist"], scale)
    plain["budget_fen"] = planned_fen + scaled(plain["budget_fen"], scale) // 20
    return yaml.safe_dump(plain, allow_unicode=True, sort_keys=False)


def scaled(count: int, scale: float) -> int:
    """A count in proportion, at least one."""
    return max(1, round(count * scale))


def _shrink_tier(tier: dict[str, Any], scale: float) -> int:
    """Shrink a tier in place and answer what it is worth in fen."""
    quotas = tier.get("quotas", [])
    for quota in quotas:
        quota["count"] = scaled(quota["count"], scale)
    whole = tier["count"]
    tier["count"] = sum(quota["count"] for quota in quotas) or scaled(whole, scale)
    amount = tier["amount"]
    if amount["kind"] == "fixed":
        return int(tier["count"] * amount["amount_fen"])
    amount["total_fen"] = amount["total_fen"] * tier["count"] // whole
    return int(amount["total_fen"])
