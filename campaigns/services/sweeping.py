"""The sweep, every 10 s: awards, holds and vouchers whose time is over, in bounded batches that pass by what is locked.

Candidates are found without a lock and judged again under the locks, which are taken in the order everybody
takes them. What is left over by a batch is found by the next. A suspended campaign is left to the people who look.
"""

from uuid import UUID

from msgspec import Struct

from campaigns.domain.payments import Books
from campaigns.domain.settle import expire_hold, expire_voucher
from campaigns.domain.vouchers import LIVE
from campaigns.services.context import Context
from campaigns.services.lapsing import sweep_awards
from campaigns.services.payment_lock import load_terms, lock_payment_counters
from campaigns.services.suspending import suspending
from campaigns.store.keys_retention import delete_old_keys
from campaigns.store.locks import campaign_now, share_campaigns
from campaigns.store.payments import ended_holds, line_locks, lock_payments, write_books
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Work, perform
from campaigns.store.vouchers import lock_vouchers, vouchers_to_expire

HOLDS_PER_BATCH = 100
VOUCHERS_PER_BATCH = 500
KEYS_PER_BATCH = 5_000
MAX_BATCHES = 100


class Swept(Struct, frozen=True, kw_only=True):
    """How many holds and vouchers a sweep ended, and awards it moved."""

    holds: int = 0
    vouchers: int = 0
    awards: int = 0


async def sweep(ctx: Context) -> Swept:
    """Expire holds, then vouchers, until none is left that nobody else holds, or MAX_BATCHES have run.

    Awards past their deadline go to who waits, a batch of each campaign in one sweep.
    """
    holds, vouchers = await expire_holds(ctx), await expire_vouchers(ctx)
    return Swept(holds=holds, vouchers=vouchers, awards=await sweep_awards(ctx))


async def expire_holds(ctx: Context) -> int:
    """End every hold whose time is over: its value returns, its uses too. Answers how many."""

    async def act(connection: Connection) -> int:
        found = await ended_holds(connection, HOLDS_PER_BATCH)
        return await _expire_holds(ctx, connection, found) if found else 0

    return await _batches(ctx, Work(int, act))


async def expire_vouchers(ctx: Context) -> int:
    """Take back the unheld part of every voucher whose time is over. Answers how many vouchers."""

    async def act(connection: Connection) -> int:
        found = await vouchers_to_expire(connection, VOUCHERS_PER_BATCH)
        await share_campaigns(connection, [one.seq for one in found])
        books = Books(vouchers=await lock_vouchers(connection, [one.id for one in found], skip_locked=True))
        now = await campaign_now(connection)
        for voucher in books.vouchers.values():
            if voucher.state == LIVE and now >= voucher.expires_at:
                expire_voucher(books, voucher, now)
        await write_books(connection, books, now)
        return sum(voucher.changed for voucher in books.vouchers.values())

    return await _batches(ctx, Work(int, act))


async def retain_keys(connection: Connection) -> int:
    """Delete stored answers that are kept no longer: 400 days with an effect, 72 hours without. Answers how many.

    ``connection`` is of the role sweeper, which alone may delete them.
    """
    total = 0
    for _ in range(MAX_BATCHES):
        deleted = await delete_old_keys(connection, KEYS_PER_BATCH)
        total += deleted
        if deleted < KEYS_PER_BATCH:
            break
    return total


async def _batches(ctx: Context, work: Work[int]) -> int:
    total = 0
    for _ in range(MAX_BATCHES):
        async with suspending(ctx):
            done = await perform(ctx.pool, None, work)
        if done == 0:
            break
        total += done
    return total


async def _expire_holds(ctx: Context, connection: Connection, found: list[UUID]) -> int:
    locks = await line_locks(connection, found)
    await share_campaigns(connection, [lock.seq for lock in locks])
    vouchers = await lock_vouchers(connection, [lock.voucher_id for lock in locks], skip_locked=True)
    held_up = {lock.payment_id for lock in locks if lock.voucher_id not in vouchers}
    books = Books(vouchers=vouchers)
    books.payments = await lock_payments(connection, set(found) - held_up, held_only=True)
    await load_terms(ctx, connection, books)
    await lock_payment_counters(connection, books, books.payments.values())
    now = await campaign_now(connection)
    for payment in books.payments.values():
        expire_hold(books, payment, now)
    await write_books(connection, books, now)
    return len(books.payments)
