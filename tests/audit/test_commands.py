"""`hongbao audit` and `GET /v1/audit`, of everything and of what was written since."""

import asyncio
from uuid import UUID

import asyncpg
import msgspec
from click.testing import CliRunner, Result

from api.cli.audit import audit_command
from campaigns.domain.principal import Principal
from campaigns.services.audit_runs import AuditQuery, audit_now
from campaigns.services.context import Context
from tests.audit.faults import UNLOCK

CHANGE = """
UPDATE transfer SET amount_fen = amount_fen + 1
WHERE kind = 'redeem' AND cause_id = (SELECT id FROM payment WHERE state = 'captured' ORDER BY id DESC LIMIT 1)
"""


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, audit_command, [*arguments])


async def test_the_command_proves_a_part_or_everything_and_says_which(
    environment: None, owner: asyncpg.Connection
) -> None:
    part, whole = await run("--since-last", "--language", "en"), await run("--language", "zh")
    assert part.exit_code == whole.exit_code == 0, (part.output, whole.output)
    assert "checks (since the last audit), 0 violations" in part.output
    assert "项检查（全部账目），0 处不符" in whole.output


async def test_a_part_that_shows_something_is_followed_by_everything(
    environment: None, owner: asyncpg.Connection
) -> None:
    await owner.execute(UNLOCK)
    await owner.execute(CHANGE)
    result = await run("--since-last", "--json")
    assert result.exit_code == 1
    said = msgspec.json.decode(result.output)
    assert said["whole"] and said["violations"] == len(said["findings"])
    assert {"payment_in_books", "accounts_against_rows"} <= {one["check"] for one in said["findings"]}


async def test_over_http_a_part_is_proved_unless_everything_is_asked_for(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    programme_id = await owner.fetchval("SELECT id FROM programme")
    auditor = Principal("auditor", programme_id, programme_id, scopes=frozenset({"audit.read"}))
    part = await audit_now(ctx, auditor, AuditQuery())
    whole = await audit_now(ctx, auditor, AuditQuery(extent="everything"))
    assert (part.whole, part.violations) == (False, 0)
    assert (whole.whole, whole.violations) == (True, 0)
    assert await owner.fetchval("SELECT count(*) FROM audit_mark") == 1, (
        "one programme's audit proves no mark"
    )
    await owner.execute(UNLOCK)
    await owner.execute(CHANGE)
    found = await audit_now(ctx, auditor, AuditQuery())
    assert not found.whole and found.violations
    stranger = Principal("auditor", programme_id, UUID(int=7), scopes=auditor.scopes)
    assert (await audit_now(ctx, stranger, AuditQuery())).violations == 0
