"""Amounts as people write them."""

import pytest

from campaigns.domain.money import format_yuan, parse_yuan


@pytest.mark.parametrize(
    ("text", "fen"),
    [("0", 0), ("12", 1_200), ("12.5", 1_250), ("12.05", 1_205), ("¥1,234.50", 123_450), (" 7 ", 700),
     ("1,234,567.89", 123_456_789), ("1234567", 123_456_700)],
)  # fmt: skip
def test_an_amount_is_read(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text",
    ["", "¥", ".5", "5.", "5,5", "5,50", "12,34", "1,2345", ",123", "1,,234", "1,234,56", "1.234", "-1", "+1", "1e3",
     "１２", "1 000", "¥¥1", "1234,567", "9" * 13],
)  # fmt: skip
def test_what_may_mean_another_amount_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):
        parse_yuan(text)


@pytest.mark.parametrize("fen", [0, 1, 99, 100, 123_450, 10**11])
def test_what_is_shown_can_be_read_back(fen: int) -> None:
    assert parse_yuan(format_yuan(fen)) == fen
