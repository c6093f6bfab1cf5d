"""Rows of paying as working copies, and the books of one transaction that its acts are computed in.

Locked rows are read into `Books`, acts change the copies and collect transfers, and the store writes each
row's final value once. Nothing here asks a clock or a database, so that many payments can be decided in one go.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from campaigns.domain.ledger import Transfer
from campaigns.domain.money import largest_remainder
from campaigns.domain.terms.facts import Item
from campaigns.domain.terms.rules import Rules
from campaigns.domain.usage import UsageKey, UsageRow, cap_keys
from campaigns.domain.vouchers import VoucherRow

RefundKind = Literal["refund", "undo"]


class CampaignRow(Struct, frozen=True, kw_only=True):
    """What paying needs to know of a campaign; ``seq`` is its lock's number."""

    id: UUID
    seq: int
    code: str
    state: str
    refund_days: int
    closed_at: datetime | None


class LineRow(Struct, kw_only=True):
    """One voucher's part of a payment; ``eligible_fen`` and ``available_fen`` are facts of the authorization."""

    line: int
    voucher_id: UUID
    campaign_id: UUID
    operator_id: UUID
    terms_version_id: int
    eligible_fen: int
    available_fen: int
    authorized_fen: int
    held_fen: int
    captured_fen: int = 0
    refunded_fen: int = 0


class PaymentRow(Struct, kw_only=True):
    """A payment with its lines. ``gone_items`` are items of named categories that left the basket so far."""

    id: UUID
    programme_id: UUID
    person_id: UUID
    merchant_id: UUID
    store_id: UUID
    terminal_id: UUID
    code_id: UUID | None
    basket_fen: int
    items: tuple[Item, ...]
    purchase: object
    state: str
    subsidy_fen: int
    authorized_at: datetime
    hold_until: datetime
    captured_basket_fen: int | None = None
    captured_fen: int = 0
    returned_goods_fen: int = 0
    refunded_fen: int = 0
    gone_items: tuple[Item, ...] = ()
    undo_asked_at: datetime | None = None
    captured_at: datetime | None = None
    ended_at: datetime | None = None
    lines: list[LineRow] = []


class RefundRow(Struct, frozen=True, kw_only=True):
    """One refund or undo: goods returned and subsidy given back by it alone."""

    id: UUID
    payment_id: UUID
    kind: RefundKind
    returned_goods_fen: int
    back_fen: int
    at: datetime


@dataclass(kw_only=True)
class Books:
    """Working copies of everything one transaction has locked, and the transfers its acts have made.

    ``spent_fen`` is what each funder of a closed campaign has paid net so far, in the order of the shares.
    """

    campaigns: dict[UUID, CampaignRow] = field(default_factory=dict)
    vouchers: dict[UUID, VoucherRow] = field(default_factory=dict)
    payments: dict[UUID, PaymentRow] = field(default_factory=dict)
    rules: dict[int, Rules] = field(default_factory=dict)
    usage: dict[UsageKey, UsageRow] = field(default_factory=dict)
    funders: dict[UUID, list["FunderRow"]] = field(default_factory=dict)
    new_payments: list[PaymentRow] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    refunds: list[RefundRow] = field(default_factory=list)

    def rules_of(self, line: LineRow) -> Rules:
        """The terms a line was authorized under."""
        return self.rules[line.terms_version_id]

    def part(self, voucher_ids: Iterable[UUID], payment_id: UUID | None = None) -> "Books":
        """Copies of what one request may change, so that one that fails leaves these books as they were."""
        payments = {} if payment_id is None else {payment_id: copied(self.payments[payment_id])}
        return Books(
            campaigns=self.campaigns,
            rules=self.rules,
            vouchers={key: replace(self.vouchers[key]) for key in voucher_ids},
            payments=payments,
            funders={key: [replace(row) for row in rows] for key, rows in self.funders.items()},
        )

    def count_in(self, part: "Books", keys: Iterable[UsageKey]) -> None:
        """Give a part copies of the counters it may change, as far as they are in these books."""
        part.usage = {key: replace(self.usage[key]) for key in keys if key in self.usage}

    def take(self, part: "Books") -> None:
        """Make a part's changes these books' own: the next request sees them."""
        self.vouchers.update(part.vouchers)
        self.payments.update(part.payments)
        self.usage.update(part.usage)
        self.funders.update(part.funders)
        self.new_payments += part.new_payments
        self.transfers += part.transfers
        self.refunds += part.refunds

    def count(self, payment: PaymentRow, line: LineRow, uses: int, amount_fen: int) -> None:
        """Add (or give back, where negative) uses and fen in the buckets of the payment's authorization."""
        keys = cap_keys(
            self.rules_of(line),
            line.campaign_id,
            payment.person_id,
            payment.merchant_id,
            payment.authorized_at,
        )
        for key in keys:
            self.usage[key].add(uses, amount_fen)


class FunderRow(Struct, kw_only=True):
    """A funder of a closed campaign: its share and what it has paid net so far (funded - returned)."""

    id: UUID
    share_bp: int
    spent_fen: int


def copied(payment: PaymentRow) -> PaymentRow:
    """A copy with lines of its own."""
    twin = replace(payment)
    twin.lines = [replace(line) for line in payment.lines]
    return twin


def line_keys(books: Books, payments: Iterable[PaymentRow]) -> set[UsageKey]:
    """The counters that giving back anything of ``payments`` touches."""
    return {
        key
        for payment in payments
        for line in payment.lines
        for key in cap_keys(
            books.rules_of(line),
            line.campaign_id,
            payment.person_id,
            payment.merchant_id,
            payment.authorized_at,
        )
    }


def return_to_funders(amount_fen: int, funders: list[FunderRow]) -> list[int]:
    """Divide what a closed campaign gets back: each funder's part is by the *cumulated* net spending.

    Each one's share of what stays spent is set against what it has paid, and who has paid beyond it is given
    back in proportion. Answers the parts in the order of ``funders``; they add up exactly, none is negative.
    """
    whole = sum(funder.share_bp for funder in funders)
    left_fen = sum(funder.spent_fen for funder in funders) - amount_fen
    assert amount_fen >= 0 and left_fen >= 0 and whole > 0
    beyond = [funder.spent_fen * whole - left_fen * funder.share_bp for funder in funders]  # fen times whole
    return (
        largest_remainder(amount_fen, [max(0, excess) for excess in beyond])
        if amount_fen
        else [0] * len(beyond)
    )
