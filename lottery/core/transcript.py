"""`seed-rN.txt`: the transcript of a draw's randomness, whose sha256 is the seed.

One line per source in the order that the commitment fixed; the last line, from round 2 on, digests the winners of
earlier rounds, who take no part again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lottery.core.commitment import Commitment
from lottery.core.errors import TranscriptError
from lottery.core.rules import ROUNDS_MAX
from lottery.core.seed import HEX_64
from lottery.core.sources import (
    BEACON_KINDS,
    KINDS,
    MISSING,
    OFFICE_SECRET_BYTES,
    Kind,
    Source,
    check_value,
    office_secret_digest,
)

VERSION_LINE = "lottery-seed/1"
TRANSCRIPT_BYTES_MAX = 16 * 1024

_SOURCE_LINE = re.compile(r"source\.([0-9]{2})\.([a-z]+)=(.*)", re.ASCII)
_DRAW = re.compile(r"[A-Za-z0-9_.:/-]{1,80}", re.ASCII)
_ROUND = re.compile(r"[1-9][0-9]?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript taken apart; `exclude` is empty in round 1."""

    draw: str
    round: int
    commit_sha256: str
    sources: tuple[tuple[Kind, str], ...]
    exclude: str = ""


def exclude_digest(entry_ids: Iterable[str]) -> str:
    """The `exclude=` of a later round: sha256 over the lines `entry_id` LF of all earlier winners, ascending."""
    return hashlib.sha256(
        "".join(f"{entry_id}\n" for entry_id in sorted(entry_ids)).encode("ascii")
    ).hexdigest()


def build_transcript(
    commitment: Commitment, commit_sha256: str, values: Mapping[str, str], exclude: str = ""
) -> bytes:
    """The bytes of `seed-rN.txt` for the values that the sources gave, by kind (`missing` where one is missing).

    Raises TranscriptError when a value is absent, malformed, of another spec, `missing` without leave, or does not
    match the office's commitment.
    """
    kinds = [source.kind for source in commitment.sources]
    for kind in values:
        if kind not in kinds:
            raise TranscriptError("unknown_source", f"the commitment names no source {kind!r}")
    for kind in kinds:
        if kind not in values:
            raise TranscriptError("value_absent", f"no value for the source {kind}")
        # Before the lines are put together: a line feed in a value would forge a line.
        problem = check_value(kind, values[kind])
        if problem:
            raise TranscriptError("source_value", f"source {kind}: {problem}")
    transcript = Transcript(
        draw=commitment.draw,
        round=commitment.round,
        commit_sha256=commit_sha256,
        sources=tuple((kind, values[kind]) for kind in kinds),
        exclude=exclude,
    )
    data = format_transcript(transcript)
    check_transcript(parse_transcript(data), commitment, commit_sha256)
    return data


def format_transcript(transcript: Transcript) -> bytes:
    """The bytes of a transcript."""
    lines = [
        VERSION_LINE,
        f"draw={transcript.draw}",
        f"round={transcript.round}",
        f"commit={transcript.commit_sha256}",
        *(f"source.{number:02}.{kind}={value}" for number, (kind, value) in enumerate(transcript.sources, 1)),
    ]
    if transcript.exclude:
        lines.append(f"exclude={transcript.exclude}")
    try:
        return "".join(line + "\n" for line in lines).encode("ascii")
    except UnicodeEncodeError as error:
        raise TranscriptError("ascii", "a value holds a character outside ASCII") from error


def parse_transcript(data: bytes) -> Transcript:
    """Take a transcript apart; raises TranscriptError unless it is byte for byte what we would write."""
    if len(data) > TRANSCRIPT_BYTES_MAX:
        raise TranscriptError("too_large", f"more than {TRANSCRIPT_BYTES_MAX} bytes")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise TranscriptError("ascii", "a character outside ASCII") from error
    lines = text.split("\n")
    if lines.pop() != "":
        raise TranscriptError("no_final_newline", "the transcript does not end with LF")
    if not lines or lines.pop(0) != VERSION_LINE:
        raise TranscriptError("version", f"the first line must be {VERSION_LINE}")
    draw = _take(lines, "draw", _DRAW)
    round_number = int(_take(lines, "round", _ROUND))
    commit = _take(lines, "commit", HEX_64)
    exclude = ""
    if lines and lines[-1].startswith("exclude="):
        exclude = _take(lines[-1:], "exclude", HEX_64)
        lines.pop()
    sources = tuple(_source(number, line) for number, line in enumerate(lines, 1))
    transcript = Transcript(draw, round_number, commit, sources, exclude)
    _check_shape(transcript)
    if format_transcript(transcript) != data:
        raise TranscriptError("form", "the transcript is not in the form the format prescribes")
    return transcript


def check_transcript(transcript: Transcript, commitment: Commitment, commit_sha256: str) -> None:
    """Raise TranscriptError unless the transcript follows from the commitment whose bytes have this digest."""
    if transcript.draw != commitment.draw:
        raise TranscriptError("draw_differs", "another draw than the commitment's")
    if transcript.round != commitment.round:
        raise TranscriptError("round_differs", "another round than the commitment's")
    if transcript.commit_sha256 != commit_sha256:
        raise TranscriptError("commit_differs", "the transcript names another commit.json")
    if [kind for kind, _ in transcript.sources] != [source.kind for source in commitment.sources]:
        raise TranscriptError("sources_differ", "other sources, or another order, than the commitment fixed")
    for source, (_, value) in zip(commitment.sources, transcript.sources, strict=True):
        _check_against(source, value, commitment)


def _take(lines: list[str], name: str, pattern: re.Pattern[str]) -> str:
    if not lines or not lines[0].startswith(f"{name}="):
        raise TranscriptError("line_order", f"expected the line {name}=")
    value = lines.pop(0)[len(name) + 1 :]
    if not pattern.fullmatch(value):
        raise TranscriptError(name, f"{name}= has the malformed value {value[:80]!r}")
    return value


def _source(number: int, line: str) -> tuple[Kind, str]:
    match = _SOURCE_LINE.fullmatch(line)
    if match is None:
        raise TranscriptError("source_line", f"{line[:80]!r} is not a source line")
    if int(match[1]) != number:
        raise TranscriptError("source_number", f"source {match[1]} stands where {number:02} should")
    kind = next((known for known in KINDS if known == match[2]), None)
    if kind is None:
        raise TranscriptError(
            "source_kind", f"source kind {match[2][:40]!r} is not one of {', '.join(KINDS)}"
        )
    problem = check_value(kind, match[3])
    if problem:
        raise TranscriptError("source_value", f"source {kind}: {problem}")
    return kind, match[3]


def _check_shape(transcript: Transcript) -> None:
    if not transcript.sources:
        raise TranscriptError("no_sources", "a transcript has at least one source")
    if transcript.round > ROUNDS_MAX:
        raise TranscriptError("round", f"more than {ROUNDS_MAX} rounds")
    if transcript.round == 1 and transcript.exclude:
        raise TranscriptError("exclude_not_allowed", "round 1 excludes nobody")
    if transcript.round > 1 and not transcript.exclude:
        raise TranscriptError("exclude_required", "from round 2 on the earlier winners are excluded")


def _check_against(source: Source, value: str, commitment: Commitment) -> None:
    if value == MISSING:
        if source.missing != "missing":
            raise TranscriptError("missing_not_allowed", f"the source {source.kind} must be waited for")
        return
    if source.spec and not value.startswith(source.spec + ":"):
        raise TranscriptError(
            "spec_differs", f"the source {source.kind} is not the one committed: {source.spec}"
        )
    if source.kind == "office":
        secret = bytes.fromhex(value)
        assert len(secret) == OFFICE_SECRET_BYTES
        if not hmac.compare_digest(office_secret_digest(secret), commitment.office_secret_sha256):
            raise TranscriptError(
                "office_secret_differs", "the secret is not the one the office committed to"
            )


def beacon_source(transcript: Transcript) -> tuple[Kind, str]:
    """Kind and value of the transcript's beacon; TranscriptError when it has none."""
    for kind, value in transcript.sources:
        if kind in BEACON_KINDS and value != MISSING:
            return kind, value
    raise TranscriptError("no_beacon", "the transcript has no beacon")
