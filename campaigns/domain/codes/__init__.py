"""One table of stable codes; it drives the HTTP answers, the console, the bot's texts and docs/errors.md."""

from collections.abc import Mapping
from importlib import import_module

from campaigns.domain.codes.model import Code
from campaigns.domain.codes.words import said
from campaigns.domain.errors import Fact
from campaigns.domain.money import format_yuan

PARTS = ("access", "definition", "lifecycle", "decide", "payment", "draw")


def _table() -> dict[str, Code]:
    table: dict[str, Code] = {}
    for part in PARTS:
        for code, meaning in import_module(f"{__name__}.{part}").CODES.items():
            assert code not in table, f"code {code} stands twice"
            table[code] = meaning
    return table


CODES: Mapping[str, Code] = _table()


def sentence(code: str, facts: Mapping[str, Fact], language: str) -> str:
    """Say a code in ``zh`` or ``en`` with its facts filled in; a fact the caller left out shows as ``?``."""
    meaning = CODES[code]
    template = meaning.zh if language == "zh" else meaning.en
    return template.format_map(_Shown({name: _shown(name, value, language) for name, value in facts.items()}))


def _shown(name: str, value: Fact, language: str) -> Fact:
    if name.endswith("_fen") and isinstance(value, int):
        return format_yuan(value)
    return said(name, value, language) if isinstance(value, str) else value


class _Shown(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"
