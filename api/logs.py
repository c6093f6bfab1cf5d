"""Structured logs: one JSON line per event on standard error, without personal data.

Never logged: bodies, queries, keys, names, numbers, the person a channel acts for, addresses with ids filled in,
and the texts of exceptions (a database error quotes values). An incident carries types and places in the code.
"""

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, BinaryIO

import msgspec
import structlog

LIBRARIES = (
    "sanic.root",
    "sanic.error",
    "sanic.access",
    "sanic.server",
    "sanic.websockets",
    "asyncio",
    "asyncpg",
    "campaigns",
)
MOST_FRAMES = 12

Log = Any  # structlog's bound logger


def make_log(stream: BinaryIO | None = None, level: str = "info") -> Log:
    """A logger that writes JSON lines to ``stream`` (standard error)."""
    return structlog.wrap_logger(
        structlog.BytesLogger(stream or sys.stderr.buffer),
        processors=[_line],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        cache_logger_on_first_use=True,
    )


def _line(_logger: Log, level: str, event: dict[str, Any]) -> bytes:
    return msgspec.json.encode(event | {"level": level, "at": datetime.now(UTC)}, enc_hook=str)


def where(error: BaseException) -> dict[str, object]:
    """An error as it may be logged: its type, its cause's, its SQL state, and the frames it came through."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    places = [f"{frame.filename.rsplit('/', 3)[-1]}:{frame.lineno}:{frame.name}" for frame in frames]
    facts: dict[str, object] = {"error": type(error).__qualname__, "frames": places}
    for name in ("sqlstate", "constraint_name", "table_name"):
        value = getattr(error, name, None)
        if value is not None:
            facts[name] = value
    if isinstance(error, AssertionError):
        facts["assertion"] = str(error)  # our own words
    cause = error.__cause__ or error.__context__
    if cause is not None:
        facts["cause"] = type(cause).__qualname__
    return facts


class _Libraries(logging.Handler):
    """Hands on what libraries say, without their words: Sanic quotes whole addresses."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        facts: dict[str, object] = {"logger": record.name, "place": f"{record.module}:{record.lineno}"}
        if record.exc_info and record.exc_info[1] is not None:
            facts.update(where(record.exc_info[1]))
        self._log.warning("library", **facts)


def tame_libraries(log: Log) -> None:
    """Send what libraries and our own rooms log to ``log``, stripped; nothing of it reaches standard error itself."""
    for name in LIBRARIES:
        logger = logging.getLogger(name)
        logger.handlers = [_Libraries(log)]
        logger.propagate = False
        logger.setLevel(logging.WARNING)
