"""Errors of the draw library: each names a stable code and a sentence that says what is wrong."""

from __future__ import annotations


class LotteryError(Exception):
    """Something the caller supplied cannot be used for a draw.

    `code` is stable and meant for programs, `message` is a sentence for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} [{code}]")
        self.code = code
        self.message = message


class LineError(LotteryError):
    """A line of one of the published text files breaks its format; `line` counts from 1."""

    def __init__(self, file: str, line: int, code: str, message: str) -> None:
        super().__init__(code, f"{file}:{line}: {message}")
        self.file = file
        self.line = line


class EntriesError(LineError):
    """A line of `entries.csv` (or an entry about to be written there) breaks its format."""

    def __init__(self, line: int, code: str, message: str) -> None:
        super().__init__("entries.csv", line, code, message)


class DocumentError(LotteryError):
    """A member of a canonical JSON document is wrong; `where` is its path, such as `groups[0].capacity`."""

    def __init__(self, where: str, code: str, message: str) -> None:
        super().__init__(code, f"{where}: {message}" if where else message)
        self.where = where


class RulesError(DocumentError):
    """`rules.json` is malformed, or its rules contradict themselves."""


class CommitmentError(DocumentError):
    """`commit.json` is malformed, or what it fixes is not allowed."""


class ResultError(DocumentError):
    """`result.json` is malformed."""


class TranscriptError(LotteryError):
    """`seed-rN.txt` is malformed or does not follow from the commitment."""


class SplitError(LotteryError):
    """The parameters of a random split cannot be met."""


class SeedError(LotteryError):
    """A seed is not 64 lower-case hexadecimal characters."""
