"""The page's own Chinese font: Noto Sans SC (SIL Open Font License), cut down to the characters used.

Machines of an office have their fonts, a server has none: charts are measured with the whole font, and the page
carries the part of it that its text needs.
"""

import base64
from functools import lru_cache
from io import BytesIO
from typing import Final

import vl_convert
from fontTools import subset
from fontTools.ttLib import TTFont
from pylopdf_fonts_zh_cn import sans_path

FAMILY: Final = "Noto Sans SC"
ALWAYS: Final = "".join(chr(code) for code in range(0x20, 0x7F))
MOST_SUBSETS: Final = 8
_NAMES: Final = (0, 1, 2, 13, 14)  # copyright, family, style, licence and its address stay with the font


@lru_cache(maxsize=1)
def register() -> None:
    """Let the charts' text be measured with the font it will be shown in. Once in a process."""
    vl_convert.register_font_directory(str(sans_path().parent))


def data_uri(text: str) -> str:
    """The font with the characters of ``text`` and ASCII, as a ``data:`` address of a WOFF2 file."""
    return _data_uri("".join(sorted(set(text) | set(ALWAYS))))


@lru_cache(maxsize=MOST_SUBSETS)
def _data_uri(characters: str) -> str:
    options = subset.Options(
        flavor="woff2", hinting=False, layout_features=["kern"], name_IDs=list(_NAMES), notdef_outline=True
    )
    file = BytesIO()
    with TTFont(sans_path(), lazy=True) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(text=characters)
        cutter.subset(font)
        font.flavor = "woff2"
        font.save(file)
    return "data:font/woff2;base64," + base64.b64encode(file.getvalue()).decode("ascii")
