"""Several writes in one round trip: each becomes a common table expression of one statement.

All of them see the same snapshot and none sees what another writes, so they must be of different rows; their order
is PostgreSQL's own.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from campaigns.store.pool import Connection

REMEMBERED: Final = 128  # combinations of statements
_PARAMETER = re.compile(r"\$(\d+)")


class Statement(NamedTuple):
    """An INSERT or UPDATE that returns nothing, with its arguments ``$1`` and on, and how many rows it must write."""

    query: str
    arguments: Sequence[object]
    rows: int


def rows_text(rows: Sequence[Struct]) -> str:
    """Rows as the argument of ``json_to_recordset``.

    As one text they cost the application a third of what an array per column costs.
    """
    return msgspec.json.encode(rows).decode()


def of_rows(rows: Sequence[Struct], query: str, *also: object) -> list[Statement]:
    """A statement over ``json_to_recordset($1)`` of the rows by their fields' names; ``also`` are ``$2`` and on.

    No rows need no statement.
    """
    return [Statement(query, (rows_text(rows), *also), len(rows))] if rows else []


async def run_together(connection: Connection, statements: Sequence[Statement]) -> None:
    """Run the statements as one; none is nothing. Each must write as many rows as it says."""
    if not statements:
        return
    query = _together(tuple((one.query, len(one.arguments)) for one in statements))
    arguments = chain.from_iterable(one.arguments for one in statements)
    written = tuple(await connection.fetchrow(query, *arguments))
    assert written == tuple(one.rows for one in statements), "a row to write is not there"


@lru_cache(maxsize=REMEMBERED)
def _together(statements: tuple[tuple[str, int], ...]) -> str:
    parts, shift = [], 0
    for number, (query, arguments) in enumerate(statements):
        parts.append(f"w{number} AS ({_shifted(query, shift)} RETURNING 1)")
        shift += arguments
    counts = ", ".join(f"(SELECT count(*) FROM w{number})" for number in range(len(parts)))
    return f"WITH {', '.join(parts)} SELECT {counts}"


def _shifted(query: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", query)
