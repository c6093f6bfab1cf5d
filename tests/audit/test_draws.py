"""Draws in an incremental audit: a new one is drawn again, an older one's new awards follow its ranking."""

from collections.abc import AsyncIterator
from itertools import count

import asyncpg
import pytest

from campaigns.runtime.engines import Databases, Engines
from campaigns.services.auditing import AuditResult, audit
from campaigns.services.context import Context
from tests.support.draw_world import DrawWorld, open_draw

ONE = "(SELECT id FROM award WHERE campaign_id = $1 ORDER BY rank LIMIT 1)"


_numbers = count(1)


@pytest.fixture
async def database(engines: Engines, template: str) -> AsyncIterator[Databases]:
    """An empty one: a draw's days pass, and they do not while a hold is open."""
    name = f"hongbao_audit_draws_{next(_numbers)}"
    databases = await engines.create_database(name, template=template)
    yield databases
    await engines.drop_database(name)


async def awarded(ctx: Context) -> DrawWorld:
    assert (await audit(ctx)).violations == 0
    draw = await open_draw(ctx)
    await draw.enter(await draw.people(20), ticked=10)
    await draw.award()
    return draw


def found(result: AuditResult) -> list[tuple[str, str]]:
    return [(one.check, one.campaign_id) for one in result.findings]


async def test_a_draw_since_the_mark_is_drawn_again(ctx: Context, owner: asyncpg.Connection) -> None:
    draw = await awarded(ctx)
    await owner.execute(
        "UPDATE draw_file SET content = content || '\\x0a' WHERE name = 'entries.csv'"
        " AND draw_id = (SELECT id FROM draw WHERE campaign_id = $1)",
        draw.campaign_id,
    )
    result = await audit(ctx, since_last=True)
    assert not result.whole
    assert set(found(result)) == {("draw_again", str(draw.campaign_id))}


async def test_of_a_draw_below_the_mark_new_awards_are_held_against_the_ranking(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    draw = await awarded(ctx)
    part = await audit(ctx, since_last=True)
    assert (part.whole, part.violations) == (False, 0), part.findings
    await owner.execute(f"UPDATE award SET rank = rank + 1 WHERE id = {ONE}", draw.campaign_id)
    assert (await audit(ctx, since_last=True)).violations == 0, "no award since: the night's audit reads it"
    await owner.execute(f"UPDATE award SET tx = row_tx() WHERE id = {ONE}", draw.campaign_id)
    result = await audit(ctx, since_last=True)
    assert not result.whole
    assert found(result) == [("draw_again", str(draw.campaign_id))]
    assert found(await audit(ctx)) == [("draw_again", str(draw.campaign_id))]
