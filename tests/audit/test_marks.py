"""Marks say what was proved: a wrong one is seen, and what was open when one was made is proved by the next."""

import asyncpg
import pytest

from campaigns.runtime.engines import Databases
from campaigns.services.auditing import AuditResult, audit
from campaigns.services.context import Context
from campaigns.services.seals import seal_rows
from campaigns.store import audit_marks, audit_touched
from campaigns.store.audit_flows import Flow
from tests.audit.faults import UNLOCK

OTHER_KEY = bytes(32)
OLD_PAYMENT = "(SELECT cause_id FROM transfer WHERE kind = 'redeem' ORDER BY seq LIMIT 1)"


def checks(result: AuditResult) -> set[str]:
    return {one.check for one in result.findings}


def again(mark: audit_marks.Mark) -> audit_marks.Proved:
    """The same words for another mark."""
    return audit_marks.Proved(*mark[1:])


async def rewrite_mark(owner: asyncpg.Connection, change: str) -> None:
    await owner.execute("ALTER TABLE audit_mark DISABLE TRIGGER USER")
    await owner.execute(f"UPDATE audit_mark SET {change} WHERE number = (SELECT max(number) FROM audit_mark)")


async def test_marks_are_never_rewritten(owner: asyncpg.Connection) -> None:
    for change in ("UPDATE audit_mark SET whole = false", "DELETE FROM audit_mark", "TRUNCATE audit_mark"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await owner.execute(change)


async def test_a_payment_of_a_transaction_open_at_the_mark_is_proved_later(
    ctx: Context, owner: asyncpg.Connection, database: Databases
) -> None:
    await owner.execute(UNLOCK)
    late = await asyncpg.connect(database.owner.dsn)
    try:
        await late.execute("BEGIN")
        await late.execute(
            f"UPDATE transfer SET amount_fen = amount_fen + 1, tx = row_tx() WHERE cause_id = {OLD_PAYMENT}"
        )
        later = await owner.fetchval(
            "SELECT row_tx()::text"
        )  # a transaction that began after it has ended already
        assert (await audit(ctx)).violations == 0
        upto = await owner.fetchval("SELECT upto_tx::text FROM audit_mark ORDER BY number DESC LIMIT 1")
        assert int(upto) < int(later)
        await late.execute("COMMIT")
    finally:
        await late.close()
    found = await audit(ctx, since_last=True)
    assert not found.whole
    assert {"payment_in_books", "accounts_against_rows"} <= checks(found)


async def test_a_rewritten_mark_hides_nothing(ctx: Context, owner: asyncpg.Connection) -> None:
    await owner.execute(UNLOCK)
    await owner.execute(f"DELETE FROM transfer WHERE cause_id = {OLD_PAYMENT}")
    await rewrite_mark(owner, "upto_tx = row_tx()")
    found = await audit(ctx, since_last=True)
    assert found.whole
    assert {"payment_in_books", "accounts_against_rows", "audit_mark"} <= checks(found)


async def test_a_mark_of_another_key_is_not_believed(ctx: Context, owner: asyncpg.Connection) -> None:
    mark = await audit_marks.last_mark(owner, ctx.hmac_key)
    assert mark is not None
    assert await audit_marks.write_mark(owner, OTHER_KEY, again(mark))
    found = await audit(ctx, since_last=True)
    assert found.whole and checks(found) == {"audit_mark"}


async def test_a_mark_with_wrong_sums_is_named_by_the_audit_of_everything(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    """As a bug of ours would write it: both sums too high, so that no account disagrees with another."""
    mark = await audit_marks.last_mark(owner, ctx.hmac_key)
    assert mark is not None
    wrong = dict(mark.flows)
    bent = next(flow for flow in wrong if flow.kind == "redeem")
    wrong[bent] += 5
    assert await audit_marks.write_mark(owner, ctx.hmac_key, again(mark)._replace(flows=wrong))
    assert "accounts_against_rows" in checks(await audit(ctx, since_last=True))
    assert checks(await audit(ctx)) == {"audit_mark"}


async def test_a_mark_taken_out_of_the_row_is_missed(ctx: Context, owner: asyncpg.Connection) -> None:
    for _ in range(3):
        mark = await audit_marks.last_mark(owner, ctx.hmac_key)
        assert mark is not None
        assert await audit_marks.write_mark(
            owner, ctx.hmac_key, again(mark)._replace(upto_tx=mark.upto_tx + 1, whole=False)
        )
    await owner.execute("ALTER TABLE audit_mark DISABLE TRIGGER USER")
    await owner.execute("DELETE FROM audit_mark WHERE number = 3")
    assert await audit_marks.wrong_marks(owner, ctx.hmac_key) == [4]


async def test_seals_made_again_over_an_edited_row_are_named_by_the_audit_of_everything(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    """Every row lies in its block and every block follows the one before: only the mark has seen another head."""
    await seal_rows(ctx)
    assert (await audit(ctx)).violations == 0
    await owner.execute(UNLOCK)
    for table in ("seal_block", "seal_list"):
        await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER; DELETE FROM {table}")
    await owner.execute("UPDATE transfer SET at = at + interval '1 second' WHERE kind = 'fund'")
    await seal_rows(ctx)
    found = await audit(ctx)
    assert found.whole
    assert {one.campaign_id for one in found.findings} == {None}
    assert {(one.check, one.subject, one.found) for one in found.findings} == {
        ("seals", "seal block", "another head")
    }


async def test_without_a_mark_or_after_very_much_the_whole_is_read(
    ctx: Context, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_touched, "MOST_TOUCHED", 10)
    assert (await audit(ctx, since_last=True)).whole
    await owner.execute("ALTER TABLE audit_mark DISABLE TRIGGER USER")
    await owner.execute("DELETE FROM audit_mark")
    monkeypatch.undo()
    assert (await audit(ctx, since_last=True)).whole


async def test_the_sums_of_a_mark_are_those_of_the_rows_below_it(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    await audit(ctx, since_last=True)
    mark = await audit_marks.last_mark(owner, ctx.hmac_key)
    assert mark is not None and mark.number == 2 and not mark.whole
    rows = await owner.fetch(
        "SELECT campaign_id, kind::text, sum(amount_fen) AS fen FROM transfer WHERE tx < $1::text::xid8 GROUP BY 1, 2",
        str(mark.upto_tx),
    )

    def of(flow: Flow) -> tuple[object, str]:
        return flow.campaign_id, flow.kind

    sums: dict[tuple[object, str], int] = {}
    for flow, amount_fen in mark.flows.items():
        sums[of(flow)] = sums.get(of(flow), 0) + amount_fen
    assert sums == {(row["campaign_id"], row["kind"]): row["fen"] for row in rows}
