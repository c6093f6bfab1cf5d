"""What races share: ends by name, the audit's findings, and a database whose tables keep nothing."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import asyncpg

from campaigns.domain.errors import HongbaoError
from campaigns.services.auditing import audit
from campaigns.services.context import Context

CAPS = (15, "counter_of_its_payments")

_GUARDS = """
SELECT conname::text AS name, format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname) AS drop
FROM pg_constraint WHERE conrelid = ANY($1::text[]::regclass[]) AND contype IN ('c', 'p', 'u')
UNION ALL
SELECT c.relname, format('DROP INDEX %s', i.indexrelid::regclass)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY($1::text[]::regclass[]) AND i.indisunique
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND conrelid = i.indrelid)
UNION ALL
SELECT tgname, format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)
FROM pg_trigger WHERE tgrelid = ANY($1::text[]::regclass[]) AND NOT tgisinternal
"""


def tally(ends: Iterable[Any]) -> Counter[str]:
    """How many requests ended in which state or with which code. An error that is no answer is raised."""
    found: Counter[str] = Counter()
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, HongbaoError):
            raise end
        found[str(end.code if isinstance(end, HongbaoError) else getattr(end, "state", "done"))] += 1
    return found


async def findings(ctx: Context) -> set[tuple[int, str]]:
    """What the invariant audit finds, as (invariant, check)."""
    return {(one.invariant, one.check) for one in (await audit(ctx)).findings}


async def disarm(owner: asyncpg.Connection, *tables: str) -> set[str]:
    """Drop every key, unique index, check and trigger of these tables; answers their names."""
    rows = await owner.fetch(_GUARDS, list(tables))
    for row in rows:
        await owner.execute(row["drop"])
    return {row["name"] for row in rows}
