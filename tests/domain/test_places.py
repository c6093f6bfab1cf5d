"""Places by significant digits, prefixes and names."""

import pytest

from campaigns.domain.places import (
    covered_by,
    covers,
    full_name_zh,
    is_known,
    name_zh,
    overlap,
    parents,
    significant,
)


@pytest.mark.parametrize(
    ("code", "digits"),
    [
        ("370100", "3701"),
        ("370000", "37"),
        ("37", "37"),
        ("370124", "370124"),
        ("370124001", "370124001"),
        ("370124001000", "370124001"),
        ("370124000", "370124"),
        ("370124000000", "370124"),
        ("441900", "4419"),
        ("37012", None),
        ("3701240010", None),
        ("370124001001", None),
        ("000000", None),
        ("", None),
        ("３７０１", None),
        ("37 1", None),
        ("-370", None),
    ],
)
def test_codes_are_reduced_to_significant_digits(code: str, digits: str | None) -> None:
    assert significant(code) == digits


def test_a_place_covers_what_begins_with_it() -> None:
    assert covers("37", "370124001") and covers("3701", "370124") and covers("370124", "370124")
    assert not covers("370124", "3701") and not covers("3702", "370124")
    assert not covers("3", "37") and not covers("", "37")
    assert covered_by("370124001", ("4403", "3701")) and not covered_by("370124", ())
    assert overlap("3701", "370124") and overlap("370124", "3701") and not overlap("370124", "370126")


def test_names_are_chinese_and_missing_ones_are_none() -> None:
    assert (name_zh("37"), name_zh("3701"), name_zh("370124")) == ("山东省", "济南市", "平阴县")
    assert full_name_zh("370124") == "山东省济南市平阴县"
    assert full_name_zh("110101") == "北京市东城区"
    assert name_zh("320700") is None and name_zh("3207") == "连云港市"
    assert name_zh("370124001") is None and full_name_zh("370124001") is None


def test_parents_go_from_the_largest_down() -> None:
    assert parents("370124001") == ("37", "3701", "370124")
    assert parents("37") == ()
    assert parents("441900003") == ("44", "4419")


def test_townships_are_known_through_their_county() -> None:
    assert is_known("370124001") and is_known("441900003") and is_known("71")
    assert not is_known("370199001") and not is_known("99") and not is_known("370124000")
