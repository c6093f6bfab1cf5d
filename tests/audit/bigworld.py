"""A database of any size made set by set in SQL, balanced to the fen: for tests and the bench of the audit.

Two campaigns of two operators and more, every verb of the ledger as the product writes it: 80 of 100 payments are
redeemed at once, the others captured (some in part), voided, expired, held, refunded once or twice, undone; one of
20 takes two vouchers of its person; one voucher of ten has expired. Every number is a function of the row's own, so
that a world of a size is always the same.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from campaigns.domain.terms.model import Cap, StoredValue, Terms
from tests.audit.bigworld_sql import (
    ADD_COUNTERS,
    ADD_LINES,
    ADD_PAYMENTS,
    ADD_REFUNDS,
    ADD_TRANSFERS,
    ADD_VOUCHER_PARTS,
    EXPIRE,
    ISSUE,
    PLACES,
    PLAN_LINES,
    PLAN_PAYMENTS,
    PREPARE,
)  # fmt: skip
from tests.support.payworld import PayWorld

CHUNK: Final = 100_000
FACE_FEN: Final = 5_000
CAMPAIGNS: Final = 4
SPREAD: Final = timedelta(hours=20)  # the payments' time, which began a day ago
TERMS: Final = Terms(
    benefit=StoredValue(),
    caps=(
        Cap(scope="person", period="day", uses=1_000),
        Cap(scope="merchant", period="month", amount_fen=10**12),
    ),
    first_purchase=False,
)


@dataclass(frozen=True)
class Size:
    """How large a world is; what is not told follows from the number of payments."""

    payments: int
    vouchers: int = 0
    merchants: int = 0

    def whole(self) -> "Size":
        """As it is made: persons have two vouchers each, so their number is even."""
        vouchers = self.vouchers or max(20, self.payments * 3 // 10)
        merchants = self.merchants or min(3_000, max(3, self.payments * 3 // 1_000))
        return Size(self.payments, vouchers + vouchers % 2, merchants)


@dataclass
class BigWorld:
    """A made world. ``add`` goes on with payments numbered from ``made`` + 1."""

    small: PayWorld
    owner: asyncpg.Connection
    size: Size
    base: datetime
    campaign_ids: list[UUID] = field(default_factory=list)
    made: int = 0

    async def add(self, payments: int) -> None:
        """Make so many payments more, a transaction each CHUNK, on the vouchers that have not expired."""
        last = self.made + payments
        for first in range(self.made + 1, last + 1, CHUNK):
            await self._add_chunk(first, min(last, first + CHUNK - 1))
        self.made = last

    async def _add_chunk(self, first: int, last: int) -> None:
        step = SPREAD / (self.size.payments * 2)
        async with self.owner.transaction():
            await self.owner.execute("TRUNCATE pay_plan, line_plan")
            await self.owner.execute(
                PLAN_PAYMENTS, first, last, self.size.vouchers, self.size.merchants, self.base, step
            )
            await self.owner.execute(PLAN_LINES)
            await self.owner.execute("ANALYZE pay_plan; ANALYZE line_plan")
            await self.owner.execute(ADD_PAYMENTS, self.small.programme_id)
            for statement in (ADD_LINES, ADD_REFUNDS, ADD_TRANSFERS, ADD_VOUCHER_PARTS):
                await self.owner.execute(statement)
            for cap, bucket, person, merchant in (
                (0, "(p.at AT TIME ZONE 'Asia/Shanghai')::date", "p.person_id", "nobody()"),
                (12, "date_trunc('month', p.at AT TIME ZONE 'Asia/Shanghai')::date", "nobody()", "p.merchant_id"),
            ):  # fmt: skip
                text = ADD_COUNTERS.format(bucket=bucket, person=person, merchant=merchant)
                await self.owner.execute(text, cap)


async def make_bigworld(small: PayWorld, owner: asyncpg.Connection, size: Size) -> BigWorld:
    """Make the programme, its vouchers and ``size.payments`` payments, then expire a tenth of the vouchers."""
    size = size.whole()
    await small.start()
    second_operator = UUID(int=small.operator_id.int ^ 1)
    await owner.execute(
        "INSERT INTO operator (id, programme_id, code, name_zh, name_en) VALUES ($1, $2, 'bank2', '行', 'Bank')",
        second_operator, small.programme_id,
    )  # fmt: skip
    campaigns = [
        await small.campaign(TERMS, budget_fen=size.vouchers * FACE_FEN, days=30) for _ in range(CAMPAIGNS)
    ]
    base = await small.now() - timedelta(days=1) + timedelta(minutes=5)
    world = BigWorld(small, owner, size, base, campaigns)
    await owner.execute(PREPARE)
    windows = [small.window_of[campaign] for campaign in campaigns]
    operators = [small.operator_id, second_operator]
    await owner.execute(
        "INSERT INTO big_campaign SELECT i - 1, c, w, (SELECT id FROM terms_version WHERE campaign_id = c)"
        " FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS t (c, w, i)",
        campaigns, windows,
    )  # fmt: skip
    await owner.execute(
        "INSERT INTO big_operator SELECT i - 1, o FROM unnest($1::uuid[]) WITH ORDINALITY AS t (o, i)",
        operators,
    )
    async with owner.transaction():
        for statement in PLACES:
            await owner.execute(statement, size.merchants, small.programme_id)
    async with owner.transaction():
        for statement in ISSUE:
            await owner.execute(statement, size.vouchers, FACE_FEN, base, small.programme_id)
    await owner.execute("ANALYZE")
    await world.add(size.payments)
    await owner.execute(EXPIRE, base + timedelta(hours=22))
    await owner.execute("VACUUM ANALYZE")
    return world
