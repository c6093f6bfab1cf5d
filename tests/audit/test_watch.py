"""The audit that nobody asks for: a part each round, everything once a night, and what happens when it finds something."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from campaigns.domain.errors import TryAgain
from campaigns.runtime.workers import service_loops
from campaigns.services import audit_watch
from campaigns.services.audit_watch import VIOLATED, WHOLE, Watch, watch
from campaigns.services.context import Context
from campaigns.services.seals import seal_rows
from campaigns.store.audit_session import audit_connections
from tests.audit.faults import UNLOCK
from tests.engines_fixture import engine_settings

LOGGED = "SELECT action, programme_id, facts::text FROM audit WHERE action = ANY ($1::text[]) ORDER BY id"
AGE = "INSERT INTO audit (at, real_at, programme_id, actor_kind, actor_id, action, facts) SELECT now(), $1, id, 'system', id, $2, '{}' FROM programme"
NEWEST = "(SELECT id FROM payment WHERE state = 'captured' ORDER BY id DESC LIMIT 1)"


async def logged(owner: asyncpg.Connection) -> list[str]:
    return [row["action"] for row in await owner.fetch(LOGGED, [WHOLE, VIOLATED, "campaign.suspend"])]


async def audited_at(owner: asyncpg.Connection, hours_after_quiet: float) -> None:
    """Write that everything was audited so long after the quiet hour last began in the campaigns' zone."""
    began = await owner.fetchval(
        "SELECT (date_trunc('day', clock_timestamp() AT TIME ZONE 'Asia/Shanghai' - make_interval(hours => $1))"
        " + make_interval(hours => $1)) AT TIME ZONE 'Asia/Shanghai'",
        audit_watch.QUIET_HOUR,
    )
    await owner.execute(AGE, began + timedelta(hours=hours_after_quiet), WHOLE)


@pytest.fixture(autouse=True)
async def mark_is_old(owner: asyncpg.Connection) -> None:
    """The template's mark was made long enough ago for another round."""
    await owner.execute("ALTER TABLE audit_mark DISABLE TRIGGER USER")
    await owner.execute("UPDATE audit_mark SET at = at - interval '1 hour'")


async def test_everything_is_audited_where_it_never_was_and_then_a_part(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    first = await watch(ctx)
    assert first is not None and first.whole and first.violations == 0
    assert await logged(owner) == [WHOLE]
    assert await watch(ctx) is None  # another round, of whichever process, left its mark just now
    await owner.execute("UPDATE audit_mark SET at = at - interval '1 hour'")
    second = await watch(ctx)
    assert second is not None and not second.whole
    assert await logged(owner) == [WHOLE]


async def test_everything_is_audited_once_a_night(ctx: Context, owner: asyncpg.Connection) -> None:
    await audited_at(owner, 0)
    result = await watch(ctx)
    assert result is not None and not result.whole


async def test_the_night_before_last_is_long_ago(ctx: Context, owner: asyncpg.Connection) -> None:
    await audited_at(owner, -49)
    result = await watch(ctx)
    assert result is not None and result.whole


async def test_a_violation_suspends_its_campaign_alone_and_is_logged_once(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    await audited_at(owner, 0)
    await owner.execute(UNLOCK)
    await owner.execute(
        f"UPDATE transfer SET amount_fen = amount_fen + 1 WHERE kind = 'redeem' AND cause_id = {NEWEST}"
    )
    broken = await owner.fetchval(f"SELECT campaign_id FROM payment_line WHERE payment_id = {NEWEST} LIMIT 1")
    for _ in range(2):
        found = await watch(ctx)
        assert found is not None and found.whole, "a part that shows something is followed by everything"
        assert {one.campaign_id for one in found.findings} == {str(broken)}
    states = await owner.fetch("SELECT id, state FROM campaign")
    assert {row["id"] for row in states if row["state"] == "suspended"} == {broken}
    assert sorted(await logged(owner)) == sorted([WHOLE, "campaign.suspend", VIOLATED, WHOLE, WHOLE])
    facts = await owner.fetchval("SELECT facts::text FROM audit WHERE action = $1", VIOLATED)
    assert "payment_in_books 1" in facts and str(await owner.fetchval(f"SELECT {NEWEST}")) in facts
    assert await owner.fetchval("SELECT count(*) FROM audit_mark") == 1


async def test_a_row_of_an_unknown_campaign_suspends_none_and_is_logged(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    await owner.execute(UNLOCK)
    await owner.execute(
        "INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind,"
        " credit_id, amount_fen, at) SELECT i, 'grant', 1, i, i, 'escrow', i, 'outstanding', i, 5, now()"
        " FROM gen_random_uuid() AS i"
    )
    found = await watch(ctx)
    assert found is not None and found.violations
    assert await logged(owner) == [VIOLATED, WHOLE]


async def test_an_edited_row_below_the_mark_is_found_by_its_seal_at_night(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    assert await seal_rows(ctx) > 0
    await owner.execute(UNLOCK)
    await owner.execute(
        "UPDATE transfer SET at = at + interval '1 second' WHERE seq = (SELECT min(seq) FROM transfer)"
    )
    found = await watch(ctx)
    assert found is not None and found.whole
    assert [(one.invariant, one.check) for one in found.findings] == [(9, "seals")]


async def test_two_processes_do_not_audit_at_once(ctx: Context) -> None:
    async with audit_connections(ctx.pool, alone=True):
        with pytest.raises(TryAgain):
            await watch(ctx)


async def test_a_process_that_has_just_started_looks_on(ctx: Context, owner: asyncpg.Connection) -> None:
    rounds = Watch()
    assert await rounds(ctx) is None
    assert await logged(owner) == []
    result = await rounds(ctx)
    assert result is not None and result.whole


def test_the_service_runs_it(tmp_path: object) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    [loop] = [loop for loop in service_loops(engine_settings(tmp_path)) if loop.name == "audit"]
    assert loop.seconds == audit_watch.WATCH_SECONDS and isinstance(loop.step, Watch)


def test_a_campaign_id_is_read_from_a_finding() -> None:
    assert audit_watch._campaign_of(finding(None)) is None and audit_watch._campaign_of(finding("x")) is None
    assert audit_watch._campaign_of(finding(str(UUID(int=5)))) == UUID(int=5)


def finding(campaign_id: str | None) -> audit_watch.Finding:
    return audit_watch.Finding(
        invariant=5, check="c", campaign_id=campaign_id, subject="s", id="i", expected="e", found="f"
    )
