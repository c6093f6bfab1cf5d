"""Print the constraints, triggers and unique indexes of a migrated database: the list in tests/store/constraints.txt.

Run after a change of the schema: ``python -m tests.support.constraints > tests/store/constraints.txt``.
"""

import asyncio
import tempfile
from pathlib import Path

import asyncpg

from campaigns.runtime.engines import connect_engines
from campaigns.runtime.engines.clean import clean
from campaigns.store.migrate import migrate
from tests.engines_fixture import engine_settings

QUERY = """
SELECT format('%s %s: %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE n.nspname = 'public' AND c.contype <> 'n' AND c.conrelid <> 0
UNION ALL
SELECT format('%s: %s', t.tgrelid::regclass, pg_get_triggerdef(t.oid)) FROM pg_trigger t WHERE NOT t.tgisinternal
UNION ALL
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE 'CREATE UNIQUE%'
"""


async def lines(connection: asyncpg.Connection) -> list[str]:
    """The list, sorted."""
    return sorted(row[0] for row in await connection.fetch(QUERY))


async def _print() -> None:
    with tempfile.TemporaryDirectory(prefix="hongbao-schema-") as directory:
        data = Path(directory) / "data"
        engines = await connect_engines(engine_settings(data))
        try:
            await migrate(engines.owner_dsn, "test")
            connection = await asyncpg.connect(engines.owner_dsn)
            print("\n".join(await lines(connection)))
            await connection.close()
        finally:
            engines.close(wait=True)
            clean(data)


if __name__ == "__main__":
    asyncio.run(_print())
