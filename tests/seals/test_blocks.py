"""Headers, lists and the way between blocks, without a database."""

import secrets
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.domain.seals import (
    KEY_BYTES,
    KINDS,
    NO_HEAD,
    Header,
    Kind,
    ListSeal,
    SealText,
    format_header,
    head_of,
    leaf_hashes,
    list_seal,
    names,
    parse_header,
    sealed_time,
    skip_number,
    split_list,
    way_down,
)
from lottery.core.merkle import EMPTY_ROOT, Tree, leaf_hash, merkle_root, verify_inclusion

HASHES = st.binary(min_size=32, max_size=32)
LISTS = st.fixed_dictionaries(
    {kind: st.builds(ListSeal, st.integers(0, 10**9), HASHES, HASHES) for kind in KINDS}
)
HEADERS = st.builds(
    lambda number, previous, skip, at, start, size, lists: Header(
        number, previous, skip, sealed_time(at), start, start + size, lists
    ),
    st.integers(1, 2**31 - 1), HASHES, HASHES, st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 2**62), st.integers(1, 2**40), LISTS,
)  # fmt: skip


@given(HEADERS)
def test_a_header_is_read_back(header: Header) -> None:
    text = format_header(header)
    assert parse_header(text) == header
    assert head_of(text) != head_of(text.replace("\n", "\r\n"))


@given(HEADERS, st.data())
def test_no_other_text_is_a_header_of_the_same_block(header: Header, data: st.DataObject) -> None:
    text = format_header(header)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda character: character != text[at]))
    changed = text[:at] + other + text[at + 1 :]
    try:
        assert parse_header(changed) != header
    except SealText:
        return


@pytest.mark.parametrize("text", ["", "hongbao-seal/1\n", "hongbao-seal/2\nblock 1\n"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(SealText):
        parse_header(text)


@settings(max_examples=300)
@given(st.integers(1, 2_000_000), st.data())
def test_the_way_down_is_named_step_by_step_and_short(newest: int, data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.integers(1, newest), min_size=1, max_size=4))
    way = way_down(newest, wanted)
    assert way[0] == newest and way[-1] == min(wanted) and set(wanted) <= set(way)
    for above, below in pairwise(way):
        assert below < above and below in (above - 1, skip_number(above))
    bits = newest.bit_length()
    assert len(way) <= len(wanted) * (bits * (bits + 1) // 2 + 1)


@given(HEADERS, HEADERS)
def test_a_header_names_two_blocks_and_no_other(header: Header, other: Header) -> None:
    assert names(header, header.number - 1, header.previous)
    assert names(header, skip_number(header.number), header.skip)
    assert not names(header, header.number + 1, header.previous)
    if other.previous not in (header.previous, header.skip):
        assert not names(header, header.number - 1, other.previous)


@given(st.sampled_from(KINDS), st.lists(st.binary(max_size=40), unique=True, max_size=40))
def test_rows_of_a_list_are_proved_by_its_root(kind: Kind, texts: list[bytes]) -> None:
    size = KEY_BYTES[kind]
    leaves = b"".join(n.to_bytes(size) + leaf_hash(text) for n, text in enumerate(texts))
    seal = list_seal(kind, leaves)
    assert (seal.rows, seal.root) == (len(texts), merkle_root(texts))
    tree = Tree.of_hashes(leaf_hashes(kind, leaves))
    for index, text in enumerate(texts):
        proof = tree.inclusion_proof(index)
        assert verify_inclusion(text, index, seal.rows, proof, seal.root)
        assert not verify_inclusion(text + b"x", index, seal.rows, proof, seal.root)
    assert list_seal(kind, b"").root == EMPTY_ROOT and bytes(32) == NO_HEAD


def test_a_list_that_is_cut_off_or_names_a_row_twice_is_not_whole() -> None:
    record = secrets.token_bytes(48)
    for leaves in (record[:-1], record + b"x", record + record):
        with pytest.raises(SealText):
            split_list("voucher", leaves)
