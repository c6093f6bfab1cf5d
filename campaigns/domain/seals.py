"""Seals: blocks of digests over the rows of the books, each block naming the one before. Pure. See docs/seals.md.

A row's canonical text is hashed to a leaf as RFC 9162 has it; the leaves of one kind in one block are a list, and a
block's header holds each list's count, digest and Merkle root. The head of a block is the SHA-256 of its header.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Literal, NamedTuple, get_args

from lottery.core.merkle import Tree

Kind = Literal["transfer", "voucher", "audit", "payment", "refund"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
HASH_BYTES: Final = 32
NO_HEAD: Final = bytes(HASH_BYTES)  # the head of block 0, which does not exist
TITLE: Final = "hongbao-seal/1"
# Bytes of a row's key in a list: a transfer's cause, kind and line, an id of 16 bytes, an audit row's number.
KEY_BYTES: Final[Mapping[Kind, int]] = {
    "transfer": 19,
    "voucher": 16,
    "audit": 8,
    "payment": 16,
    "refund": 16,
}

_HEX = r"([0-9a-f]{64})"
_NUMBER = r"(0|[1-9][0-9]{0,18})"
_HEADER = re.compile(
    rf"{TITLE}\nblock {_NUMBER}\nprevious {_NUMBER} {_HEX}\nskip {_NUMBER} {_HEX}\n"
    r"sealed_at ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)\n"
    rf"transactions {_NUMBER} {_NUMBER}\n" + "".join(rf"{kind} {_NUMBER} {_HEX} {_HEX}\n" for kind in KINDS)
)


class SealText(ValueError):
    """A header's text is not one that hongbao writes."""


class ListSeal(NamedTuple):
    """What a header says of one kind's rows: how many, SHA-256 of the list, Merkle root of the leaves."""

    rows: int
    digest: bytes
    root: bytes


class Header(NamedTuple):
    """A block: rows of the transactions ``from_tx`` <= tx < ``upto_tx``.

    ``skip`` is the head of block `skip_number(number)`, so that a way from a head to an old block is short.
    ``sealed_at`` is campaign time.
    """

    number: int
    previous: bytes
    skip: bytes
    sealed_at: str
    from_tx: int
    upto_tx: int
    lists: Mapping[Kind, ListSeal]


def skip_number(number: int) -> int:
    """The block that ``number`` names beside the one before it: its lowest set bit cleared; 0 is none."""
    return number & (number - 1)


def list_seal(kind: Kind, leaves: bytes) -> ListSeal:
    """Count, digest and root of a list: key and leaf of each row, in the order of the keys."""
    hashes = leaf_hashes(kind, leaves)
    return ListSeal(len(hashes), sha256(leaves).digest(), Tree.of_hashes(hashes).root())


def leaf_hashes(kind: Kind, leaves: bytes) -> list[bytes]:
    """The leaves of a list, without the keys."""
    return list(split_list(kind, leaves).values())


def split_list(kind: Kind, leaves: bytes) -> dict[bytes, bytes]:
    """A list as key -> leaf, in its order. Raises SealText where it is cut off or names a row twice."""
    key = KEY_BYTES[kind]
    size = key + HASH_BYTES
    found = {leaves[at : at + key]: leaves[at + key : at + size] for at in range(0, len(leaves), size)}
    if len(found) * size != len(leaves):
        raise SealText(f"a list of {kind} is not whole")
    return found


def format_header(header: Header) -> str:
    """The canonical text of a block, of which the head is the SHA-256."""
    lines = [
        TITLE,
        f"block {header.number}",
        f"previous {header.number - 1} {header.previous.hex()}",
        f"skip {skip_number(header.number)} {header.skip.hex()}",
        f"sealed_at {header.sealed_at}",
        f"transactions {header.from_tx} {header.upto_tx}",
    ]
    lines += [
        f"{kind} {seal.rows} {seal.digest.hex()} {seal.root.hex()}"
        for kind, seal in ((kind, header.lists[kind]) for kind in KINDS)
    ]
    return "\n".join(lines) + "\n"


def parse_header(text: str) -> Header:
    """Read what `format_header` wrote. Raises SealText for anything else."""
    found = _HEADER.fullmatch(text)
    if found is None:
        raise SealText("the text is not a block's header")
    number, before, previous, skipped, skip, sealed_at, from_tx, upto_tx, *lists = found.groups()
    header = Header(
        int(number), bytes.fromhex(previous), bytes.fromhex(skip), sealed_at, int(from_tx), int(upto_tx),
        {
            kind: ListSeal(int(lists[3 * i]), bytes.fromhex(lists[3 * i + 1]), bytes.fromhex(lists[3 * i + 2]))
            for i, kind in enumerate(KINDS)
        },
    )  # fmt: skip
    if int(before) != header.number - 1 or int(skipped) != skip_number(header.number):
        raise SealText("the blocks it names are not those before it")
    if not header.from_tx < header.upto_tx:
        raise SealText("its transactions end before they begin")
    return header


def head_of(text: str) -> bytes:
    """The head of the block with this header."""
    return sha256(text.encode()).digest()


def sealed_time(at: datetime) -> str:
    """A campaign time as headers have it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def way_down(newest: int, wanted: Sequence[int]) -> list[int]:
    """The blocks on the shortest known way from ``newest`` through each of ``wanted``, newest first.

    Each block of the way is named by the one before it in the list, as its previous or its skip.
    """
    way = [newest]
    for target in sorted(set(wanted), reverse=True):
        assert 1 <= target <= newest, f"block {target} is not below {newest}"
        while way[-1] > target:
            skipped = skip_number(way[-1])
            way.append(skipped if skipped >= target else way[-1] - 1)
    return way


def names(header: Header, number: int, head: bytes) -> bool:
    """Whether ``header`` names block ``number`` with this head."""
    return (number == header.number - 1 and head == header.previous) or (
        number == skip_number(header.number) and head == header.skip
    )
