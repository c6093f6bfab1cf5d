"""Characters that neither an editor shows nor a person means: in no text of a file, and in no message about it."""

import re

# Controls, surrogates, line separators, marks of text direction, and what is no character at all.
HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_STAND_IN = "·"


def hidden_character(text: str) -> str | None:
    """Name the first character of ``text`` that may not stand in a text, e.g. ``U+0000``."""
    found = HIDDEN.search(text)
    return name_of(found.group()) if found else None


def name_of(character: str) -> str:
    """A character's number as Unicode writes it."""
    return f"U+{ord(character):04X}"


def printable(text: str, most: int) -> str:
    """``text`` as a message may repeat it: one line, nothing hidden, at most ``most`` characters."""
    line = HIDDEN.sub(_STAND_IN, " ".join(text[: 4 * most].split()))
    return line if len(line) <= most else line[: most - 1] + "…"
