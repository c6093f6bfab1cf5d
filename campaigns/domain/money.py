"""Money is an integer number of fen (1/100 yuan); no float ever holds an amount."""

import re
from collections.abc import Sequence

MIN_AMOUNT_FEN = 1
MAX_AMOUNT_FEN = 100_000_000
BASIS_POINTS = 10_000
# A comma stands before each three digits or nowhere: "5,50" is no amount, it may have been meant as 5.50.
_YUAN = re.compile(r"¥?(?P<yuan>[0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:\.(?P<part>[0-9]{1,2}))?")


def is_amount(value: object) -> bool:
    """Say whether ``value`` is an amount hongbao accepts: an int (not a bool) of 1..100,000,000 fen."""
    return type(value) is int and MIN_AMOUNT_FEN <= value <= MAX_AMOUNT_FEN


def format_yuan(amount_fen: int) -> str:
    """Write fen as people read it, e.g. ``123450`` as ``¥1,234.50`` and ``-5`` as ``-¥0.05``."""
    sign = "-" if amount_fen < 0 else ""
    yuan, fen = divmod(abs(amount_fen), 100)
    return f"{sign}¥{yuan:,}.{fen:02d}"


def parse_yuan(text: str) -> int:
    """Read ``12``, ``12.5`` or ``¥1,234.50`` as fen. Raises ValueError for anything else, such as ``5,5``."""
    found = _YUAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    return int(found["yuan"].replace(",", "")) * 100 + int((found["part"] or "0").ljust(2, "0"))


def largest_remainder(total_fen: int, weights: Sequence[int]) -> list[int]:
    """Divide ``total_fen`` in proportion to ``weights``; the parts add up exactly.

    Each part is rounded down, then the fen left over go one by one to the largest remainders,
    the earlier weight first where two are equal.
    """
    assert total_fen >= 0 and weights and all(weight >= 0 for weight in weights)
    whole = sum(weights)
    assert whole > 0
    parts = [total_fen * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total_fen * weights[i] % whole), i))
    for i in order[: total_fen - sum(parts)]:
        parts[i] += 1
    return parts
