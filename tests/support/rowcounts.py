"""How many rows every table has: what a refused request must leave as it was."""

import asyncpg

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


async def all_row_counts(conn: asyncpg.Connection) -> dict[str, int]:
    """Rows of every table of the service, by table."""
    tables = [row[0] for row in await conn.fetch(_TABLES)]
    counts = " UNION ALL ".join(
        f"SELECT '{table}' AS name, count(*) AS rows FROM \"{table}\"" for table in tables
    )
    return {row["name"]: row["rows"] for row in await conn.fetch(counts)}
