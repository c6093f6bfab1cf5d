"""One payment's evidence: a file that can be checked without a database and without network. See docs/seals.md.

It is indented JSON. Sealed rows stand in it as the very lines that were digested, each with its way to the head of its
block, and the blocks with their way to the newest head. It holds personal data: ids of a person and their purchase.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from campaigns.domain.seals import Kind
from campaigns.domain.terms.facts import Item

T = TypeVar("T")
FORMAT: Final = "hongbao-evidence/1"
MAX_EVIDENCE_BYTES: Final = 32_000_000
NOTE: Final = (
    "本文件含个人资料。校验：hongbao evidence verify 文件 --head 已公布的封存值（无需数据库与网络）。"
    " Personal data. To check it: hongbao evidence verify FILE --head PUBLISHED (needs no database and no network)."
)


class EvidenceError(ValueError):
    """The bytes are not a file of evidence at all."""


class About(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which payment, by whom asked for, at campaign time. ``programme`` and ``campaigns`` are codes.

    ``acts_left_out`` is how many acts about it were too many for the file.
    """

    payment_id: UUID
    programme: str
    campaigns: dict[str, str]
    time_zone: str
    made_at: datetime
    made_by: str
    acts_left_out: int


class PlaceLabel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a contract calls a place; nothing seals it."""

    zh: str
    en: str


class TermsPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version of a campaign's terms: the canonical text, its SHA-256, and the contract in words.

    ``place_names`` has what the contract calls the places of the terms, by their codes.
    """

    version_id: int
    campaign_id: UUID
    digest: str
    compiled: str
    place_names: dict[str, PlaceLabel]
    contract_zh: tuple[str, ...]
    contract_en: tuple[str, ...]


class StorePart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The store as it is on record when the file is made; it may have been changed since the payment."""

    merchant: str
    merchant_name: str
    store_name: str
    place: str
    zones: tuple[str, ...]
    tags: tuple[str, ...]
    mcc: str
    scenario: str


class StatePart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of the payment still moves, as it was when the file was made: the sealed transfers must add up to it."""

    state: str
    captured_basket_fen: int | None
    captured_fen: int
    returned_goods_fen: int
    refunded_fen: int
    gone_items: tuple[Item, ...]
    captured_at: datetime | None
    ended_at: datetime | None
    lines: tuple["LineState", ...]


class LineState(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a line moves."""

    line: int
    held_fen: int
    captured_fen: int
    refunded_fen: int


class RowPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sealed row: the lines of its text, its block, its place in the list of its kind, and the way to the root."""

    kind: Kind
    key: str
    block: int
    index: int
    text: tuple[str, ...]
    proof: tuple[str, ...]


class Evidence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file. ``chain`` holds headers, newest first, each named by the one before it.

    ``parts`` has the SHA-256 of every other member, so that a changed one is named, ``digest`` that of the file
    with an empty ``digest``.
    """

    format: str
    note: str
    about: About
    terms: tuple[TermsPart, ...]
    store: StorePart
    state: StatePart
    refunds_without_value: tuple[UUID, ...]
    rows: tuple[RowPart, ...]
    chain: tuple[tuple[str, ...], ...]
    parts: dict[str, str]
    digest: str


SEALED_PARTS: Final = ("about", "terms", "store", "state", "refunds_without_value", "rows", "chain")


def part_digests(evidence: Evidence) -> dict[str, str]:
    """SHA-256 of each member, encoded without white space."""
    return {name: sha256(msgspec.json.encode(getattr(evidence, name))).hexdigest() for name in SEALED_PARTS}


def finished(evidence: Evidence) -> Evidence:
    """The evidence with its digests."""
    parts = msgspec.structs.replace(evidence, parts=part_digests(evidence), digest="")
    return msgspec.structs.replace(parts, digest=sha256(encode(parts)).hexdigest())


def encode(evidence: Evidence) -> bytes:
    """The bytes of the file; no other bytes are the same evidence."""
    return msgspec.json.format(msgspec.json.encode(evidence), indent=2) + b"\n"


def decode(data: bytes) -> Evidence:
    """Read a file's members. Raises EvidenceError. Whether the bytes are canonical is for the check to say."""
    if len(data) > MAX_EVIDENCE_BYTES:
        raise EvidenceError(f"more than {MAX_EVIDENCE_BYTES} bytes")
    try:
        return msgspec.json.decode(data, type=Evidence)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise EvidenceError(str(error)) from error


class Row:
    """A sealed row's text as fields, in the words of its table. Raises EvidenceError for a field it lacks."""

    def __init__(self, part: RowPart) -> None:
        self.part = part
        self.name = f"{part.kind} {part.key}"
        if not part.text or part.text[0] != f"{part.kind}/1":
            raise EvidenceError(f"{self.name}: its text is of another kind")
        # Two lines in one have the same digest, and the second would hide from whoever reads the first.
        if any("\n" in line for line in part.text):
            raise EvidenceError(f"{self.name}: a line of its text is two")
        pairs = [line.partition(" ")[::2] for line in part.text[1:]]
        self.lines = [value for name, value in pairs if name == "line"] if part.kind == "payment" else []
        self._fields: Mapping[str, str] = dict(pairs)

    def text(self, name: str) -> str:
        """A field as it stands."""
        try:
            return self._fields[name]
        except KeyError:
            raise EvidenceError(f"{self.name}: it has no {name}") from None

    def fen(self, name: str) -> int:
        """A number: fen, a version, a line."""
        return self._read(name, int)

    def id(self, name: str) -> UUID:
        """A row's id."""
        return self._read(name, UUID)

    def at(self, name: str) -> datetime:
        """A time, in UTC to the microsecond."""
        return self._read(
            name, lambda text: datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        )

    def account(self, name: str) -> tuple[str, UUID]:
        """An account of a transfer: its kind and holder."""
        kind, _, holder = self.text(name).partition(" ")
        return kind, self._convert(name, holder, UUID)

    def json(self, name: str) -> object:
        """A field of JSON."""
        return self._read(name, lambda text: msgspec.json.decode(text))

    def _read(self, name: str, convert: Callable[[str], T]) -> T:
        return self._convert(name, self.text(name), convert)

    def _convert(self, name: str, text: str, convert: Callable[[str], T]) -> T:
        try:
            return convert(text)
        except (ValueError, msgspec.MsgspecError) as error:
            raise EvidenceError(f"{self.name}: its {name} cannot be read") from error


def rows_of(evidence: Evidence, kind: Kind) -> list[Row]:
    """The rows of one kind, in the file's order."""
    return [Row(part) for part in evidence.rows if part.kind == kind]
