"""What a request asks of a batch of payments: what is found and locked for it, and its decision. Pure.

A plan is decided over its own part of the batch's books, in arrival order; what it changed is taken over only when
it was not refused, so that several payments on one voucher see each other and a refusal leaves no trace.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from campaigns.domain.errors import Refused
from campaigns.domain.ids import new_id
from campaigns.domain.pay import NoLine, Order, pay
from campaigns.domain.payments import Books, PaymentRow, line_keys
from campaigns.domain.principal import Principal
from campaigns.domain.usage import UsageKey
from campaigns.gate.payment_codes import LiveCode
from campaigns.services.codes import check_code
from campaigns.services.payment_answers import PaymentAnswer, RefundAnswer, shown
from campaigns.services.refusing import Attempt
from campaigns.services.spending import Spend, counters_of, purchase_of
from campaigns.store.payment_lists import Announced
from campaigns.store.payments import Owners
from campaigns.store.stores import Till

PaidAnswer = PaymentAnswer | RefundAnswer


@dataclass(kw_only=True)
class Table:
    """What all decisions of one batch are about, read under its locks at campaign time ``now``.

    ``wallets`` by person, ``announced`` by till; ``taken`` names the payment that took an announcement.
    """

    books: Books
    now: datetime
    codes_used: set[UUID]
    wallets: dict[UUID, frozenset[str]] = field(default_factory=dict)
    announced: dict[UUID, Announced | None] = field(default_factory=dict)
    taken: dict[UUID, UUID] = field(default_factory=dict)


@dataclass(kw_only=True)
class Pay:
    """Redeem (``at_once``) or hold. The batch fills in where it happens, who pays by which code, and the vouchers."""

    principal: Principal
    spend: Spend
    at_once: bool
    attempt: Attempt
    till: Till | None = None
    live: LiveCode | None = None
    person_id: UUID | None = None
    voucher_ids: list[UUID] = field(default_factory=list)
    keys: Collection[UsageKey] = ()

    @property
    def announced(self) -> bool:
        """Whether the shop must have announced the amount: a holder pays at once."""
        return self.live is None and self.at_once

    def counters(self, books: Books, now: datetime) -> Collection[UsageKey]:
        """The counters to lock at ``now``; those of the time decided at are noted in ``keys``."""
        assert self.person_id is not None and self.till is not None
        vouchers = [books.vouchers[key] for key in self.voucher_ids]
        return counters_of(books, vouchers, self.person_id, self.till.store.merchant_id, now)

    def decide(self, table: Table) -> PaymentAnswer:
        """Pay in the books of the table and answer. Raises what `paying.redeem` names, and then changes nothing."""
        live, till, now = self.live, self.till, table.now
        assert self.person_id is not None and till is not None
        if live is not None and live.code_id in table.codes_used:
            raise Refused("code_already_used")
        if live is not None:
            check_code(live, now)
        announced = table.announced[till.terminal_id] if self.announced else None
        if self.announced:
            announced = check_announced(announced, self.spend.basket_fen, now)
        order = Order(
            payment_id=new_id(),
            programme_id=self.principal.programme_id,
            person_id=self.person_id,
            terminal_id=till.terminal_id,
            code_id=None if live is None else live.code_id,
            purchase=purchase_of(self.spend, till),
            wallet_operators=table.wallets.get(self.person_id, frozenset()),
            at_once=self.at_once,
        )
        part = table.books.part(self.voucher_ids)
        table.books.count_in(part, self.keys)
        try:
            payment = pay(part, order, now)
        except NoLine as no:
            raise self.attempt.refuse(self.principal, no.denial, no.campaign_id) from None
        answer = shown(payment, part.campaigns, self.principal)
        table.books.take(part)
        if live is not None:
            table.codes_used.add(live.code_id)
        if announced is not None:
            table.announced[till.terminal_id] = announced._replace(payment_id=payment.id)
            table.taken[announced.id] = payment.id
        return answer


def check_announced(announced: Announced | None, basket_fen: int, now: datetime) -> Announced:
    """Raise Refused ``nothing_announced`` or ``above_announced`` unless the shop's amount covers the basket."""
    if announced is None or announced.payment_id is not None or now >= announced.until:
        raise Refused("nothing_announced")
    if basket_fen > announced.amount_fen:
        raise Refused("above_announced", announced_fen=announced.amount_fen)
    return announced


@dataclass(kw_only=True)
class Change:
    """Capture, void, refund or undo of a payment that exists.

    ``concerns`` says whether this caller may know of it, ``counts`` whether it may give back what caps have counted;
    ``act`` changes the part of the books that it is given.
    """

    principal: Principal
    payment_id: UUID
    attempt: Attempt
    concerns: Callable[[Owners], bool]
    counts: Callable[[PaymentRow], bool]
    act: Callable[[Books, PaymentRow, datetime], PaidAnswer]
    voucher_ids: list[UUID] = field(default_factory=list)
    keys: Collection[UsageKey] = ()

    def counters(self, books: Books, now: datetime) -> Collection[UsageKey]:
        """The counters to lock, by the time of the payment's authorization."""
        payment = books.payments[self.payment_id]
        return line_keys(books, [payment]) if self.counts(payment) else ()

    def decide(self, table: Table) -> PaidAnswer:
        """Change the payment in the books of the table and answer. Raises what the act raises, with no trace."""
        part = table.books.part(self.voucher_ids, self.payment_id)
        payment = part.payments[self.payment_id]
        table.books.count_in(part, line_keys(part, [payment]))
        answer = self.act(part, payment, table.now)
        table.books.take(part)
        return answer


Plan = Pay | Change
