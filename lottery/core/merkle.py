"""The Merkle tree of RFC 9162 over lines: root, inclusion and consistency proofs and their verification.

Leaf = sha256(0x00 || line without LF), node = sha256(0x01 || left || right), split at the largest power of two below
n, empty tree = sha256("").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
PROOF_HASHES_MAX = 64  # a tree of 2**63 leaves


def leaf_hash(line: bytes) -> bytes:
    """The hash of one leaf; `line` comes without its LF."""
    return hashlib.sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class StreamingRoot:
    """The root of a growing list of lines in O(log n) memory: one hash for each complete subtree."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, line: bytes) -> None:
        """Append a line (without its LF)."""
        node = leaf_hash(line)
        size = self.size
        while size & 1:
            node = node_hash(self._peaks.pop(), node)
            size >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root over the lines so far."""
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = node_hash(peak, node)
        return node


def merkle_root(lines: Iterable[bytes]) -> bytes:
    """The root over `lines`, each without its LF."""
    stream = StreamingRoot()
    for line in lines:
        stream.add(line)
    return stream.root()


class Tree:
    """The whole tree in memory (two hashes a leaf), for proofs in O(log n).

    Level 0 holds the leaves; an odd last node rises unchanged, which gives exactly the RFC's tree.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._grow([leaf_hash(line) for line in lines])

    @classmethod
    def of_hashes(cls, leaves: Iterable[bytes]) -> Tree:
        """The tree over lines of which only the `leaf_hash` is at hand."""
        tree = cls(())
        tree._grow(list(leaves))
        return tree

    def _grow(self, level: list[bytes]) -> None:
        self.size = len(level)
        self._levels = [level]
        while len(level) > 1:
            paired = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            level = paired + level[len(paired) * 2 :]
            self._levels.append(level)

    def root(self) -> bytes:
        """The root of the tree."""
        return self._levels[-1][0] if self.size else EMPTY_ROOT

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """The path for the leaf at 0-based `index` (RFC 9162, 2.1.3.1); IndexError outside the tree."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        proof: list[bytes] = []
        for level in self._levels[:-1]:
            if index ^ 1 < len(level):
                proof.append(level[index ^ 1])
            index >>= 1
        return tuple(proof)

    def consistency_proof(self, first: int) -> tuple[bytes, ...]:
        """The proof that the first `first` leaves are a prefix (RFC 9162, 2.1.4.1); IndexError outside the tree."""
        if not 0 <= first <= self.size:
            raise IndexError(first)
        if first in (0, self.size):
            return ()
        return tuple(self._subproof(first, 0, self.size, True))

    def _subproof(self, first: int, start: int, end: int, known: bool) -> list[bytes]:
        if first == end:
            return [] if known else [self._node(start, end)]
        middle = start + (1 << ((end - start - 1).bit_length() - 1))
        if first <= middle:
            return [*self._subproof(first, start, middle, known), self._node(middle, end)]
        return [*self._subproof(first, middle, end, False), self._node(start, middle)]

    def _node(self, start: int, end: int) -> bytes:
        """The root over leaves start..end of a subtree of this tree."""
        height = (end - start - 1).bit_length()
        return self._levels[height][start >> height]


def verify_inclusion(line: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows `line` (without LF) at 0-based `index` of a tree of `size` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or len(proof) > PROOF_HASHES_MAX:
        return False
    position, last = index, size - 1
    node = leaf_hash(line)
    for other in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = node_hash(other, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, other)
        position, last = position >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that a tree of `first` leaves is a prefix of one of `second` (RFC 9162, 2.1.4.2)."""
    if not 0 <= first <= second or len(proof) > PROOF_HASHES_MAX:
        return False
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    if first == second:
        return not proof and first_root == second_root
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not path:
        return False
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, other)
        position, last = position >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root
