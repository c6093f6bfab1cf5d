"""What people call the places of a campaign."""

from collections.abc import Callable

from campaigns.domain.definition.model import Definition
from campaigns.domain.places import name_zh


def place_label(definition: Definition, language: str) -> Callable[[str], str]:
    """A function from a code (region, township or zone) to its name with the code, or the code alone.

    The campaign file's own names come first; the standard knows Chinese names only.
    """

    def label(code: str) -> str:
        own = definition.place_names.get(code)
        if own is not None:
            return f"{own.zh}（{code}）" if language == "zh" else f"{own.en} ({code})"
        known = name_zh(code) if language == "zh" else None
        return f"{known}（{code}）" if known else code

    return label
