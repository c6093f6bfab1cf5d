"""A voucher's purse: where its fen lie, and the moves that every verb of paying makes on it.

Always balance + held + captured - refunded + taken back = face value (invariant 4). The rows here are working
copies of locked rows; the moves change them in place and the store writes the final values once. A move that would
leave a part below zero raises Broken ``invariant``: row and payments disagree, and the campaign must stop.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import Broken
from campaigns.domain.states import VOUCHER, next_state
from campaigns.domain.terms import facts

LIVE = facts.LIVE


class VoucherRow(Struct, kw_only=True):
    """A voucher as its row has it. ``taken_back_fen`` went to escrow or on to the funders."""

    id: UUID
    campaign_id: UUID
    person_id: UUID
    operator_id: UUID
    terms_version_id: int
    face_fen: int
    balance_fen: int
    held_fen: int
    captured_fen: int
    refunded_fen: int
    taken_back_fen: int
    uses: int
    state: str
    granted_at: datetime
    expires_at: datetime
    changed: bool = False  # differs from the row it was read from

    def has_expired(self, now: datetime) -> bool:
        """Say whether its time is over, whatever the sweep has done yet: what returns goes to escrow then."""
        return self.state != LIVE or now >= self.expires_at

    def for_decide(self) -> facts.Voucher:
        """The voucher as `decide` is told of it."""
        return facts.Voucher(
            id=self.id,
            state=self.state,
            balance_fen=self.balance_fen,
            face_fen=self.face_fen,
            uses=self.uses,
            granted_at=self.granted_at,
            expires_at=self.expires_at,
        )

    def redeem(self, amount_fen: int) -> None:
        """Balance -> captured, and one use."""
        self.balance_fen -= amount_fen
        self.captured_fen += amount_fen
        self.uses += 1
        self._check()

    def hold(self, amount_fen: int) -> None:
        """Balance -> held, and one use."""
        self.balance_fen -= amount_fen
        self.held_fen += amount_fen
        self.uses += 1
        self._check()

    def capture(self, amount_fen: int) -> None:
        """Held -> captured."""
        self.held_fen -= amount_fen
        self.captured_fen += amount_fen
        self._check()

    def release(self, amount_fen: int, *, expired: bool) -> None:
        """Held -> balance, or -> taken back if the voucher expired meanwhile."""
        self.held_fen -= amount_fen
        self._return(amount_fen, taken=expired)

    def give_back(self, amount_fen: int, *, taken: bool) -> None:
        """A refund's or undo's part: captured -> balance, or -> taken back (expired, or its campaign closed)."""
        self.refunded_fen += amount_fen
        self._return(amount_fen, taken=taken)

    def give_back_use(self) -> None:
        """The use of a payment that was voided, lapsed or undone."""
        self.uses -= 1
        self._check()

    def expire(self) -> int:
        """Live -> expired: the unheld part is taken back. Answers how many fen. Held ones follow as holds end."""
        self.state = next_state(VOUCHER, self.state, "expire")
        taken_fen, self.balance_fen = self.balance_fen, 0
        self.taken_back_fen += taken_fen
        self._check()
        return taken_fen

    def _return(self, amount_fen: int, *, taken: bool) -> None:
        if taken:
            self.taken_back_fen += amount_fen
        else:
            self.balance_fen += amount_fen
        self._check()

    def _check(self) -> None:
        self.changed = True
        parts = (self.balance_fen, self.held_fen, self.captured_fen, self.refunded_fen, self.taken_back_fen)
        stands = min(*parts, self.uses) >= 0 and self.refunded_fen <= self.captured_fen
        if not stands or sum(parts) - 2 * self.refunded_fen != self.face_fen:
            raise Broken("invariant", invariant=4, campaign_id=str(self.campaign_id))
