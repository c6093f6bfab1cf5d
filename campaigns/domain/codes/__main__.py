"""``python -m campaigns.domain.codes`` prints the table of codes: docs/errors.md is its output."""

from collections.abc import Iterator
from importlib import import_module

from campaigns.domain.codes import PARTS
from campaigns.domain.codes.model import Code

_KINDS = """
| kind | what it tells the caller | what to do |
|---|---|---|
| `refused` | the rules say no; the answer is stored under its Idempotency-Key | tell the person; a new try is a new intent with a new key |
| `denied` | this key may not do this; nothing is stored | use another key, or ask the programme office |
| `invalid` | the request cannot be understood; nothing is stored | mend the request; the key may be used again, except after `idempotency_key_reused` |
| `try_again` | overload or an unknown outcome; `Retry-After` says when | repeat the same request with the same key |
| `broken` | something is wrong on our side | repeat with the same key later, and report the incident |
"""
_HEAD = f"""# Error codes

Generated from `campaigns/domain/codes/` by `python -m campaigns.domain.codes > docs/errors.md`; do not edit.

Every error is `application/problem+json` (RFC 9457) with a stable `code`, its `facts`, and `detail`: the code's
sentence in the language of `Accept-Language` (zh unless en is preferred). `GET /errors/CODE` answers one row of
these tables. Facts in braces fill the sentences; those ending in `_fen` are shown as money (¥1,234.50) and are
whole fen in `facts`. A fact the request did not bring shows as `?`.

A status is the usual one of its code; a code about what is over may come with 410, and an unknown subject with 404.
The last column says whether a till (a terminal's or merchant's key) hears the code: where it says no, the till
hears `not_usable_here` without facts, and the reason goes to the holder's own phone.
{_KINDS}"""
_COLUMNS = "| code | kind | HTTP | zh | en | till hears it |\n|---|---|---|---|---|---|"


def document() -> str:
    """The whole of docs/errors.md: one table for each part of the codes."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD.rstrip()
    for part in PARTS:
        module = import_module(f"{__package__}.{part}")
        summary = (module.__doc__ or "").strip().splitlines()[0]
        yield f"\n## {part}\n\n{summary}\n\n{_COLUMNS}"
        for code, meaning in module.CODES.items():
            yield _row(code, meaning)


def _row(code: str, meaning: Code) -> str:
    cells = (
        f"`{code}`",
        meaning.kind,
        str(meaning.status),
        meaning.zh.replace("|", "\\|"),
        meaning.en.replace("|", "\\|"),
        "yes" if meaning.public else "no",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(document(), end="")
