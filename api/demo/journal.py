"""The client's own log: what it is about to send, and what it was answered. JSON lines, appended and flushed one by one.

It survives a kill of the demonstration (the kernel keeps what was written) and, from slot to slot, of the machine.
A request whose answer is not in the log has an unknown outcome and is repeated with the same key and body.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import msgspec
from msgspec import Struct


class Intent(Struct, frozen=True, kw_only=True, tag="intent", tag_field="what"):
    """``op`` is about to be sent for the ``number``-th time under ``key``, with this payment ``code``."""

    op: str
    number: int
    key: str
    code: str = ""


class Answer(Struct, frozen=True, kw_only=True, tag="answer", tag_field="what"):
    """``op`` was answered. ``status`` 2xx is a success: ``payment`` and ``amount_fen`` as told, ``refund`` its id.

    A refusal has its ``code``; it is ``final`` unless a fresh payment code may help.
    """

    op: str
    number: int
    key: str
    status: int
    kind: str
    entry: str
    payment: str = ""
    refund: str = ""
    amount_fen: int = 0
    code: str = ""
    final: bool = True

    @property
    def done(self) -> bool:
        return self.status < 300


_LINES = msgspec.json.Decoder(Intent | Answer)


class Journal:
    """The open log. ``answers`` holds the final answer of each op, ``intents`` the last one sent."""

    def __init__(self, path: Path) -> None:
        self.answers: dict[str, Answer] = {}
        self.intents: dict[str, Intent] = {}
        self.tries: dict[str, int] = {}
        size = 0
        if path.exists():
            for line, end in _whole_lines(path):
                self._take(_LINES.decode(line))
                size = end
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._file, size)  # a line that a kill cut off was never acted on

    def write(self, record: Intent | Answer) -> None:
        """Append and flush to the kernel."""
        self._take(record)
        os.write(self._file, msgspec.json.encode(record) + b"\n")

    def sync(self) -> None:
        """Bring what was written to the disk."""
        os.fsync(self._file)

    def _take(self, record: Intent | Answer) -> None:
        if isinstance(record, Intent):
            self.intents[record.op] = record
            self.tries[record.op] = max(self.tries.get(record.op, 0), record.number)
        elif record.final:
            self.answers[record.op] = record
        else:
            self.intents.pop(record.op, None)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)


def _whole_lines(path: Path) -> Iterator[tuple[bytes, int]]:
    end = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            end += len(line)
            yield line, end
