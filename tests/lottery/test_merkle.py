"""RFC 9162 trees: proofs verify, tampered ones fail, the stream agrees with the tree and with the RFC's recursion."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery import StreamingRoot, Tree, merkle_root, verify_consistency, verify_inclusion

line_lists = st.lists(st.binary(max_size=12), min_size=1, max_size=70)


def rfc_root(lines: list[bytes]) -> bytes:
    """The definition of RFC 9162, 2.1.1, as it is written."""
    if not lines:
        return hashlib.sha256(b"").digest()
    if len(lines) == 1:
        return hashlib.sha256(b"\x00" + lines[0]).digest()
    middle = 1
    while middle * 2 < len(lines):
        middle *= 2
    return hashlib.sha256(b"\x01" + rfc_root(lines[:middle]) + rfc_root(lines[middle:])).digest()


@given(st.lists(st.binary(max_size=12), max_size=70))
def test_root_is_the_definitions(lines: list[bytes]) -> None:
    assert Tree(lines).root() == merkle_root(lines) == rfc_root(lines)


def test_stream_has_the_root_of_every_prefix_in_little_memory() -> None:
    lines = [str(i).encode() for i in range(300)]
    stream = StreamingRoot()
    for size in range(301):
        assert (stream.size, stream.root()) == (size, rfc_root(lines[:size]))
        assert len(stream._peaks) <= 9
        if size < 300:
            stream.add(lines[size])


@given(line_lists, st.data())
def test_inclusion(lines: list[bytes], data: st.DataObject) -> None:
    tree, size = Tree(lines), len(lines)
    index = data.draw(st.integers(0, size - 1))
    proof, root = tree.inclusion_proof(index), tree.root()
    assert verify_inclusion(lines[index], index, size, proof, root)
    assert not verify_inclusion(lines[index] + b"x", index, size, proof, root)
    assert not verify_inclusion(lines[index], index, size, (*proof, root), root)
    assert not verify_inclusion(lines[index], index, size, proof, hashlib.sha256(root).digest())
    assert not verify_inclusion(lines[index], size, size, proof, root)
    assert not verify_inclusion(lines[index], -1, size, proof, root)
    if proof:
        spot = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:spot], bytes([proof[spot][0] ^ 1]) + proof[spot][1:], *proof[spot + 1 :]]
        assert not verify_inclusion(lines[index], index, size, changed, root)
        assert not verify_inclusion(lines[index], index, size, proof[:-1], root)


@given(st.lists(st.binary(max_size=12), min_size=2, max_size=70, unique=True), st.data())
def test_inclusion_elsewhere_fails(lines: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(lines) - 1))
    other = data.draw(st.integers(0, len(lines) - 1).filter(lambda i: i != index))
    tree = Tree(lines)
    assert not verify_inclusion(lines[index], other, len(lines), tree.inclusion_proof(index), tree.root())


@given(line_lists, st.data())
def test_consistency(lines: list[bytes], data: st.DataObject) -> None:
    second = len(lines)
    first = data.draw(st.integers(0, second))
    tree = Tree(lines)
    old, new, proof = merkle_root(lines[:first]), tree.root(), tree.consistency_proof(first)
    assert verify_consistency(first, second, old, new, proof)
    assert not verify_consistency(second + 1, second, old, new, proof)
    if first > 0:
        wrong = merkle_root([b"another", *lines[1:first]]) if lines[0] != b"another" else new[::-1]
        assert not verify_consistency(first, second, wrong, new, proof)
        assert not verify_consistency(first, second, old, hashlib.sha256(new).digest(), proof)
        assert not verify_consistency(first, second, old, new, (*proof, new))
    if proof:
        assert not verify_consistency(first, second, old, new, proof[:-1])
        assert not verify_consistency(
            first, second, old, new, (hashlib.sha256(proof[0]).digest(), *proof[1:])
        )


def test_a_proof_for_a_smaller_tree_proves_nothing_about_a_larger_one() -> None:
    tree = Tree([b"a", b"b"])
    assert not verify_inclusion(b"a", 0, 4, tree.inclusion_proof(0), tree.root())
    assert not verify_inclusion(b"a", 0, 2, (), merkle_root([b"a"]))
    grown = Tree([b"a", b"b", b"c", b"d"])
    assert not verify_consistency(2, 8, tree.root(), grown.root(), grown.consistency_proof(2))


def test_proofs_outside_the_tree() -> None:
    tree = Tree([b"a", b"b"])
    for index in (-1, 2):
        with pytest.raises(IndexError):
            tree.inclusion_proof(index)
    with pytest.raises(IndexError):
        tree.consistency_proof(3)
    assert not verify_inclusion(b"a", 0, 1, [b""] * 65, tree.root())
