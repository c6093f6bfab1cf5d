"""The shape of one entry in the table of codes."""

from typing import Literal, NamedTuple

Kind = Literal["refused", "denied", "invalid", "try_again", "broken"]


class Code(NamedTuple):
    """What a code means to people: its kind, HTTP status and a sentence each in zh and en.

    Sentences are `str.format` templates over the error's facts. Facts ending in ``_fen`` are shown as money.
    ``public`` tells whether a till may hear the code; one about the holder alone is answered to the till
    as ``not_usable_here`` and goes to the holder's own chat (DESIGN, payment rule 8).
    """

    kind: Kind
    status: int
    zh: str
    en: str
    public: bool = True
