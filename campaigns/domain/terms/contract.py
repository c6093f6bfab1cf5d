"""The terms of a version printed as a contract: numbered plain sentences in zh or en, with the digest.

Every rule that is set gives a clause; a rule that is not set gives none. Both languages come from the
same table, so they cannot differ in what they promise.
"""

from collections.abc import Iterator
from typing import Literal

from campaigns.domain.terms.clauses import CLAUSES, PlaceName, Subject
from campaigns.domain.terms.compile import digest
from campaigns.domain.terms.model import CompiledTerms

Language = Literal["zh", "en"]


def sentences(compiled: CompiledTerms, language: Language, place_name: PlaceName = str) -> tuple[str, ...]:
    """The clauses in order. ``place_name`` turns a region code into what people call it."""
    return tuple(pair[language == "en"] for pair in _pairs(compiled, place_name))


def contract_text(compiled: CompiledTerms, language: Language, place_name: PlaceName = str) -> str:
    """The whole contract: title, numbered clauses, digest of the version they were printed from."""
    title = (
        f"消费券使用规则 {compiled.campaign} 第 {compiled.version} 版"
        if language == "zh"
        else f"Terms of use, {compiled.campaign}, version {compiled.version}"
    )
    clauses = [
        f"{number}. {clause}"
        for number, clause in enumerate(sentences(compiled, language, place_name), start=1)
    ]
    mark = "规则摘要（SHA-256）：" if language == "zh" else "Digest (SHA-256): "
    return "\n".join([title, *clauses, f"{mark}{digest(compiled)}"]) + "\n"


def _pairs(compiled: CompiledTerms, place_name: PlaceName) -> Iterator[tuple[str, str]]:
    subject = Subject(compiled=compiled, place_name=place_name)
    for clause in CLAUSES:
        yield from clause(subject)
