"""A small published campaign made by rows, for tests of paying: one programme, merchants with tills, funded vouchers.

Everything goes through the ledger's own verbs, so the books balance from the start.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from campaigns.domain.ids import new_id
from campaigns.domain.ledger import Lines
from campaigns.domain.money import largest_remainder
from campaigns.domain.payment_code import make_store_code
from campaigns.domain.principal import Principal
from campaigns.domain.terms.compile import canonical_json, compile_version
from campaigns.domain.terms.model import StoredValue, Terms, Whitelist
from campaigns.services.codes import make_code
from campaigns.services.context import Context
from campaigns.services.spending import StoreSpend, TillSpend
from campaigns.store.audit_checks import CHECKS, run_check
from campaigns.store.ledger import write_transfers
from campaigns.store.locks import campaign_now
from campaigns.store.unit_of_work import Request, request
from campaigns.store.vouchers_grant import GrantRow, grant_vouchers

STORED = StoredValue()

COUNTED = """
WITH counted AS (
    SELECT l.campaign_id, p.person_id, p.merchant_id, count(*) AS uses, sum(l.authorized_fen) AS fen FROM payment p
    JOIN payment_line l ON l.payment_id = p.id WHERE p.state = 'held' GROUP BY 1, 2, 3
    UNION ALL
    SELECT l.campaign_id, p.person_id, p.merchant_id, count(*), sum(l.captured_fen - l.refunded_fen) FROM payment p
    JOIN payment_line l ON l.payment_id = p.id WHERE p.state = 'captured' GROUP BY 1, 2, 3
)
SELECT u.*, coalesce(sum(c.uses), 0) AS counted_uses, coalesce(sum(c.fen), 0) AS counted_fen
FROM (SELECT campaign_id, cap, person_id, merchant_id, sum(uses) AS uses, sum(amount_fen) AS fen
      FROM usage_counter WHERE cap < 100 GROUP BY 1, 2, 3, 4) AS u
LEFT JOIN counted c ON c.campaign_id = u.campaign_id
    AND u.person_id IN (c.person_id, '00000000-0000-0000-0000-000000000000')
    AND u.merchant_id IN (c.merchant_id, '00000000-0000-0000-0000-000000000000')
GROUP BY u.campaign_id, u.cap, u.person_id, u.merchant_id, u.uses, u.fen
HAVING u.uses <> coalesce(sum(c.uses), 0) OR u.fen <> coalesce(sum(c.fen), 0)
"""


async def wait_for_campaign_lock(ctx: Context, task: "asyncio.Task[Any]") -> None:
    """Return once a transaction waits for a campaign's lock; fail if ``task`` ends without having waited."""
    waiting = False
    async with ctx.pool.acquire() as connection:
        while not waiting:
            assert not task.done(), "it did not wait for the campaign's lock"
            waiting = await connection.fetchval(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
            )


async def check_books(ctx: Context) -> None:
    """Fail unless every invariant of the audit holds, and every usage counter says what the payments say."""
    async with ctx.pool.acquire() as connection:
        found = [violation for check in CHECKS for violation in await run_check(connection, check)]
        assert found == []
        assert await connection.fetch(COUNTED) == []


class PayWorld:
    """The rows of a test's programme, and short ways to act on them."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.programme_id = new_id()
        self.operator_id = new_id()
        self.funder_ids: dict[UUID, list[UUID]] = {}
        self.merchants: dict[UUID, UUID] = {}
        self.store_codes: dict[UUID, str] = {}

    async def start(self) -> "PayWorld":
        """Make the programme and its operator."""
        await self._run(
            "INSERT INTO programme (id, code, name_zh, name_en, identifying_kind, created_at)"
            " VALUES ($1, $2, '试点', 'Pilot', 'phone', now())",
            self.programme_id,
            f"p{self.programme_id.hex[-12:]}",
        )
        await self._run(
            "INSERT INTO operator (id, programme_id, code, name_zh, name_en) VALUES ($1, $2, 'bank', '行', 'Bank')",
            self.operator_id,
            self.programme_id,
        )
        unit_id, self.author_id, self.approver_id = new_id(), new_id(), new_id()
        await self._run(
            "INSERT INTO unit (id, programme_id, code, name_zh, name_en) VALUES ($1, $2, 'office', '办', 'Office')",
            unit_id,
            self.programme_id,
        )
        for staff_id in (self.author_id, self.approver_id):
            await self._run(
                "INSERT INTO staff (id, unit_id, programme_id, login, name, roles, active, created_at)"
                " VALUES ($1, $2, $3, $4, 'S', '[]', true, now())",
                staff_id,
                unit_id,
                self.programme_id,
                str(staff_id),
            )
        return self

    async def campaign(
        self, terms: Terms | None = None, *, budget_fen: int = 10_000_000, shares: Sequence[int] = (10_000,),
        days: int = 30, whitelist: Whitelist | None = None, refund_days: int = 30,
    ) -> UUID:  # fmt: skip
        """Publish a campaign that can be spent from yesterday on for ``days`` days, funded in full."""
        campaign_id, now = new_id(), await self.now()
        start, end = now - timedelta(days=1), now + timedelta(days=days)
        code = f"c{campaign_id.hex[-12:]}"
        await self._run(
            "INSERT INTO campaign (id, programme_id, code, state, source, definition, digest, author_id, approver_id,"
            " time_zone, spending_start, spending_end, refund_days, created_at, published_at)"
            " VALUES ($1, $2, $3, 'published', '', $4, '\\x00', $5, $6, 'Asia/Shanghai', $7, $8, $9, $7, $7)",
            campaign_id, self.programme_id, code, {"per_person": 1000, "name": {"zh": "活动", "en": "Campaign"}},
            self.author_id, self.approver_id, start, end, refund_days,
        )  # fmt: skip
        compiled = compile_version(
            code, 1, terms or Terms(benefit=STORED), whitelist or Whitelist(), (start, end), "Asia/Shanghai"
        )
        async with self.ctx.pool.acquire() as connection:
            await connection.execute(
                "INSERT INTO terms_version (campaign_id, version, compiled, digest, created_at)"
                " VALUES ($1, 1, $2, '\\x00', $3)",
                campaign_id,
                canonical_json(compiled).decode(),
                now,
            )
        await self._fund(campaign_id, budget_fen, shares, now)
        self.window_of = getattr(self, "window_of", {})
        self.window_of[campaign_id] = new_id()
        await self._run(
            "INSERT INTO issue_window (id, campaign_id, kind, number) VALUES ($1, $2, 'list', 1)",
            self.window_of[campaign_id],
            campaign_id,
        )
        return campaign_id

    async def _fund(self, campaign_id: UUID, budget_fen: int, shares: Sequence[int], now: datetime) -> None:
        parts = [budget_fen * share // sum(shares) for share in shares]
        parts[0] += budget_fen - sum(parts)
        async with self.ctx.pool.acquire() as connection, connection.transaction():
            for share, part_fen in zip(shares, parts, strict=True):
                funder_id, funding_id = new_id(), new_id()
                await connection.execute(
                    "INSERT INTO funder (id, campaign_id, code, name_zh, name_en, share_bp)"
                    " VALUES ($1, $2, $3, '出资方', 'Funder', $4)",
                    funder_id, campaign_id, f"f{funder_id.hex[-8:]}", share,
                )  # fmt: skip
                await connection.execute(
                    "INSERT INTO funding (id, campaign_id, funder_id, operator_id, amount_fen, at)"
                    " VALUES ($1, $2, $3, $4, $5, $6)",
                    funding_id, campaign_id, funder_id, self.operator_id, part_fen, now,
                )  # fmt: skip
                lines = Lines(funding_id)
                lines.fund(campaign_id, funder_id, self.operator_id, part_fen)
                await write_transfers(connection, lines.transfers, now)
                self.funder_ids.setdefault(campaign_id, []).append(funder_id)

    async def person(self) -> UUID:
        """Register a person."""
        person_id = new_id()
        await self._run(
            "INSERT INTO person (id, programme_id, created_at) VALUES ($1, $2, now())",
            person_id,
            self.programme_id,
        )
        return person_id

    async def voucher(
        self, campaign_id: UUID, person_id: UUID, face_fen: int, expires_at: datetime | None = None
    ) -> UUID:
        """Grant a voucher with its allotment and turn."""
        allotment_id, voucher_id, window_id = new_id(), new_id(), self.window_of[campaign_id]
        async with self.ctx.pool.acquire() as connection, connection.transaction():
            now = await campaign_now(connection)
            await connection.execute(
                "INSERT INTO allotment (id, campaign_id, window_id, tier, operator_id, face_fen)"
                " VALUES ($1, $2, $3, 1, $4, $5)",
                allotment_id, campaign_id, window_id, self.operator_id, face_fen,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO turn (campaign_id, window_id, person_id, n) SELECT $1, $2, $3, 1 + count(*) FROM turn"
                " WHERE (campaign_id, window_id, person_id) = ($1, $2, $3)",
                campaign_id, window_id, person_id,
            )  # fmt: skip
            version, end = await connection.fetchrow(
                "SELECT t.id, c.spending_end FROM terms_version t JOIN campaign c ON c.id = t.campaign_id"
                " WHERE c.id = $1",
                campaign_id,
            )
            row = GrantRow(
                voucher_id, campaign_id, person_id, allotment_id, self.operator_id, version, face_fen,
                expires_at or end,
            )  # fmt: skip
            await grant_vouchers(connection, now, [row])
        return voucher_id

    async def merchant(self, **store: Any) -> UUID:
        """Register a merchant with one store and till; answers the merchant's id."""
        merchant_id = new_id()
        await self._run(
            "INSERT INTO merchant (id, programme_id, code, name, credit_code, acquiring_operator_id, tags, mcc, active,"
            " created_at) VALUES ($1, $2, $3, 'M', '', $4, $5, $6, true, now())",
            merchant_id, self.programme_id, f"m{merchant_id.hex[-12:]}", self.operator_id, store.get("tags", []),
            store.get("mcc", "5411"),
        )  # fmt: skip
        store_id = new_id()
        await self._run(
            "INSERT INTO store (id, merchant_id, code, name, place, zones, scenario, active)"
            " VALUES ($1, $2, 's', 'S', '370124', '[]', 'retail', true)",
            store_id,
            merchant_id,
        )
        terminal_id = new_id()
        self.store_codes[merchant_id] = make_store_code(new_id().bytes[-10:])
        await self._run(
            "INSERT INTO terminal (id, store_id, code, store_code, channel, active)"
            " VALUES ($1, $2, 't', $3, $4, true)",
            terminal_id,
            store_id,
            self.store_codes[merchant_id],
            store.get("channel", "in_store"),
        )
        self.merchants[merchant_id] = terminal_id
        return merchant_id

    def till(self, merchant_id: UUID) -> Principal:
        """The merchant's terminal as a caller."""
        return Principal("terminal", merchant_id, self.programme_id, terminal_id=self.merchants[merchant_id])

    def holder(self, person_id: UUID) -> Principal:
        """A channel acting for the person."""
        return Principal("channel", new_id(), self.programme_id, person_id=person_id)

    async def code(self, person_id: UUID) -> str:
        """A fresh payment code."""
        return (await make_code(self.ctx, self.holder(person_id), None)).code

    async def spend(self, person_id: UUID, basket_fen: int, **more: Any) -> TillSpend:
        """A till's request with a fresh payment code."""
        return TillSpend(basket_fen=basket_fen, payment_code=await self.code(person_id), **more)

    def at_counter(self, merchant_id: UUID, basket_fen: int, **more: Any) -> StoreSpend:
        """A holder's request with the merchant's store code."""
        return StoreSpend(basket_fen=basket_fen, store_code=self.store_codes[merchant_id], **more)

    async def now(self) -> datetime:
        """Campaign time."""
        async with self.ctx.pool.acquire() as connection:
            return await campaign_now(connection)

    async def row(self, table: str, row_id: UUID) -> dict[str, Any]:
        """A row of a table by its id."""
        async with self.ctx.pool.acquire() as connection:
            return dict(await connection.fetchrow(f"SELECT * FROM {table} WHERE id = $1", row_id))

    async def count(self, table: str) -> int:
        """How many rows a table holds."""
        async with self.ctx.pool.acquire() as connection:
            return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))

    async def close(self, campaign_id: UUID) -> None:
        """Close a campaign whose vouchers are over; escrow goes back by share of what stays spent."""
        async with self.ctx.pool.acquire() as connection, connection.transaction():
            now = await campaign_now(connection)
            escrow = await connection.fetchval(
                "SELECT coalesce(sum(amount_fen) FILTER (WHERE credit_kind = 'escrow'), 0)"
                " - coalesce(sum(amount_fen) FILTER (WHERE debit_kind = 'escrow'), 0)"
                " FROM transfer WHERE campaign_id = $1",
                campaign_id,
            )
            rows = await connection.fetch(
                "SELECT f.share_bp, u.amount_fen FROM funder f JOIN funding u ON u.funder_id = f.id"
                " WHERE f.campaign_id = $1 ORDER BY f.id",
                campaign_id,
            )
            spent_fen = sum(row["amount_fen"] for row in rows) - int(escrow)
            spent = largest_remainder(spent_fen, [row["share_bp"] for row in rows])
            parts = [row["amount_fen"] - part_fen for row, part_fen in zip(rows, spent, strict=True)]
            funders = sorted(self.funder_ids[campaign_id])
            lines = Lines(campaign_id)
            for funder_id, part_fen in zip(funders, parts, strict=True):
                lines.close(campaign_id, self.operator_id, funder_id, part_fen)
            await write_transfers(connection, lines.transfers, now)
            await connection.execute(
                "UPDATE campaign SET state = 'closed', closed_at = $2 WHERE id = $1", campaign_id, now
            )

    async def _run(self, query: str, *args: object) -> None:
        async with self.ctx.pool.acquire() as connection:
            await connection.execute(query, *args)


def asked(principal: Principal, body: object, key: str = "") -> Request:
    """A request of the caller under ``key`` (a fresh one if none is given)."""
    return request(principal.id, key or str(new_id()), "test", body)
