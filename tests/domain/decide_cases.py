"""Builders for questions to `decide`: one payment that is allowed, and ways to change one thing about it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from campaigns.domain.terms.compile import compile_version
from campaigns.domain.terms.decide import decide
from campaigns.domain.terms.facts import Decision, Denial, Holder, Item, Purchase, Store, Used, Voucher
from campaigns.domain.terms.model import CompiledTerms, HolidayYear, StoredValue, Terms, Whitelist
from campaigns.domain.terms.rules import compile_terms
from campaigns.domain.windows import parse_window

SHANGHAI = ZoneInfo("Asia/Shanghai")
WINDOW = ("2020-10-12 18:00", "2020-10-18 24:00")  # Monday to Sunday
NO_HOLIDAYS = {"2020": HolidayYear(holidays=())}

STORE = Store(
    merchant="M001",
    merchant_id=UUID(int=1),
    store_id=UUID(int=2),
    place="370124101",
    zones=frozenset({"old-town"}),
    tags=frozenset({"restaurant"}),
    mcc="5812",
    scenario="retail",
)
PURCHASE = Purchase(basket_fen=10_000, channel="in_store", store=STORE)
VOUCHER = Voucher(
    id=UUID(int=7),
    state="live",
    balance_fen=20_000,
    face_fen=20_000,
    uses=0,
    granted_at=datetime(2020, 10, 12, 9, 0, tzinfo=SHANGHAI),
    expires_at=datetime(2020, 10, 19, 0, 0, tzinfo=SHANGHAI),
)


def local(text: str, second: int = 0, microsecond: int = 0) -> datetime:
    """A moment in Shanghai, answered in UTC as the database does."""
    moment = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
    return moment.astimezone(UTC) + timedelta(seconds=second, microseconds=microsecond)


NOON = local("2020-10-14 12:00")  # a Wednesday
JUST_BEFORE = timedelta(microseconds=1)


def compiled(
    terms: Terms | None = None,
    whitelist: Whitelist | None = None,
    window: tuple[str, str] = WINDOW,
    version: int = 1,
    time_zone: str = "Asia/Shanghai",
) -> CompiledTerms:
    """A version of terms over the test window."""
    return compile_version(
        "pingyin-2020",
        version,
        terms or stored(),
        whitelist or Whitelist(),
        parse_window(*window, ZoneInfo(time_zone)),
        time_zone,
    )


def stored(**members: Any) -> Terms:
    """Terms of a stored value, with these members set."""
    return Terms(**{"benefit": StoredValue(), **members})


def ask(
    terms: Terms | None = None,
    *,
    at: datetime = NOON,
    whitelist: Whitelist | None = None,
    window: tuple[str, str] = WINDOW,
    voucher: dict[str, Any] | None = None,
    holder: Holder | None = None,
    purchase: dict[str, Any] | None = None,
    store: dict[str, Any] | None = None,
    used: tuple[Used, ...] = (),
) -> Decision:
    """Put one question to `decide`: the allowed payment with these changes."""
    bought = replace(PURCHASE, store=replace(STORE, **(store or {})), **(purchase or {}))
    return decide(
        compile_terms(compiled(terms, whitelist, window)),
        replace(VOUCHER, **(voucher or {})),
        holder or Holder(),
        bought,
        used,
        at,
    )


def given(decision: Decision) -> int:
    """The subsidy of a decision that must be a yes."""
    assert not isinstance(decision, Denial), decision
    return decision.amount_fen


def code(decision: Decision) -> str:
    """The code of a refusal; ``ok`` for a yes."""
    return decision.code if isinstance(decision, Denial) else "ok"


def day(text: str) -> date:
    """A date from its ISO form."""
    return date.fromisoformat(text)


def items(**amounts_fen: int) -> tuple[Item, ...]:
    """Items of a basket by category."""
    return tuple(Item(category=name, amount_fen=amount_fen) for name, amount_fen in amounts_fen.items())
