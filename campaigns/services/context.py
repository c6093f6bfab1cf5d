"""What every use case works with: the pool, the gate's Valkey, the secrets and the compiled terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from campaigns.gate.valkey import Gate
from campaigns.services.accept_batch import Accept, AcceptBatch
from campaigns.services.payment_batch import PaymentBatch
from campaigns.services.payment_plans import Plan
from campaigns.services.sealing_state import SealingState
from campaigns.services.terms_cache import TermsCache
from campaigns.store.group_commit import GroupCommit
from campaigns.store.pool import Pool

Mode = Literal["production", "demo", "test"]


@dataclass(frozen=True)
class Context:
    """One per process. ``payments`` and ``acceptances`` are the lanes that these commit in. ``hmac_key`` keys the proofs of persons and is kept outside the database.

    ``draws_dir`` is where the files of published draws are written besides the database; None writes none.
    """

    pool: Pool
    gate: Gate
    hmac_key: bytes
    mode: Mode = "production"
    terms: TermsCache = field(default_factory=TermsCache)
    draws_dir: Path | None = None
    sealing: SealingState = field(default_factory=SealingState, init=False, repr=False, compare=False)
    payments: GroupCommit[Plan] = field(init=False, repr=False, compare=False)
    acceptances: GroupCommit[Accept] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "payments", GroupCommit(self.pool, PaymentBatch(self.gate, self.terms)))
        object.__setattr__(self, "acceptances", GroupCommit(self.pool, AcceptBatch(self.terms)))

    @property
    def lanes(self) -> Mapping[str, GroupCommit[Any]]:
        """Every group commit of the process, by what commits in it."""
        return {"payments": self.payments, "acceptances": self.acceptances}
