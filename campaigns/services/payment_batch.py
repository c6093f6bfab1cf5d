"""One batch of payments: locks and reads set-wise for all, a decision for each, each row's final value written once.

Locks in the order of `campaigns.store.locks`, class by class with ids ascending; the time and what is summed are read
after them, in later statements.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from campaigns.domain.errors import Broken, HongbaoError, Refused, TryAgain, not_found
from campaigns.domain.payment_code import looks_like
from campaigns.domain.payments import Books
from campaigns.domain.settle import CLOSED
from campaigns.domain.usage import UsageKey
from campaigns.gate.payment_codes import LiveCode, find_codes
from campaigns.gate.valkey import Gate
from campaigns.services.codes import code_unknown
from campaigns.services.payment_plans import Change, Pay, Plan, Table
from campaigns.services.spending import StoreSpend, TillSpend
from campaigns.services.terms_cache import TermsCache
from campaigns.store.group_batch import HELD_UP, Failed, Overtaken
from campaigns.store.locks import (
    campaign_now,
    lock_campaign,
    share_campaigns,
    try_lock_campaigns,
    try_share_campaigns,
)
from campaigns.store.payment_lists import newest_announcement, take_announcement
from campaigns.store.payments import LineLock, TableRefused, line_locks, lock_payments, owners_of, write_books
from campaigns.store.pool import Connection
from campaigns.store.refusals import write_refusals
from campaigns.store.stores import Till, funders_of, standing_of, tills, wallets_of
from campaigns.store.usage import lock_usage
from campaigns.store.vouchers import Candidate, Holding, candidates_of, lock_vouchers

P = TypeVar("P", Pay, Change, Plan)


class PaymentBatch:
    """The work of the lanes that payments commit in."""

    def __init__(self, gate: Gate, terms: TermsCache) -> None:
        self._gate = gate
        self._terms = terms

    async def __call__(
        self, connection: Connection, plans: Sequence[Plan], /, *, patient: bool = True
    ) -> list[object]:
        """Answers and failures in the order of the plans; `HELD_UP` unless it is ``patient``.

        Raises Overtaken when it must run again, Broken when the database refused what one plan alone would write.
        """
        ends: dict[int, object] = {}
        for plan in plans:
            plan.attempt.begin()
        pays = [plan for plan in plans if isinstance(plan, Pay)]
        changes = [plan for plan in plans if isinstance(plan, Change)]
        await self._find_payers(connection, pays, ends)
        table = await self._lock(connection, _open(pays, ends), _open(changes, ends), ends, patient=patient)
        for plan in _open(plans, ends):
            try:
                ends[id(plan)] = plan.decide(table)
            except HongbaoError as error:
                ends[id(plan)] = Failed(error)
        try:
            await _write(connection, table, plans, ends)
        except TableRefused as error:
            broken = _broken(table.books, error.table_name) if len(plans) == 1 else None
            if broken is None:
                raise  # each of several runs alone, to find whose it is
            raise broken from error
        return [ends[id(plan)] for plan in plans]

    async def _find_payers(
        self, connection: Connection, pays: Sequence[Pay], ends: dict[int, object]
    ) -> None:
        """Find each one's till, code and person; what is wrong by then needs no lock."""
        if not pays:
            return
        by_id, by_code = await tills(
            connection,
            {plan.principal.terminal_id for plan in pays if plan.principal.terminal_id is not None},
            {plan.spend.store_code for plan in pays if isinstance(plan.spend, StoreSpend)},
        )
        codes = {plan.spend.payment_code for plan in pays if isinstance(plan.spend, TillSpend)}
        found: dict[str, LiveCode] | TryAgain
        try:
            found = await find_codes(self._gate, {code for code in codes if looks_like(code)})
        except TryAgain as error:
            found = error
        for plan in pays:
            programme_id = plan.principal.programme_id
            try:
                if isinstance(plan.spend, StoreSpend):
                    till = by_code.get((programme_id, plan.spend.store_code))
                    if till is None:
                        raise Refused("store_code_unknown", status=404)
                else:
                    assert plan.principal.terminal_id is not None
                    till = by_id.get((programme_id, plan.principal.terminal_id))
                _meet(plan, till, found)
            except HongbaoError as error:
                ends[id(plan)] = Failed(error)

    async def _lock(
        self, connection: Connection, pays: Sequence[Pay], changes: Sequence[Change], ends: dict[int, object],
        *, patient: bool,
    ) -> Table:  # fmt: skip
        """Take every lock of the batch and read what its decisions are about."""
        candidates = await _candidates(connection, pays)
        locks = await _lines(connection, changes, ends)
        held = await _lock_campaigns(connection, candidates, locks, patient=patient)
        held_up = {one.id for one in candidates if one.seq in held}
        held_up |= {lock.voucher_id for lock in locks if lock.seq in held}
        late: list[Plan] = [*pays, *changes] if held_up else []
        ends.update((id(plan), HELD_UP) for plan in late if not held_up.isdisjoint(plan.voucher_ids))
        pays, changes = _open(pays, ends), _open(changes, ends)
        vouchers = {key for plan in pays for key in plan.voucher_ids}
        vouchers |= {key for plan in changes for key in plan.voucher_ids}
        locks = [lock for lock in locks if lock.voucher_id in vouchers]
        books = Books(vouchers=await lock_vouchers(connection, vouchers))
        if changes:
            books.payments = await lock_payments(connection, {plan.payment_id for plan in changes})
        lines = [line for payment in books.payments.values() for line in payment.lines]
        standing = await standing_of(
            connection,
            {row.campaign_id for row in books.vouchers.values()},
            {plan.live.code_id for plan in pays if plan.live is not None},
        )
        books.campaigns = standing.campaigns
        versions = {row.terms_version_id for row in books.vouchers.values()}
        for version in versions | {line.terms_version_id for line in lines}:
            books.rules[version] = await self._terms.get(connection, version)
        await _read_funders(connection, books, changes, locks, ends)
        table = Table(books=books, now=standing.now, codes_used=standing.codes_used)
        if any(rules.wallet_operators for rules in books.rules.values()):
            table.wallets = await wallets_of(
                connection, {p.person_id for p in pays if p.person_id is not None}
            )
        for terminal_id in sorted({p.till.terminal_id for p in pays if p.announced and p.till is not None}):
            table.announced[terminal_id] = await newest_announcement(connection, terminal_id, lock=True)
            table.now = await campaign_now(connection)
        table.now = await _lock_counters(connection, books, [*pays, *_open(changes, ends)], table.now)
        return table


def _open(plans: Iterable[P], ends: dict[int, object]) -> list[P]:
    return [plan for plan in plans if id(plan) not in ends]


def _meet(plan: Pay, till: Till | None, found: dict[str, LiveCode] | TryAgain) -> None:
    """Note till, code and person of a payment. Raises Refused, or TryAgain where the code could not be asked for."""
    if till is None or not till.active:
        raise Refused("store_not_active")
    plan.till = till
    plan.attempt.merchant_id, plan.attempt.terminal_id = till.store.merchant_id, till.terminal_id
    plan.live, plan.person_id = None, plan.principal.person_id
    if isinstance(plan.spend, TillSpend):
        if isinstance(found, TryAgain) and looks_like(plan.spend.payment_code):
            raise found
        plan.live = None if isinstance(found, TryAgain) else found.get(plan.spend.payment_code)
        if plan.live is None or plan.live.programme_id != plan.principal.programme_id:
            raise code_unknown()
        plan.person_id = plan.live.person_id
    plan.attempt.person_id = plan.person_id


async def _candidates(connection: Connection, pays: Sequence[Pay]) -> list[Candidate]:
    asked: dict[int, Holding] = {}
    for plan in pays:
        assert plan.person_id is not None
        asked[id(plan)] = Holding(plan.person_id, plan.principal.programme_id)
    found = await candidates_of(connection, set(asked.values()))
    for plan in pays:
        plan.voucher_ids = [one.id for one in found.get(asked[id(plan)], ())]
    return [one for many in found.values() for one in many]


async def _lines(
    connection: Connection, changes: Sequence[Change], ends: dict[int, object]
) -> list[LineLock]:
    """What must be locked for the payments to change; unknown and foreign ones are not found."""
    if not changes:
        return []
    owners = await owners_of(connection, {plan.payment_id for plan in changes})
    for plan in changes:
        owned = owners.get(plan.payment_id)
        if owned is None or not plan.concerns(owned):
            ends[id(plan)] = Failed(not_found("payment"))
    locks = await line_locks(connection, {plan.payment_id for plan in _open(changes, ends)})
    for plan in changes:
        plan.voucher_ids = [lock.voucher_id for lock in locks if lock.payment_id == plan.payment_id]
    return locks


async def _lock_campaigns(
    connection: Connection, candidates: Iterable[Candidate], locks: Sequence[LineLock], *, patient: bool
) -> set[int]:
    """Share the campaigns' locks in order; hold alone those that are closed, whose funders are paid back.

    Answers those that somebody else holds; a ``patient`` batch waits for them.
    """
    alone = {lock.seq for lock in locks if lock.campaign_state == CLOSED}
    shared = sorted(({one.seq for one in candidates} | {lock.seq for lock in locks}) - alone)
    if not patient:
        return await try_share_campaigns(connection, shared) | await try_lock_campaigns(connection, alone)
    for seq in sorted(alone):
        await share_campaigns(connection, [one for one in shared if one < seq])
        shared = [one for one in shared if one > seq]
        await lock_campaign(connection, seq)
    await share_campaigns(connection, shared)
    return set()


async def _read_funders(
    connection: Connection, books: Books, changes: Sequence[Change], locks: Sequence[LineLock], ends: dict[int, object]
) -> None:  # fmt: skip
    """Read the funders of closed campaigns; a campaign that closed while we waited is not held alone."""
    late = set()
    for lock in locks:
        if books.campaigns[lock.campaign_id].state != CLOSED:
            continue
        if lock.campaign_state != CLOSED:
            late.add(lock.payment_id)
        elif lock.campaign_id not in books.funders:
            books.funders[lock.campaign_id] = await funders_of(connection, lock.campaign_id)
    for plan in changes:
        if plan.payment_id in late:
            ends[id(plan)] = Failed(TryAgain("busy"))


async def _lock_counters(
    connection: Connection, books: Books, plans: Sequence[Plan], now: datetime
) -> datetime:
    """Lock the counters that the plans may count in, and answer the campaign time after every lock."""
    keys = set[UsageKey]()
    for plan in plans:
        plan.keys = plan.counters(books, now)
        keys.update(plan.keys)
    if not keys:
        return now
    books.usage, later = await lock_usage(connection, keys)
    for plan in plans:
        plan.keys = plan.counters(books, later)
        if not keys.issuperset(plan.keys):
            raise Overtaken  # a counter's day ended while somebody else held it
    return later


async def _write(
    connection: Connection, table: Table, plans: Sequence[Plan], ends: dict[int, object]
) -> None:
    refused = []
    changed = set()
    for plan in plans:
        end = ends[id(plan)]
        if isinstance(end, Failed):
            if isinstance(end.error, Refused):
                refused.append(plan.attempt.row(end.error))
        elif isinstance(plan, Change) and end is not HELD_UP:
            changed.add(plan.payment_id)
    table.books.payments = {key: table.books.payments[key] for key in sorted(changed)}
    try:
        await write_books(connection, table.books, table.now)
    except Refused:
        raise Overtaken from None  # a payment code was used at another till since it was looked up
    for announcement_id, payment_id in table.taken.items():
        await take_announcement(connection, announcement_id, payment_id)
    await write_refusals(connection, refused)


def _broken(books: Books, table: str | None) -> Broken | None:
    """What a constraint of ``table`` says of the payments: the books (5) or a voucher (4). None where there is none."""
    for payment in (*books.new_payments, *books.payments.values()):
        for line in payment.lines:
            invariant = 5 if table == "transfer" else 4
            return Broken("invariant", invariant=invariant, campaign_id=str(line.campaign_id))
    return None
