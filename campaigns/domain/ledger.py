"""The ledger's verbs: each answers the transfers that its act writes (DESIGN, Money).

Value moves *from* the debit account *to* the credit account; balance = credits - debits. An account is
(campaign, kind, holder). Only `funder` is negative, and `payable` after a refund of what was already paid out.
"""

from typing import Literal, NamedTuple
from uuid import UUID

AccountKind = Literal["funder", "escrow", "outstanding", "held", "payable", "paid", "returned"]
TransferKind = Literal[
    "fund", "grant", "authorize", "capture", "release", "redeem", "void", "hold_expiry",
    "refund", "undo", "expire", "pay_out", "bank_return", "close",
]  # fmt: skip
MAX_LINES = 32_767


class Account(NamedTuple):
    """One account of a campaign; ``holder_id`` is a funder, an operator or a merchant."""

    kind: AccountKind
    holder_id: UUID


class Transfer(NamedTuple):
    """One ledger line, ``amount_fen`` > 0. Unique by (cause, kind, line)."""

    cause_id: UUID
    kind: TransferKind
    line: int
    campaign_id: UUID
    operator_id: UUID
    debit: Account
    credit: Account
    amount_fen: int


class Lines:
    """Collects the transfers of one act (one cause), numbering lines per kind and leaving out zero amounts."""

    def __init__(self, cause_id: UUID) -> None:
        self._cause_id = cause_id
        self._transfers: list[Transfer] = []
        self._next: dict[TransferKind, int] = {}

    @property
    def transfers(self) -> list[Transfer]:
        return self._transfers

    def _add(
        self, kind: TransferKind, campaign_id: UUID, operator_id: UUID, debit: Account, credit: Account,
        amount_fen: int,
    ) -> None:  # fmt: skip
        assert amount_fen >= 0
        if amount_fen == 0:
            return
        line = self._next.get(kind, 0) + 1
        assert line <= MAX_LINES
        self._next[kind] = line
        self._transfers.append(
            Transfer(self._cause_id, kind, line, campaign_id, operator_id, debit, credit, amount_fen)
        )

    def fund(self, campaign_id: UUID, funder_id: UUID, operator_id: UUID, amount_fen: int) -> None:
        """Funder -> escrow at the custody operator."""
        self._add(
            "fund",
            campaign_id,
            operator_id,
            Account("funder", funder_id),
            Account("escrow", operator_id),
            amount_fen,
        )

    def grant(self, campaign_id: UUID, operator_id: UUID, amount_fen: int) -> None:
        """Escrow -> outstanding: a voucher exists."""
        self._add(
            "grant",
            campaign_id,
            operator_id,
            Account("escrow", operator_id),
            Account("outstanding", operator_id),
            amount_fen,
        )

    def authorize(self, campaign_id: UUID, operator_id: UUID, amount_fen: int) -> None:
        """Outstanding -> held."""
        self._add(
            "authorize",
            campaign_id,
            operator_id,
            Account("outstanding", operator_id),
            Account("held", operator_id),
            amount_fen,
        )

    def capture(self, campaign_id: UUID, operator_id: UUID, merchant_id: UUID, amount_fen: int) -> None:
        """Held -> payable."""
        self._add(
            "capture",
            campaign_id,
            operator_id,
            Account("held", operator_id),
            Account("payable", merchant_id),
            amount_fen,
        )

    def release(self, campaign_id: UUID, operator_id: UUID, amount_fen: int, *, expired: bool) -> None:
        """What a capture leaves over: held -> outstanding, or -> escrow if the voucher expired meanwhile."""
        self._unhold("release", campaign_id, operator_id, amount_fen, expired)

    def void(self, campaign_id: UUID, operator_id: UUID, amount_fen: int, *, expired: bool) -> None:
        """Held -> outstanding, or -> escrow if the voucher expired meanwhile."""
        self._unhold("void", campaign_id, operator_id, amount_fen, expired)

    def hold_expiry(self, campaign_id: UUID, operator_id: UUID, amount_fen: int, *, expired: bool) -> None:
        """Held -> outstanding, or -> escrow if the voucher expired meanwhile."""
        self._unhold("hold_expiry", campaign_id, operator_id, amount_fen, expired)

    def _unhold(
        self, kind: TransferKind, campaign_id: UUID, operator_id: UUID, amount_fen: int, expired: bool
    ) -> None:
        credit = Account("escrow" if expired else "outstanding", operator_id)
        self._add(kind, campaign_id, operator_id, Account("held", operator_id), credit, amount_fen)

    def redeem(self, campaign_id: UUID, operator_id: UUID, merchant_id: UUID, amount_fen: int) -> None:
        """Outstanding -> payable in one call, one line."""
        self._add(
            "redeem",
            campaign_id,
            operator_id,
            Account("outstanding", operator_id),
            Account("payable", merchant_id),
            amount_fen,
        )

    def back(
        self, kind: Literal["refund", "undo"], campaign_id: UUID, operator_id: UUID, merchant_id: UUID,
        amount_fen: int, *, expired: bool,
    ) -> None:  # fmt: skip
        """Refund or undo while the campaign lives: payable -> outstanding, or -> escrow if the voucher expired."""
        credit = Account("escrow" if expired else "outstanding", operator_id)
        self._add(kind, campaign_id, operator_id, Account("payable", merchant_id), credit, amount_fen)

    def back_to_funder(
        self, kind: Literal["refund", "undo"], campaign_id: UUID, operator_id: UUID, merchant_id: UUID,
        funder_id: UUID, amount_fen: int,
    ) -> None:  # fmt: skip
        """Refund or undo after the close: payable -> returned, to one funder."""
        self._add(
            kind,
            campaign_id,
            operator_id,
            Account("payable", merchant_id),
            Account("returned", funder_id),
            amount_fen,
        )

    def expire(self, campaign_id: UUID, operator_id: UUID, amount_fen: int) -> None:
        """Outstanding -> escrow: the unheld part of an expired voucher."""
        self._add(
            "expire",
            campaign_id,
            operator_id,
            Account("outstanding", operator_id),
            Account("escrow", operator_id),
            amount_fen,
        )

    def pay_out(self, campaign_id: UUID, operator_id: UUID, merchant_id: UUID, amount_fen: int) -> None:
        """Payable -> paid."""
        self._add(
            "pay_out",
            campaign_id,
            operator_id,
            Account("payable", merchant_id),
            Account("paid", merchant_id),
            amount_fen,
        )

    def bank_return(self, campaign_id: UUID, operator_id: UUID, merchant_id: UUID, amount_fen: int) -> None:
        """Paid -> payable: the bank sent a pay-out back."""
        self._add(
            "bank_return",
            campaign_id,
            operator_id,
            Account("paid", merchant_id),
            Account("payable", merchant_id),
            amount_fen,
        )

    def close(self, campaign_id: UUID, operator_id: UUID, funder_id: UUID, amount_fen: int) -> None:
        """Escrow -> returned, to one funder."""
        self._add(
            "close",
            campaign_id,
            operator_id,
            Account("escrow", operator_id),
            Account("returned", funder_id),
            amount_fen,
        )
