"""How many requests a key may make, by the kind of its owner. They protect the service from a runaway client."""

from campaigns.gate.rate_limits import Limit

LIMITS = {
    "channel": Limit(per_second=5_000, burst=10_000),
    "terminal": Limit(per_second=100, burst=200),
    "merchant": Limit(per_second=50, burst=100),
    "operator": Limit(per_second=200, burst=400),
    "staff": Limit(per_second=100, burst=200),
    "auditor": Limit(per_second=50, burst=100),
}
