"""A server process with a defect put in from outside, `early` or `forgetful`: the suite must find it by a broken promise.

``early`` says yes though COMMIT never came through; ``forgetful`` neither stores an answer under its key nor looks one up.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from asyncpg.transaction import Transaction

import api.exchange
from api.server import main
from campaigns.store import group_batch, unit_of_work
from tests.crash.quick_server import RESPONSE_SECONDS

EARLY, FORGETFUL = "early", "forgetful"


def early() -> None:
    """COMMIT's failure is not looked at."""
    leave = Transaction.__aexit__

    async def leave_unseen(self: Transaction, kind: Any, error: Any, trace: Any) -> None:
        lost = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError) if kind is None else ()
        with suppress(*lost):
            await leave(self, kind, error, trace)

    Transaction.__aexit__ = leave_unseen


def forgetful() -> None:
    """No request key is known."""

    async def nothing(connection: object, asked: Sequence[object]) -> dict[Any, Any]:
        return {}

    async def unstored(connection: object, answered: Sequence[object]) -> bool:
        return True

    for module in (unit_of_work, group_batch):
        setattr(module, "stored_answers", nothing)  # noqa: B010 - for types it is no part of the module
        setattr(module, "store_answers", unstored)  # noqa: B010


if __name__ == "__main__":
    {EARLY: early, FORGETFUL: forgetful}[sys.argv[1]]()
    api.exchange.RESPONSE_SECONDS = RESPONSE_SECONDS
    sys.exit(main(sys.argv[2:]))
