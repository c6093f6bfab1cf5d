"""Fields shared by commands and answers: types with the limits that HTTP bodies are held to.

Patterns end in ``$(?!\\n)`` because Python's ``$`` alone forgives a last line break.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from campaigns.domain.money import MAX_AMOUNT_FEN

MAX_TEXT = 2_000
MAX_FILE_TEXT = 900_000
MAX_COUNT = 10_000_000

AmountFen = Annotated[int, Meta(ge=1, le=MAX_AMOUNT_FEN, description="Integer fen, ¥0.01 to ¥1,000,000.00")]
BudgetFen = Annotated[
    int, Meta(ge=1, le=1_000_000_000_000, description="Integer fen, up to ¥10,000,000,000.00")
]
AnyFen = Annotated[int, Meta(description="Integer fen, may be zero or negative in a balance")]
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Code = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[a-z0-9][a-z0-9._-]*$(?!\n)",
        description="Lower-case letters, digits, . _ and -; stable",
    ),
]
Name = Annotated[
    str,
    Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", description="One line of text"),
]
Text = Annotated[str, Meta(max_length=MAX_TEXT, description="Text of several lines")]
FileText = Annotated[str, Meta(min_length=1, max_length=MAX_FILE_TEXT, description="A whole file")]
Place = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=12,
        pattern=r"^[1-9][0-9]{0,11}$(?!\n)",
        description="Significant digits of a GB/T 2260 region code",
    ),
]
Mcc = Annotated[
    str, Meta(min_length=4, max_length=4, pattern=r"^[0-9]{4}$(?!\n)", description="Merchant category code")
]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 time with offset")]


class Names(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name in both languages."""

    zh: Name
    en: Name


class Nothing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An empty object: the body of a verb that needs nothing said, or the answer of one with nothing to say."""
