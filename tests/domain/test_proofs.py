"""Normal forms of proofs and the mark kept of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.errors import Invalid
from campaigns.domain.proofs import PROOF_KINDS, ProofKind, keyed, normal_form, token_form

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@given(
    st.integers(13_000_000_000, 19_999_999_999), st.sampled_from(["{}", "+86{}", "0086 {}", " {} ", "86-{}"])
)
def test_a_mobile_number_has_one_form(number: int, written: str) -> None:
    text = written.format(number)
    assert normal_form("phone", text) == f"+86{number}"
    assert normal_form("phone", text.translate(FULL_WIDTH)) == f"+86{number}"


@given(st.sampled_from(PROOF_KINDS), st.text(max_size=140))
def test_any_text_has_a_stable_form_or_is_refused_without_being_repeated(kind: ProofKind, text: str) -> None:
    try:
        form = normal_form(kind, text)
    except Invalid as error:
        assert (error.code, error.facts) == ("proof_invalid", {"kind": kind})
    else:
        assert form.isascii() and normal_form(kind, form) == form


@pytest.mark.parametrize(
    ("kind", "text", "form"),
    [
        ("phone", "+852 5123 4567", "+85251234567"),
        ("phone", "010-6255-3344", "+861062553344"),
        ("id_number", "11010519491231002x", "11010519491231002X"),
        ("social_card", " sd1234567 ", "SD1234567"),
    ],
)
def test_other_forms(kind: ProofKind, text: str, form: str) -> None:
    assert normal_form(kind, text) == form


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("phone", ""), ("phone", "1" * 200), ("phone", "١٣٨١٢٣٤٥٦٧٨x"), ("id_number", "110105194912310021"),
        ("id_number", "110105194913310029"), ("social_card", "12345"), ("social_card", "12345\x006"),
    ],
)  # fmt: skip
def test_what_is_no_proof(kind: ProofKind, text: str) -> None:
    with pytest.raises(Invalid, match="proof_invalid"):
        normal_form(kind, text)


@pytest.mark.parametrize("text", ["", " ", "a b", "卡", "x" * 129])
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(Invalid, match="proof_invalid"):
        token_form("card", text)


def test_the_mark_depends_on_key_kind_and_form() -> None:
    marks = {
        keyed(key, kind, form)
        for key in (b"a" * 32, b"b" * 32)
        for kind, form in (("phone", "1"), ("phon", "e1"), ("phone", "2"), ("token:card", "1"))
    }
    assert len(marks) == 8 and all(len(mark) == 32 for mark in marks)
