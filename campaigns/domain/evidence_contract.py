"""The contract in a file of evidence: made from the terms when the file is written, and again when it is checked. Pure.

Names of places are labels that nothing seals. The file gives them beside the codes, so that only they are the maker's word.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from campaigns.domain.evidence import About, PlaceLabel, TermsPart
from campaigns.domain.terms.compile import read_compiled
from campaigns.domain.terms.contract import Language, contract_text
from campaigns.domain.terms.model import CompiledTerms

MAX_LABEL_CHARACTERS: Final = 100


def label_text(text: str) -> str:
    """A name in one line of bounded length, so that no label can pass for a clause."""
    line = "".join(one if one.isprintable() else " " for one in text)
    return " ".join(line.split())[:MAX_LABEL_CHARACTERS].rstrip()


def places_in(compiled: CompiledTerms) -> tuple[str, ...]:
    """The codes of the places that the contract names, in its order."""
    codes: dict[str, None] = {}

    def place(code: str) -> str:
        codes[code] = None
        return code

    contract_text(compiled, "zh", place)
    return tuple(codes)


def contract_lines(
    compiled: CompiledTerms, language: Language, labels: Mapping[str, PlaceLabel]
) -> tuple[str, ...]:
    """The contract with places called as ``labels`` say; a place without a label by its code."""

    def place(code: str) -> str:
        label = labels.get(code)
        return code if label is None else label.en if language == "en" else label.zh

    return tuple(contract_text(compiled, language, place).splitlines())


def check_contracts(about: About, parts: tuple[TermsPart, ...]) -> Iterator[tuple[str, str]]:
    """Hold the words against terms whose digest was approved; code and zone of the campaigns are in them too."""
    codes = {}
    for part in parts:
        compiled = read_compiled(part.compiled.encode())
        codes[str(part.campaign_id)] = compiled.campaign
        name = f"terms {part.version_id}"
        if about.time_zone != compiled.time_zone and part is parts[0]:
            yield "about", "its time zone is not that of the terms"
        if set(part.place_names) != set(places_in(compiled)):
            yield name, "the places named are not those of the terms"
        texts = [text for label in part.place_names.values() for text in (label.zh, label.en)]
        if not all(text and text == label_text(text) for text in texts):
            yield name, "what it calls a place is no name"
        for language, given in (("zh", part.contract_zh), ("en", part.contract_en)):
            if contract_lines(compiled, "en" if language == "en" else "zh", part.place_names) != given:
                yield name, f"the contract in {language} is not what the terms say"
    if about.campaigns != codes:
        yield "about", "the campaigns are not those of the terms"
