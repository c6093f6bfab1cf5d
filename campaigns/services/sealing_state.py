"""How far the seals are behind what was written, and why: what a process's rounds of sealing saw."""

import time
from collections.abc import Callable
from typing import Final

from campaigns.store.seals import Unsealed

STANDSTILL_SECONDS: Final = 60.0  # a round comes every 5 s
OPEN_TRANSACTION: Final = "open_transaction"  # one that began before the oldest row's own had ended
TOO_SLOW: Final = "too_slow"  # rounds fail, or make blocks slower than rows come

Tell = Callable[[str, float], None]


class SealingState:
    """One per process. ``clock`` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tell: Tell | None = None
        self._oldest_at: float | None = None
        self._settled = False
        self._stopped_at: float | None = None
        self._error = ""
        self._told = ""

    def watch(self, tell: Tell) -> None:
        """Have ``tell`` called with cause and seconds behind when sealing comes to stand still, once for each cause."""
        self._tell = tell

    def seen(self, unsealed: Unsealed | None) -> None:
        """Note the oldest row without a block, if there is one."""
        self._oldest_at = None if unsealed is None else self._clock() - unsealed.age_seconds
        self._settled = unsealed is not None and unsealed.settled
        self._judge()

    def ended(self, error: str = "") -> None:
        """Note that a round ended, with the code of what no round gets past."""
        if not error:
            self._stopped_at = None
        elif self._stopped_at is None:
            self._stopped_at = self._clock()
        self._error = error
        self._judge()

    def behind_seconds(self) -> float:
        """The age of the oldest row without a block, or the time since a round could not go on; 0 where neither is."""
        since = [at for at in (self._oldest_at, self._stopped_at) if at is not None]
        return max(self._clock() - min(since), 0.0) if since else 0.0

    def _judge(self) -> None:
        cause, behind_seconds = self._error, self.behind_seconds()
        if not cause and behind_seconds >= STANDSTILL_SECONDS:
            cause = TOO_SLOW if self._settled else OPEN_TRANSACTION
        if cause and cause != self._told and self._tell is not None:
            self._tell(cause, behind_seconds)
        self._told = cause
