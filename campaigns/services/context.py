"""What every use case works with: the pool, the gate's Valkey, the secrets and the compiled terms."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from campaigns.gate.valkey import Gate
from campaigns.services.terms_cache import TermsCache
from campaigns.store.pool import Pool

Mode = Literal["production", "demo", "test"]


@dataclass(frozen=True)
class Context:
    """One per process. ``hmac_key`` keys the proofs of persons and is kept outside the database.

    ``draws_dir`` is where the files of published draws are written besides the database; None writes none.
    """

    pool: Pool
    gate: Gate
    hmac_key: bytes
    mode: Mode = "production"
    terms: TermsCache = field(default_factory=TermsCache)
    draws_dir: Path | None = None
