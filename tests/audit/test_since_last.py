"""The incremental audit against the audit of everything: what was written since the mark, and what that touched."""

import random

import asyncpg
import pytest

from campaigns.services.auditing import AuditResult, audit
from campaigns.services.context import Context
from tests.audit.faults import FAULTS, Fault, plant

RANDOM_WORLDS = 8
WHOLE_ONLY = {"counter_of_its_payments", "audit_mark"}


def named(result: AuditResult) -> set[tuple[str, str]]:
    """Checks and rows of the findings that both kinds of audit look for."""
    return {(one.check, one.id) for one in result.findings if one.check not in WHOLE_ONLY}


async def test_a_sound_world_has_no_finding_and_leaves_a_mark(
    ctx: Context, owner: asyncpg.Connection
) -> None:
    for whole in (False, True, False):
        result = await audit(ctx, since_last=not whole)
        assert (result.violations, result.findings, result.whole) == (0, (), whole)
    marks = await owner.fetch("SELECT number, whole FROM audit_mark ORDER BY number")
    # the third found nothing written since the second, and so left none
    assert [tuple(mark) for mark in marks] == [(1, True), (2, False), (3, True)]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.change[:90] for fault in FAULTS])
async def test_a_fault_is_found_by_both(ctx: Context, owner: asyncpg.Connection, fault: Fault) -> None:
    await plant(owner, fault)
    since = await audit(ctx, since_last=True)
    whole = await audit(ctx)
    assert not since.whole and whole.whole
    assert fault.named <= {one.check for one in whole.findings}
    assert named(since) == named(whole) if fault.new and fault.exact else named(since) <= named(whole)
    assert fault.named & {one.check for one in since.findings} or not fault.new
    assert await owner.fetchval("SELECT count(*) FROM audit_mark") == (2 if not since.violations else 1)


@pytest.mark.parametrize("seed", range(RANDOM_WORLDS))
async def test_any_faults_of_the_new_part_are_found(
    ctx: Context, owner: asyncpg.Connection, seed: int
) -> None:
    dice = random.Random(seed)
    planted = []
    for fault in dice.sample([fault for fault in FAULTS if fault.new], dice.randint(2, 4)):
        try:
            await plant(owner, fault)
        except (AssertionError, asyncpg.IntegrityConstraintViolationError):
            continue  # an earlier fault took its row away
        planted.append(fault)
    since, whole = await audit(ctx, since_last=True), await audit(ctx)
    assert since.violations and named(since) <= named(whole)
    if all(fault.exact for fault in planted):
        assert named(since) == named(whole)
