"""Several writes in one round trip: each becomes a common table expression of one statement.

All of them see the same snapshot and none sees what another writes, so they must be of different rows; their order
is PostgreSQL's own.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from campaigns.store.pool import Connection

_PARAMETER = re.compile(r"\$(\d+)")


class Statement(NamedTuple):
    """An INSERT or UPDATE that returns nothing, with its arguments ``$1`` and on."""

    query: str
    arguments: Sequence[object]


async def run_together(connection: Connection, statements: Sequence[Statement]) -> None:
    """Run the statements as one; none is nothing."""
    if not statements:
        return
    parts, arguments = [], list[object]()
    for one in statements:
        parts.append(_shifted(one.query, len(arguments)))
        arguments += one.arguments
    *before, last = parts
    named = ", ".join(f"w{number} AS ({part})" for number, part in enumerate(before))
    await connection.execute(f"WITH {named} {last}" if before else last, *arguments)


def _shifted(query: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", query)
