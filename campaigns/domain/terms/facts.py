"""What `decide` is told and what it answers: frozen values without behaviour.

Amounts are integer fen. Times are aware datetimes. Places are significant digits of GB/T 2260 codes.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import Fact
from campaigns.domain.terms.model import Channel

LIVE = "live"  # the only state of a voucher in which it may be spent


class Voucher(Struct, frozen=True, kw_only=True):
    """A voucher as its locked row has it.

    ``balance_fen`` is what is neither held nor spent, ``uses`` the payments counted so far (undone,
    voided and lapsed ones given back), ``expires_at`` was fixed at the grant (`windows.expiry`).
    """

    id: UUID
    state: str
    balance_fen: int
    face_fen: int
    uses: int
    granted_at: datetime
    expires_at: datetime


class Holder(Struct, frozen=True, kw_only=True):
    """The person: ids of the operators of their confirmed wallets; whether they bought at this merchant before."""

    wallet_operators: frozenset[str] = frozenset()
    bought_before: bool = False


class Store(Struct, frozen=True, kw_only=True):
    """Where the payment happens. ``merchant`` is the merchant's public code, as whitelists name it."""

    merchant: str
    merchant_id: UUID
    store_id: UUID
    place: str
    zones: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    mcc: str
    scenario: str


class Item(Struct, frozen=True, kw_only=True):
    """A part of the basket in one category, e.g. ``tobacco``; parts not named belong to no category."""

    category: str
    amount_fen: int


class Position(Struct, frozen=True, kw_only=True):
    """WGS 84 degrees times 1,000,000, given by the terminal or the holder."""

    latitude_e6: int
    longitude_e6: int


class Purchase(Struct, frozen=True, kw_only=True):
    """What is bought: the whole basket before any subsidy, where and how."""

    basket_fen: int
    channel: Channel
    store: Store
    items: tuple[Item, ...] = ()
    position: Position | None = None


class Used(Struct, frozen=True, kw_only=True):
    """What a cap's bucket of this authorization holds already: payments, and fen of subsidy net of refunds."""

    uses: int = 0
    amount_fen: int = 0


class Allowed(Struct, frozen=True, kw_only=True):
    """Yes: ``amount_fen`` of subsidy.

    ``eligible_fen`` is the part of the basket that counts, ``available_fen`` the most this voucher could
    give here (balance, most per use, what the caps leave). Both are kept with the authorization line:
    capture and refund compute from them again. ``at`` is the time the decision was made at.
    """

    amount_fen: int
    eligible_fen: int
    available_fen: int
    at: datetime


class Denial(Struct, frozen=True, kw_only=True):
    """No: a stable code of `campaigns.domain.codes.decide`, its facts, and the time it was decided at."""

    code: str
    facts: Mapping[str, Fact]
    at: datetime


Decision = Allowed | Denial
